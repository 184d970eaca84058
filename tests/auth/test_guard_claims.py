"""What a bearer token of the office has to claim before a call reaches its view; every token here is signed well."""

import json
import time
from typing import Any

import pytest
import structlog
import time_machine
from joserfc.jwk import ECKey

from office_node.settings import API_SCOPE
from tests.auth.assertions import ABSENT, Caller, OwnTokens, opened, signed
from tests.auth.conftest import Lure
from tests.auth.server import (
    OTHER_SCOPE,
    Server,
    assert_insufficient_scope,
    assert_invalid_token,
    assert_issued,
)


def with_raw_claim(own: OwnTokens, name: str, spelling: str) -> str:
    """A token whose claim `name` is written as `spelling`, which may be more than JSON allows."""
    bent: dict[str, Any] = {name: "@"}
    header, claims, _ = map(opened, own.token(**bent).split("."))
    return signed(own.key, header, claims.replace(b'"@"', spelling.encode()))


@pytest.mark.parametrize(
    "claims",
    [
        {"scope": f"{OTHER_SCOPE} {API_SCOPE}"},
        {"scope": [API_SCOPE]},
        {"scope": [OTHER_SCOPE, API_SCOPE]},
        {"nbf": 1},
        {"iat": ABSENT, "jti": ABSENT},
        {"colour": {"deep": [None]}},
    ],
    ids=str,
)
def test_067_scope_as_text_or_list_and_unknown_claims_are_accepted(
    server: Server, own: OwnTokens, claims: dict[str, Any]
) -> None:
    assert server.call(f"Bearer {own.token(**claims)}").status_code == 200


def test_067_an_audience_list_with_us_in_it_is_accepted(server: Server, own: OwnTokens) -> None:
    assert server.call(f"Bearer {own.token(aud=['https://x.org', own.issuer])}").status_code == 200


def test_067_fractions_of_seconds_are_accepted(server: Server, own: OwnTokens) -> None:
    now = time.time()
    assert server.call(f"Bearer {own.token(exp=now + 60.5, iat=now - 0.5, nbf=now - 0.5)}").status_code == 200


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u"])
def test_080_a_key_that_the_token_brings_is_refused_and_not_fetched(
    server: Server, own: OwnTokens, stranger: ECKey, lure: Lure, name: str
) -> None:
    brought = {name: stranger.as_dict(private=False) if name == "jwk" else lure.url}
    for kid in (own.key.kid, stranger.thumbprint(), ABSENT):
        assert_invalid_token(server.call(f"Bearer {own.token({**brought, 'kid': kid}, key=stranger)}"))
    assert_invalid_token(server.call(f"Bearer {own.token(brought)}"))
    assert lure.visits == []


@pytest.mark.parametrize("crit", [["unknown"], ["exp"], ["b64"], []], ids=repr)
def test_081_a_critical_extension_is_refused(server: Server, own: OwnTokens, crit: list[str]) -> None:
    assert_invalid_token(server.call(f"Bearer {own.token({'crit': crit, 'unknown': 1, 'exp': 1})}"))


@pytest.mark.parametrize("crit", [["b64"], ABSENT], ids=["critical", "alone"])
def test_081_an_unencoded_payload_is_refused(server: Server, own: OwnTokens, crit: Any) -> None:
    assert_invalid_token(server.call(f"Bearer {own.token({'b64': False, 'crit': crit})}"))


def test_082_a_token_ends_with_its_exp_and_a_minute_for_clocks_that_differ(
    server_in_process: Server, caller: Caller
) -> None:
    with time_machine.travel("2026-11-02T10:00:00Z", tick=False) as clock:
        answer = server_in_process.ask(caller.assertion())
        token = assert_issued(answer)
        clock.shift(answer.get_json()["expires_in"] + 59)
        assert server_in_process.call(f"Bearer {token}").status_code == 200
        clock.shift(2)
        assert_invalid_token(server_in_process.call(f"Bearer {token}"))


def test_082_a_token_that_expired_within_the_last_minute_is_accepted(server: Server, own: OwnTokens) -> None:
    """Over processes too, whose clock stands still for nobody: so not to the second, as the test above asks."""
    assert server.call(f"Bearer {own.token(exp=int(time.time()) - 30)}").status_code == 200


@pytest.mark.parametrize("seconds", [70, 120, 86_400])
def test_082_an_expired_token_is_refused(server: Server, own: OwnTokens, seconds: int) -> None:
    assert_invalid_token(server.call(f"Bearer {own.token(exp=int(time.time()) - seconds)}"))


def test_082_a_token_without_exp_is_refused(server: Server, own: OwnTokens) -> None:
    assert_invalid_token(server.call(f"Bearer {own.token(exp=ABSENT)}"))


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("spelling", ['"{}"', "true", "null", "[{}]", "NaN", "Infinity", "1e400", "9" * 5_000], ids=len)
def test_082_a_time_that_is_no_number_is_refused(server: Server, own: OwnTokens, name: str, spelling: str) -> None:
    assert_invalid_token(server.call(f"Bearer {with_raw_claim(own, name, spelling.format(int(time.time()) + 30))}"))


@pytest.mark.parametrize("name", ["nbf", "iat"])
def test_082_a_token_for_later_is_refused(server: Server, own: OwnTokens, name: str) -> None:
    later = int(time.time()) + 3_600
    bent: dict[str, Any] = {name: later, "exp": later + 900}
    assert_invalid_token(server.call(f"Bearer {own.token(**bent)}"))


@pytest.mark.parametrize("shape", ["{}/", "{}.example.org", "{}:443", "HTTP{}", "https://as.example.org", ""])
def test_083_another_issuer_is_refused(server: Server, own: OwnTokens, shape: str) -> None:
    tail = own.issuer.removeprefix("http") if shape.startswith("HTTP") else own.issuer
    assert_invalid_token(server.call(f"Bearer {own.token(iss=shape.format(tail))}"))


@pytest.mark.parametrize("shape", ["missing", "array", "object", "null", "number"])
def test_083_an_issuer_that_is_no_text_is_refused(server: Server, own: OwnTokens, shape: str) -> None:
    us = own.issuer
    value = {"missing": ABSENT, "array": [us], "object": {us: us}, "null": None, "number": 7}[shape]
    assert_invalid_token(server.call(f"Bearer {own.token(iss=value)}"))


@pytest.mark.parametrize("shape", ["{}/", "{}.example.org", "{}/oauth2/access_token", "strict-office", ""])
def test_084_another_audience_is_refused(server: Server, own: OwnTokens, shape: str) -> None:
    named = shape.format(own.issuer)
    for audience in (named, [named], own.issuer[:-1], own.issuer.upper()):
        assert_invalid_token(server.call(f"Bearer {own.token(aud=audience)}"))


@pytest.mark.parametrize("shape", ["missing", "object", "null", "number", "true", "empty array", "nested array"])
def test_084_an_audience_of_another_type_is_refused(server: Server, own: OwnTokens, shape: str) -> None:
    us = own.issuer
    values = {"missing": ABSENT, "object": {us: us}, "null": None, "number": 7, "true": True, "empty array": []}
    assert_invalid_token(server.call(f"Bearer {own.token(aud=values.get(shape, [[us]]))}"))


@pytest.mark.parametrize("sub", ["nobody", "STRICT-OFFICE", "strict-office ", "\ud800", "", ABSENT], ids=ascii)
def test_085_a_sub_that_is_not_on_the_list_is_refused(server: Server, own: OwnTokens, sub: Any) -> None:
    assert_invalid_token(server.call(f"Bearer {own.token(sub=sub)}"))


@pytest.mark.parametrize("sub", [["strict-office"], {"strict-office": 1}, [], None, 7, True], ids=str)
def test_085_a_sub_that_is_no_text_is_refused(server: Server, own: OwnTokens, sub: Any) -> None:
    assert_invalid_token(server.call(f"Bearer {own.token(sub=sub)}"))


@pytest.mark.parametrize(
    "scope",
    [
        ABSENT,
        "",
        OTHER_SCOPE,
        f"{API_SCOPE}s",
        API_SCOPE[:-1],
        API_SCOPE.partition("/")[0],
        API_SCOPE.upper(),
        f"{API_SCOPE},{OTHER_SCOPE}",
        [],
        [OTHER_SCOPE],
        [f"{OTHER_SCOPE} {API_SCOPE}"],
    ],
    ids=str,
)
def test_086_a_token_without_the_scope_is_told_which_it_needs(server: Server, own: OwnTokens, scope: Any) -> None:
    assert_insufficient_scope(server.call(f"Bearer {own.token(scope=scope)}"))


def test_086_a_client_that_may_have_another_scope_only_does_not_get_in(server: Server) -> None:
    token = assert_issued(server.ask(server.callers["other-office"].assertion()))
    assert_insufficient_scope(server.call(f"Bearer {token}"))


def test_087_a_scope_of_null_is_no_scope(server: Server, own: OwnTokens) -> None:
    assert_insufficient_scope(server.call(f"Bearer {own.token(scope=None)}"))


@pytest.mark.parametrize(
    "scope", [7, 0, 1.5, True, {}, {API_SCOPE: True}, [[API_SCOPE]], [API_SCOPE, 7], [API_SCOPE, None], [{}]], ids=str
)
def test_087_a_scope_of_another_type_is_refused(server: Server, own: OwnTokens, scope: Any) -> None:
    assert_invalid_token(server.call(f"Bearer {own.token(scope=scope)}"))


@pytest.mark.parametrize("typ", [ABSENT, "", "JWT", "logout+jwt", "id_token", "at+jwt ", ["at+jwt"], None, 7], ids=str)
def test_088_a_token_of_another_kind_is_refused(server: Server, own: OwnTokens, typ: Any) -> None:
    assert_invalid_token(server.call(f"Bearer {own.token({'typ': typ})}"))


def test_088_a_client_assertion_is_no_access_token(server: Server, caller: Caller) -> None:
    assertion = caller.assertion()
    assert_invalid_token(server.call(f"Bearer {assertion}"))
    assert_issued(server.ask(assertion))  # nor is it spent by the try


def test_088_claims_that_are_no_object_are_refused(server: Server, own: OwnTokens) -> None:
    header, claims = (json.loads(opened(part)) for part in own.token().split(".")[:2])
    for bent in ([claims], json.dumps(claims), None, b"not JSON", b"\xff"):
        assert_invalid_token(server.call(f"Bearer {signed(own.key, header, bent)}"))


def test_no_token_stands_in_the_log(server_in_process: Server, own: OwnTokens, stranger: ECKey) -> None:
    tokens = [own.token(), own.token(key=stranger), own.token(exp=1), own.token(scope="x"), own.token()[:-2]]
    with structlog.testing.capture_logs() as lines:
        for token in tokens:
            server_in_process.call(f"Bearer {token}")
    assert [line["event"] for line in lines].count("token refused") == 4
    assert all(part not in repr(lines) for token in tokens for part in token.split("."))
