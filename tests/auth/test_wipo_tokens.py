"""WIPO's tokens: sent right, syntactically whole, and signed by the key of WIPO's that they name."""

import hmac
import json
from typing import Any

import pytest
from joserfc.jwk import ECKey

from tests.auth.assertions import ABSENT, NO_CHAINS, OwnTokens, nested, opened, resigned, segment, signature_of, x5c
from tests.auth.conftest import Lure
from tests.auth.server import PROTECTED_PATH, Server, assert_invalid_token, assert_not_asked
from tests.auth.wipo_server import ENCRYPTION_KID, KID, WipoTokens, published, rsa_key, wipo_signed


def test_066_a_token_in_the_shape_of_openam_is_accepted(server: Server, wipo_tokens: WipoTokens) -> None:
    token = wipo_tokens.token()
    header, claims, _ = (opened(part) for part in token.split("."))
    assert {"/", "="} <= set(json.loads(header)["kid"])
    assert "client_id" not in json.loads(claims)
    assert isinstance(json.loads(claims)["scope"], list)
    assert server.call(f"Bearer {token}").status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        {"typ": ABSENT},
        {"typ": "jwt"},
        {"typ": "at+jwt"},
        {"typ": "application/AT+JWT"},
        {"zip": "NONE"},
        {"colour": {"deep": [1]}},
        {"x5t": "9f1Z"},
    ],
    ids=str,
)
def test_068_an_unknown_header_parameter_is_ignored(
    server: Server, wipo_tokens: WipoTokens, header: dict[str, Any]
) -> None:
    assert server.call(f"Bearer {wipo_tokens.token(header)}").status_code == 200


def test_069_a_long_header_and_a_token_of_5_kb_are_accepted(server: Server, wipo_tokens: WipoTokens) -> None:
    token = wipo_tokens.token({"x5c": x5c(wipo_tokens.key, longer_by=4_000)}, groups=["g" * 900])
    assert len(token) > 5_000
    assert server.call(f"Bearer {token}").status_code == 200


def test_069_another_keys_certificate_is_refused(server: Server, wipo_tokens: WipoTokens, stranger: ECKey) -> None:
    other = x5c(rsa_key("stranger"))
    for chain in (other, [*other, *x5c(wipo_tokens.key)], x5c(stranger), *NO_CHAINS):
        assert_invalid_token(server.call(f"Bearer {wipo_tokens.token({'x5c': chain})}"))
    assert_invalid_token(server.call(f"Bearer {wipo_tokens.token({'x5c': other}, key=rsa_key('stranger'))}"))


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR", "Bearer "])
def test_070_the_scheme_has_no_case(server: Server, wipo_tokens: WipoTokens, scheme: str) -> None:
    assert server.call(f"{scheme} {wipo_tokens.token()}").status_code == 200


@pytest.mark.parametrize("sent", [(), ("Basic c3RyaWN0OnNlY3JldA==",), ("DPoP {0}",), ("Token {0}",)], ids=str)
def test_071_without_a_token_the_answer_names_no_error(
    server: Server, wipo_tokens: WipoTokens, sent: tuple[str, ...]
) -> None:
    assert_not_asked(server.call(*(header.format(wipo_tokens.token()) for header in sent)))


@pytest.mark.parametrize("sent", ["Bearer", "Bearer {0} {0}", "Bearer {0},Bearer {0}", "Bearer\t{0}", "Bearer{0}"])
def test_072_what_is_not_one_token_is_refused(server: Server, wipo_tokens: WipoTokens, sent: str) -> None:
    assert_invalid_token(server.call(sent.format(wipo_tokens.token())))


def test_072_two_headers_are_refused(server: Server, wipo_tokens: WipoTokens, own: OwnTokens) -> None:
    good = f"Bearer {wipo_tokens.token()}"
    for pair in ((good, good), (good, f"Bearer {own.token()}"), (good, "Basic c3RyaWN0OnNlY3JldA==")):
        assert_invalid_token(server.call(*pair))


def test_073_a_token_in_query_or_form_is_never_used(server: Server, wipo_tokens: WipoTokens) -> None:
    elsewhere = {"access_token": wipo_tokens.token()}
    assert_not_asked(server.http.get(PROTECTED_PATH, query_string=elsewhere))
    assert_not_asked(server.http.post(PROTECTED_PATH, data=elsewhere))


@pytest.mark.parametrize("spelling", ["{}.", "{}.x", ".{}", "{}=", "{}.x.y", "{}é", "x{}", "a.b.c", "a" * 16_000])
def test_074_what_is_no_jwt_is_refused(server: Server, wipo_tokens: WipoTokens, spelling: str) -> None:
    assert_invalid_token(server.call(f"Bearer {spelling.format(wipo_tokens.token())}"))


@pytest.mark.parametrize("header", [["RS256"], "RS256", 7, None, {}, [], {"kid": KID}, {"alg": ["RS256"], "kid": KID}])
def test_075_a_header_that_is_no_object_with_an_alg_is_refused(
    server: Server, wipo_tokens: WipoTokens, header: Any
) -> None:
    assert_invalid_token(server.call(f"Bearer {wipo_signed(wipo_tokens.key, header, wipo_tokens.claims())}"))


@pytest.mark.parametrize("crit", [7, True, None, "exp", [{}], [7]], ids=repr)
def test_075_a_crit_that_is_no_list_of_names_is_refused(server: Server, wipo_tokens: WipoTokens, crit: Any) -> None:
    assert_invalid_token(server.call(f"Bearer {wipo_tokens.token({'crit': crit})}"))


@pytest.mark.parametrize("part", [0, 1], ids=["header", "claims"])
def test_075_no_depth_breaks_the_guard(server: Server, wipo_tokens: WipoTokens, part: int) -> None:
    for depth in (*range(700, 1_000, 30), 5_000):
        parts = wipo_tokens.token().split(".")
        parts[part] = segment(nested(json.loads(opened(parts[part])), depth))
        assert_invalid_token(server.call(f"Bearer {'.'.join(parts)}"))


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE"])
def test_076_alg_none_is_refused(server: Server, wipo_tokens: WipoTokens, alg: str) -> None:
    token = wipo_tokens.token({"alg": alg})
    assert_invalid_token(server.call(f"Bearer {token}"))
    assert_invalid_token(server.call(f"Bearer {token.rpartition('.')[0]}."))


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
@pytest.mark.parametrize("secret", ["PEM", "stripped PEM", "JWK"])
def test_076_hmac_keyed_with_the_published_key_is_refused(
    server: Server, wipo_tokens: WipoTokens, alg: str, secret: str
) -> None:
    pem = wipo_tokens.key.as_pem(private=False)
    jwk = json.dumps(published(wipo_tokens.key, KID)).encode()
    known = {"PEM": pem, "stripped PEM": pem.strip(), "JWK": jwk}
    token = wipo_tokens.token({"alg": alg})
    digest = hmac.digest(known[secret], token.rpartition(".")[0].encode(), f"sha{alg[2:]}")
    assert_invalid_token(server.call(f"Bearer {resigned(token, digest)}"))


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_077_a_strangers_signature_is_refused(
    server: Server, wipo_tokens: WipoTokens, stranger: ECKey, alg: str
) -> None:
    key = stranger if alg == "ES256" else rsa_key("stranger")
    assert_invalid_token(server.call(f"Bearer {wipo_tokens.token({'alg': alg}, key=key)}"))


@pytest.mark.parametrize("part", [0, 1], ids=["header", "claims"])
def test_077_what_was_changed_after_signing_is_refused(server: Server, wipo_tokens: WipoTokens, part: int) -> None:
    parts = wipo_tokens.token().split(".")
    parts[part] = segment({**json.loads(opened(parts[part])), "added": "later"})
    assert_invalid_token(server.call(f"Bearer {'.'.join(parts)}"))


def test_077_a_signature_that_is_missing_cut_or_empty_is_refused(server: Server, wipo_tokens: WipoTokens) -> None:
    token = wipo_tokens.token()
    signature = signature_of(token)
    for bent in (b"", signature[:-1], signature[1:], bytes(256), signature + b"\0", b"\0" + signature):
        assert_invalid_token(server.call(f"Bearer {resigned(token, bent)}"))


@pytest.mark.parametrize("alg", ["RS384", "RS512", "PS256", "PS512", "ES256", "rs256", "RS256 ", "RSA-OAEP-256"])
def test_078_the_right_key_under_another_alg_is_refused(server: Server, wipo_tokens: WipoTokens, alg: str) -> None:
    assert_invalid_token(server.call(f"Bearer {wipo_tokens.token({'alg': alg})}"))


def test_079_the_published_key_for_encryption_signs_nothing(server: Server, wipo_tokens: WipoTokens) -> None:
    encryption = rsa_key("encryption")
    assert_invalid_token(server.call(f"Bearer {wipo_tokens.token({'kid': ENCRYPTION_KID}, key=encryption)}"))
    assert_invalid_token(server.call(f"Bearer {wipo_tokens.token(key=encryption)}"))


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u"])
def test_080_a_key_that_the_token_brings_is_refused_and_not_fetched(
    server: Server, wipo_tokens: WipoTokens, lure: Lure, name: str
) -> None:
    stranger = rsa_key("stranger")
    brought = {name: stranger.as_dict(private=False) if name == "jwk" else lure.url}
    for kid in (KID, stranger.thumbprint(), ABSENT):
        assert_invalid_token(server.call(f"Bearer {wipo_tokens.token({**brought, 'kid': kid}, key=stranger)}"))
    assert_invalid_token(server.call(f"Bearer {wipo_tokens.token(brought)}"))
    assert lure.visits == []


@pytest.mark.parametrize("crit", [["unknown"], ["exp"], ["b64"], []], ids=repr)
def test_081_a_critical_extension_is_refused(server: Server, wipo_tokens: WipoTokens, crit: list[str]) -> None:
    assert_invalid_token(server.call(f"Bearer {wipo_tokens.token({'crit': crit, 'unknown': 1, 'exp': 1})}"))


@pytest.mark.parametrize("crit", [["b64"], ABSENT], ids=["critical", "alone"])
def test_081_an_unencoded_payload_is_refused(server: Server, wipo_tokens: WipoTokens, crit: Any) -> None:
    assert_invalid_token(server.call(f"Bearer {wipo_tokens.token({'b64': False, 'crit': crit})}"))


@pytest.mark.parametrize("kid", [ABSENT, "", None, ["x"], 7, KID[:-1], KID.swapcase(), f" {KID}", "../../etc/passwd"])
def test_095_a_kid_that_names_no_key_letter_by_letter_is_refused(
    server: Server, wipo_tokens: WipoTokens, kid: Any
) -> None:
    assert_invalid_token(server.call(f"Bearer {wipo_tokens.token({'kid': kid})}"))
    assert_invalid_token(server.call(f"Bearer {wipo_tokens.token({'kid': KID.replace('/', '_').rstrip('=')})}"))
