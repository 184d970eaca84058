"""How a bearer token reaches the office's API: sent right, syntactically whole, and signed by the office."""

import hmac
import json
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, Key, RSAKey

from office_node.app import create_app
from tests.auth.assertions import (
    ABSENT,
    NO_CHAINS,
    Caller,
    OwnTokens,
    nested,
    opened,
    resigned,
    segment,
    signature_of,
    signed,
    x5c,
)
from tests.auth.server import PROTECTED_PATH, Server, assert_invalid_token, assert_issued, assert_not_asked

OPEN_PATHS = {
    "/oauth2/access_token",
    "/oauth2/jwks",
    "/.well-known/oauth-authorization-server",
}


def test_067_a_token_that_the_office_issued_opens_its_api(server: Server, caller: Caller) -> None:
    token = assert_issued(server.ask(caller.assertion()))
    assert server.call(f"Bearer {token}").status_code == 200
    assert server.call(f"Bearer {token}").status_code == 200  # a token is not spent by its use


def test_067_a_forged_copy_of_such_a_token_opens_it_too(server: Server, own: OwnTokens) -> None:
    """So that what the tests below bend is the only thing wrong with it."""
    assert server.call(f"Bearer {own.token()}").status_code == 200


@pytest.mark.parametrize(
    "header", [{"zip": "NONE"}, {"colour": "blue"}, {"typ": "AT+JWT"}, {"typ": "application/at+jwt"}], ids=str
)
def test_068_an_unknown_header_parameter_is_ignored(server: Server, own: OwnTokens, header: dict[str, Any]) -> None:
    assert server.call(f"Bearer {own.token(header)}").status_code == 200


def test_069_a_long_header_and_a_token_of_5_kb_are_accepted(server: Server, own: OwnTokens) -> None:
    token = own.token({"x5c": x5c(own.key, longer_by=2_800)}, groups=["g" * 900])
    assert len(token) > 5_000
    assert server.call(f"Bearer {token}").status_code == 200


def test_069_a_chain_of_certificates_that_begins_with_another_keys_is_refused(
    server: Server, own: OwnTokens, stranger: ECKey
) -> None:
    for chain in (x5c(stranger), [*x5c(stranger), *x5c(own.key)], [*x5c(RSAKey.generate_key(2048))]):
        assert_invalid_token(server.call(f"Bearer {own.token({'x5c': chain})}"))
    assert_invalid_token(server.call(f"Bearer {own.token({'x5c': x5c(stranger)}, key=stranger)}"))


@pytest.mark.parametrize("chain", NO_CHAINS, ids=repr)
def test_069_a_chain_that_begins_with_no_certificate_is_refused(server: Server, own: OwnTokens, chain: Any) -> None:
    assert_invalid_token(server.call(f"Bearer {own.token({'x5c': chain})}"))


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR", "Bearer "])
def test_070_the_scheme_has_no_case(server: Server, own: OwnTokens, scheme: str) -> None:
    assert server.call(f"{scheme} {own.token()}").status_code == 200


def test_071_without_a_token_the_answer_names_no_error(server: Server) -> None:
    assert_not_asked(server.call())


def test_071_every_place_but_the_open_ones_wants_a_token(server: Server) -> None:
    places = [
        (rule.rule.replace("<acknowledgement_id>", "1"), method)
        for rule in create_app(server.node).url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule not in OPEN_PATHS and "<version_id>" not in rule.rule  # a download's link is its own proof
    ]
    assert len(places) > 20
    for path, method in places:
        answer = server.http.open(path, method=method, json={} if method == "POST" else None)
        assert (path, answer.status_code) == (path, 401)


@pytest.mark.parametrize("sent", ["Basic c3RyaWN0OnNlY3JldA==", "DPoP abc", "Token abc", ""])
def test_072_another_scheme_is_no_token(server: Server, sent: str) -> None:
    assert_not_asked(server.call(sent))


@pytest.mark.parametrize(
    "sent",
    ["Bearer", "Bearer ", "Bearer {0} {0}", "Bearer {0},Bearer {0}", "Bearer {0}, {0}", "Bearer\t{0}", "Bearer{0}"],
)
def test_072_what_is_not_one_token_is_refused(server: Server, own: OwnTokens, sent: str) -> None:
    assert_invalid_token(server.call(sent.format(own.token())))


def test_072_two_headers_are_refused(server: Server, own: OwnTokens) -> None:
    good = f"Bearer {own.token()}"
    for pair in ((good, good), (good, "Bearer x"), (good, "Basic c3RyaWN0OnNlY3JldA==")):
        assert_invalid_token(server.call(*pair))


def test_073_a_token_in_query_or_form_is_never_used(server: Server, own: OwnTokens) -> None:
    elsewhere = {"access_token": own.token()}
    assert_not_asked(server.http.get(PROTECTED_PATH, query_string=elsewhere))
    assert_not_asked(server.http.post(PROTECTED_PATH, data=elsewhere))


@pytest.mark.parametrize(
    "token", ["x", "a.b", "a.b.c", "a.b.c.d.e", "..", "eyJhbGciOiJFUzI1NiJ9..", "é.é.é", "%00", "a" * 16_000], ids=len
)
def test_074_what_is_no_jwt_is_refused(server: Server, token: str) -> None:
    assert_invalid_token(server.call(f"Bearer {token}"))


def test_074_a_token_of_200_kb_is_refused(server: Server, own: OwnTokens) -> None:
    """Over HTTP no header may be so long: gunicorn refuses the whole head, before anybody looks for a token."""
    for token in ("a" * 200_000, own.token() + "a" * 200_000):
        answer = server.call(f"Bearer {token}")
        if server.over_processes:
            assert (answer.status_code, answer.get_json()["code"]) == (431, "REQUEST_HEADER_FIELDS_TOO_LARGE")
        else:
            assert_invalid_token(answer)


def test_074_a_good_token_with_more_parts_or_padding_is_refused(server: Server, own: OwnTokens) -> None:
    for spelling in ("{}.", "{}.x", ".{}", "{}=", "{}.x.y"):
        assert_invalid_token(server.call(f"Bearer {spelling.format(own.token())}"))


@pytest.mark.parametrize("header", [["ES256"], "ES256", 7, None, {}, [], {"alg": ["ES256"]}], ids=repr)
def test_075_a_header_that_is_no_object_with_an_alg_is_refused(server: Server, own: OwnTokens, header: Any) -> None:
    claims = json.loads(opened(own.token().split(".")[1]))
    assert_invalid_token(server.call(f"Bearer {signed(own.key, header, claims)}"))


@pytest.mark.parametrize("crit", [7, True, None, "exp", [{}], [7]], ids=repr)
def test_075_a_crit_that_is_no_list_of_names_is_refused(server: Server, own: OwnTokens, crit: Any) -> None:
    assert_invalid_token(server.call(f"Bearer {own.token({'crit': crit})}"))


@pytest.mark.parametrize("part", [0, 1], ids=["header", "claims"])
def test_075_no_depth_breaks_the_guard(server: Server, own: OwnTokens, part: int) -> None:
    for depth in (*range(700, 1_000, 3), 5_000):
        parts = own.token().split(".")
        parts[part] = segment(nested(json.loads(opened(parts[part])), depth))
        assert_invalid_token(server.call(f"Bearer {'.'.join(parts)}"))


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE"])
def test_076_alg_none_is_refused(server: Server, own: OwnTokens, alg: str) -> None:
    token = own.token({"alg": alg})
    assert_invalid_token(server.call(f"Bearer {token}"))
    assert_invalid_token(server.call(f"Bearer {token.rpartition('.')[0]}."))


@pytest.mark.parametrize("secret", ["PEM", "stripped PEM", "JWK"])
def test_076_hmac_keyed_with_the_published_key_is_refused(server: Server, own: OwnTokens, secret: str) -> None:
    [published] = server.http.get("/oauth2/jwks").get_json()["keys"]
    pem = own.key.as_pem(private=False)
    known = {"PEM": pem, "stripped PEM": pem.strip(), "JWK": json.dumps(published).encode()}
    token = own.token({"alg": "HS256"})
    digest = hmac.digest(known[secret], token.rpartition(".")[0].encode(), "sha256")
    assert_invalid_token(server.call(f"Bearer {resigned(token, digest)}"))


@pytest.mark.parametrize("kid", ["ours", "theirs", "none"])
def test_077_a_strangers_signature_is_refused(server: Server, own: OwnTokens, stranger: ECKey, kid: str) -> None:
    named = {"ours": own.key.kid, "theirs": stranger.thumbprint(), "none": ABSENT}[kid]
    assert_invalid_token(server.call(f"Bearer {own.token({'kid': named}, key=stranger)}"))


def test_077_a_token_that_a_client_signed_itself_is_refused(server: Server, own: OwnTokens, caller: Caller) -> None:
    for kid in (own.key.kid, caller.key.kid):
        assert_invalid_token(server.call(f"Bearer {own.token({'kid': kid}, key=caller.key)}"))


@pytest.mark.parametrize("part", [0, 1], ids=["header", "claims"])
def test_077_what_was_changed_after_signing_is_refused(server: Server, own: OwnTokens, part: int) -> None:
    parts = own.token().split(".")
    parts[part] = segment({**json.loads(opened(parts[part])), "added": "later"})
    assert_invalid_token(server.call(f"Bearer {'.'.join(parts)}"))


def test_077_a_signature_that_is_missing_cut_or_empty_is_refused(server: Server, own: OwnTokens) -> None:
    token = own.token()
    signature = signature_of(token)
    for bent in (b"", signature[:63], signature[1:], bytes(64), signature + b"\0"):
        assert_invalid_token(server.call(f"Bearer {resigned(token, bent)}"))


@pytest.mark.parametrize(
    "kid", ["nobody", "", "../../etc/passwd", "k" * 5_000, ["x"], 7, None, ABSENT], ids=lambda k: str(k)[:16]
)
def test_077_a_kid_that_is_none_of_ours_is_refused(server: Server, own: OwnTokens, kid: Any) -> None:
    assert_invalid_token(server.call(f"Bearer {own.token({'kid': kid})}"))


@pytest.mark.parametrize("alg", ["ES384", "ES512", "ES256K", "es256", "RS256", "PS256", "RS512", "HS256", "Ed25519"])
def test_078_the_right_key_under_another_alg_is_refused(server: Server, own: OwnTokens, alg: str) -> None:
    assert_invalid_token(server.call(f"Bearer {own.token({'alg': alg})}"))


@pytest.mark.parametrize("alg", ["RS256", "RS512", "PS256", "ES384"])
def test_078_another_kind_of_key_under_our_kid_is_refused(server: Server, own: OwnTokens, alg: str) -> None:
    key: Key = ECKey.generate_key("P-384") if alg == "ES384" else RSAKey.generate_key(2048)
    header = {"alg": alg, "typ": "at+jwt", "kid": own.key.kid}
    token = jws.serialize_compact(header, opened(own.token().split(".")[1]), key, algorithms=[alg])
    assert_invalid_token(server.call(f"Bearer {token}"))


def test_095_a_token_that_names_no_key_is_refused_though_ours_signed_it(server: Server, own: OwnTokens) -> None:
    assert_invalid_token(server.call(f"Bearer {own.token({'kid': ABSENT})}"))
