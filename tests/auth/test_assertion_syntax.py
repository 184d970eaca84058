"""Assertions bent in their syntax: each is signed by the right key where it can be, and gets a clean refusal."""

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.auth.assertions import ABSENT, Caller, es256, nested, segment, signature_of, signed
from tests.auth.server import Server, assert_issued, assert_refused


@pytest.mark.parametrize(
    "header",
    [{"zip": "NONE"}, {"x5t": "abc"}, {"cty": "JWT"}, {"colour": {"deep": [1]}}, {"colour": "b" * 3000}],
    ids=lambda header: next(iter(header)),
)
def test_007_an_unknown_header_parameter_is_ignored(server: Server, caller: Caller, header: dict[str, Any]) -> None:
    assert_issued(server.ask(caller.assertion(header)))


@pytest.mark.parametrize(
    "unverified",
    [
        "not a token",
        "x",
        "a.b",
        "..",
        ".",
        "a.b.c.d.e",
        "...",
        "\x00",
        "é.é.é",
        "eyJhbGciOiJFUzI1NiJ9..",
        "%2E",
        "=.=.=",
    ],
    ids=repr,
)
def test_026_what_is_no_jws_is_refused(server: Server, unverified: str) -> None:
    assert_refused(server.ask(unverified))


@pytest.mark.parametrize("empty", [0, 1, 2], ids=["header", "claims", "signature"])
def test_026_an_empty_part_is_refused(server: Server, caller: Caller, empty: int) -> None:
    parts = caller.assertion().split(".")
    parts[empty] = ""
    assert_refused(server.ask(".".join(parts)))


@pytest.mark.parametrize("more", ["{}.", "{}..", ".{}", "{}.x.y", "{}.x"])
def test_026_another_number_of_parts_is_refused(server: Server, caller: Caller, more: str) -> None:
    assert_refused(server.ask(more.format(caller.assertion())))


def test_026_the_json_serialization_is_refused(server: Server, caller: Caller) -> None:
    header, payload, signature = caller.assertion().split(".")
    flat = {"protected": header, "payload": payload, "signature": signature}
    general = {"payload": payload, "signatures": [{"protected": header, "signature": signature}]}
    assert_refused(server.ask(json.dumps(flat)))
    assert_refused(server.ask(json.dumps(general)))


@pytest.mark.parametrize(
    "payload",
    [b"[]", b'"text"', b"7", b"null", b"true", b"{}", b"not JSON", b'{"sub":', b'{"sub": "\xff"}', b"\xef\xbb\xbf{}"],
    ids=repr,
)
def test_027_claims_that_are_no_json_object_are_refused(server: Server, caller: Caller, payload: bytes) -> None:
    assert_refused(server.ask(signed(caller.key, caller.header(), payload)))


def test_027_honest_claims_in_an_array_or_in_utf_16_are_refused(server: Server, caller: Caller) -> None:
    assert_refused(server.ask(signed(caller.key, caller.header(), [caller.claims()])))
    assert_refused(server.ask(signed(caller.key, caller.header(), json.dumps(caller.claims()).encode("utf-16"))))


@pytest.mark.parametrize("spelling", [b"NaN", b"-Infinity", b"01", b"'x'", b"1,", b"9" * 5_000], ids=len)
def test_027_claims_with_what_json_does_not_know_are_refused(server: Server, caller: Caller, spelling: bytes) -> None:
    claims = json.dumps(caller.claims(colour="@")).encode().replace(b'"@"', spelling)
    assert_refused(server.ask(signed(caller.key, caller.header(), claims)))


@pytest.mark.parametrize("header", [["ES256"], [], "ES256", 7, None, True, [["alg", "ES256"]], {}], ids=repr)
def test_028_a_header_that_is_no_object_is_refused(server: Server, caller: Caller, header: Any) -> None:
    assert_refused(server.ask(signed(caller.key, header, caller.claims())))


@pytest.mark.parametrize("alg", [ABSENT, ["ES256"], {"ES256": 1}, None, 7, True, ""], ids=repr)
def test_029_an_alg_that_is_no_text_is_refused(server: Server, caller: Caller, alg: Any) -> None:
    assert_refused(server.ask(caller.assertion({"alg": alg})))


@pytest.mark.parametrize(
    "spelling", [" {}", "{} ", "\n{}", "{}\n", "{}\r\n", "\t{}", "{}=", "{}==", "{}\x00"], ids=repr
)
def test_030_blanks_line_breaks_and_padding_around_are_refused(server: Server, caller: Caller, spelling: str) -> None:
    assert_refused(server.ask(spelling.format(caller.assertion())))


@pytest.mark.parametrize("part", [0, 1, 2], ids=["header", "claims", "signature"])
@pytest.mark.parametrize("bad", ["=", "==", "\n", " ", "+", "/", "~", "é"], ids=repr)
def test_030_a_part_that_is_no_strict_base64url_is_refused(server: Server, caller: Caller, part: int, bad: str) -> None:
    parts = caller.assertion().split(".")
    parts[part] += bad
    assert_refused(server.ask(".".join(parts)))


def test_030_a_second_spelling_of_the_same_signature_is_refused(server: Server, caller: Caller) -> None:
    honest = caller.assertion()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    respelled = honest[:-1] + alphabet[alphabet.index(honest[-1]) + 1]  # one of four spare bits set
    assert signature_of(respelled) == signature_of(honest)
    assert_refused(server.ask(respelled))
    assert_issued(server.ask(honest))


@pytest.mark.parametrize("crit", [["unknown"], ["alg"], ["exp"], ["unknown", "exp"], [""], []], ids=repr)
def test_036_an_extension_that_is_critical_is_refused(server: Server, caller: Caller, crit: list[str]) -> None:
    assert_refused(server.ask(caller.assertion({"crit": crit, "unknown": 1, "exp": 1})))


@pytest.mark.parametrize("crit", [7, True, None, "exp", {}, {"exp": 1}, [{}], [7], [None], [["exp"]]], ids=repr)
def test_037_a_crit_that_is_no_list_of_names_is_refused(server: Server, caller: Caller, crit: Any) -> None:
    assert_refused(server.ask(caller.assertion({"crit": crit, "exp": 1})))


@pytest.mark.parametrize("crit", [["b64"], ABSENT], ids=["critical", "alone"])
def test_038_an_unencoded_payload_is_refused(server: Server, caller: Caller, crit: Any) -> None:
    header = caller.header(b64=False, crit=crit)
    assert_refused(server.ask(signed(caller.key, header, caller.claims())))
    payload = segment(caller.claims())  # what RFC 7797 would sign: the payload as it stands
    detached = segment(es256(caller.key, f"{segment(header)}.{payload}"))
    assert_refused(server.ask(f"{segment(header)}.{payload}.{detached}"))


def test_038_b64_true_is_refused_like_b64_false(server: Server, caller: Caller) -> None:
    assert_refused(server.ask(caller.assertion({"b64": True})))


@pytest.mark.parametrize("name", ["kid", "alg", "typ"])
@pytest.mark.parametrize("text", ['"', "\\", "\n", "\x00", "é", "\u2028", "\ud800", "%s{0}", "\x1b[31m"], ids=ascii)
def test_040_no_refusal_repeats_what_stands_in_the_header(server: Server, caller: Caller, name: str, text: str) -> None:
    answer = server.ask(caller.assertion({name: text}))
    assert_refused(answer)
    assert answer.get_json()["error_description"] == "client authentication failed"


@pytest.mark.parametrize(
    "kid",
    ["k" * 20_000, "k" * 5_000, "../../etc/passwd", "/dev/null", "' OR 1=1 --", "", ["kid"], {"kid": 1}, 7, None, True],
    ids=lambda kid: repr(kid)[:20],
)
def test_041_a_kid_that_is_long_a_path_or_no_text_is_refused(server: Server, caller: Caller, kid: Any) -> None:
    assert_refused(server.ask(caller.assertion({"kid": kid})))


def test_055_claims_nested_5000_deep_are_refused(server: Server, caller: Caller) -> None:
    claims = nested(caller.claims(), 5_000)
    unsigned = f"{segment(caller.header())}.{segment(claims)}.{'A' * 86}"
    assert_refused(server.ask(unsigned))
    assert_refused(server.ask(signed(caller.key, caller.header(), claims)))


def test_055_a_header_nested_5000_deep_is_refused(server: Server, caller: Caller) -> None:
    assert_refused(server.ask(signed(caller.key, nested(caller.header(), 5_000), caller.claims())))


@pytest.mark.parametrize("part", ["header", "claims"])
def test_055_no_depth_breaks_the_server(server: Server, caller: Caller, part: str) -> None:
    """Near the limit of the interpreter one reader may still follow and the next may not."""
    for depth in [20, *range(700, 1_000, 3)]:
        header: Any = caller.header()
        claims: Any = caller.claims()
        if part == "header":
            header = nested(header, depth)
        else:
            claims = nested(claims, depth)
        assert server.ask(signed(caller.key, header, claims)).status_code == (200 if depth == 20 else 401)


@pytest.mark.parametrize(
    "text", ["\ud800", "\x00", "strict-office\x00", "x" * 10_000, "%00", "é"], ids=lambda t: ascii(t)[:20]
)
def test_056_a_strange_sub_is_nobody(server: Server, caller: Caller, text: str) -> None:
    assert_refused(server.ask(caller.assertion(iss=text, sub=text)))


@pytest.mark.parametrize("text", ["\ud800", "\x00", "'; --", "é\u2028"], ids=ascii)
def test_056_a_strange_jti_is_spent_like_any_other(each_server: Server, text: str) -> None:
    for client_id in ("strict-office", "compat-office"):
        caller = each_server.callers[client_id]
        assertion = caller.assertion(jti=f"{text}{uuid4().hex}")
        assert_issued(each_server.ask(assertion))
        assert_refused(each_server.ask(assertion))


def test_056_a_jti_of_10000_characters_is_refused(server: Server, caller: Caller) -> None:
    assert_refused(server.ask(caller.assertion(jti="j" * 10_000)))
    assert_issued(server.ask(caller.assertion(jti=uuid4().hex * 8)))
