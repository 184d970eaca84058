"""What a token of WIPO's has to claim before a call reaches its view; every token here is signed well."""

import time
from typing import Any

import pytest
import structlog

from office_node.settings import API_SCOPE
from tests.auth.assertions import ABSENT, Caller, OwnTokens, opened
from tests.auth.server import OTHER_SCOPE, Server, assert_insufficient_scope, assert_invalid_token
from tests.auth.wipo_server import CLIENT_ID, ISSUER, OTHER_CLIENT_ID, WipoTokens, rsa_key, wipo_signed


def with_raw_claim(tokens: WipoTokens, name: str, spelling: str) -> str:
    """A token whose claim `name` is written as `spelling`, which may be more than JSON allows."""
    bent: dict[str, Any] = {name: "@"}
    _, claims, _ = map(opened, tokens.token(**bent).split("."))
    header = {"alg": "RS256", "typ": "JWT", "kid": tokens.kid}
    return wipo_signed(tokens.key, header, claims.replace(b'"@"', spelling.encode()))


@pytest.mark.parametrize(
    "claims",
    [
        {"scope": API_SCOPE},
        {"scope": f"{OTHER_SCOPE} {API_SCOPE}"},
        {"scope": [OTHER_SCOPE, API_SCOPE]},
        {"aud": ["https://x.org", CLIENT_ID]},
        {"aud": OTHER_CLIENT_ID},
        {"sub": OTHER_CLIENT_ID},
        {"nbf": ABSENT, "realm": ABSENT, "cts": ABSENT, "iat": ABSENT, "tokenName": ABSENT, "jti": ABSENT},
        {"colour": {"deep": [None]}, "client_id": "whatever"},
    ],
    ids=str,
)
def test_067_variants_of_an_honest_token_are_accepted(
    server: Server, wipo_tokens: WipoTokens, claims: dict[str, Any]
) -> None:
    assert server.call(f"Bearer {wipo_tokens.token(**claims)}").status_code == 200


def test_067_fractions_of_seconds_are_accepted(server: Server, wipo_tokens: WipoTokens) -> None:
    now = time.time()
    token = wipo_tokens.token(exp=now + 60.5, iat=now - 0.5, nbf=now - 0.5)
    assert server.call(f"Bearer {token}").status_code == 200


@pytest.mark.parametrize("claims", [{"exp": -55}, {"nbf": 50}, {"iat": 50}], ids=str)
def test_082_clocks_may_differ_by_nearly_a_minute(
    server: Server, wipo_tokens: WipoTokens, claims: dict[str, int]
) -> None:
    bent: dict[str, Any] = {name: int(time.time()) + seconds for name, seconds in claims.items()}
    assert server.call(f"Bearer {wipo_tokens.token(**bent)}").status_code == 200


@pytest.mark.parametrize("claims", [{"exp": -61}, {"exp": -86_400}, {"nbf": 70}, {"iat": 70}, {"nbf": 3_600}], ids=str)
def test_082_a_token_of_another_time_is_refused(
    server: Server, wipo_tokens: WipoTokens, claims: dict[str, int]
) -> None:
    bent: dict[str, Any] = {name: int(time.time()) + seconds for name, seconds in claims.items()}
    assert_invalid_token(server.call(f"Bearer {wipo_tokens.token(**bent)}"))


def test_082_a_token_without_exp_is_refused(server: Server, wipo_tokens: WipoTokens) -> None:
    assert_invalid_token(server.call(f"Bearer {wipo_tokens.token(exp=ABSENT)}"))


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("spelling", ['"{}"', "true", "null", "[{}]", "NaN", "Infinity", "1e400", "9" * 5_000], ids=len)
def test_082_a_time_that_is_no_number_is_refused(
    server: Server, wipo_tokens: WipoTokens, name: str, spelling: str
) -> None:
    token = with_raw_claim(wipo_tokens, name, spelling.format(int(time.time()) + 30))
    assert_invalid_token(server.call(f"Bearer {token}"))


@pytest.mark.parametrize(
    "issuer",
    [
        ISSUER + "/",
        ISSUER.replace(":443", ""),
        ISSUER.upper(),
        ISSUER[:-1],
        "https://as.example.org",
        "",
        ABSENT,
        [ISSUER],
        {ISSUER: 1},
        None,
        7,
    ],
    ids=str,
)
def test_083_another_issuer_is_refused(server: Server, wipo_tokens: WipoTokens, issuer: Any) -> None:
    assert_invalid_token(server.call(f"Bearer {wipo_tokens.token(iss=issuer)}"))


def test_083_the_issuer_decides_whose_key_counts(server: Server, wipo_tokens: WipoTokens, own: OwnTokens) -> None:
    """Whole tokens of either side, each under the other's name."""
    assert_invalid_token(server.call(f"Bearer {wipo_tokens.token(iss=server.issuer)}"))
    assert_invalid_token(server.call(f"Bearer {wipo_tokens.token(iss=server.issuer, aud=server.issuer)}"))
    assert_invalid_token(server.call(f"Bearer {own.token(iss=ISSUER)}"))
    assert_invalid_token(server.call(f"Bearer {own.token(iss=ISSUER, sub=CLIENT_ID, aud=CLIENT_ID)}"))


@pytest.mark.parametrize(
    "audience",
    [
        ABSENT,
        "das-ib-yy-api-id",
        CLIENT_ID[:-1],
        CLIENT_ID + "x",
        CLIENT_ID.upper(),
        "",
        [],
        ["das-ib-yy-api-id"],
        [[CLIENT_ID]],
        {CLIENT_ID: 1},
        [{}],
        None,
        7,
        True,
    ],
    ids=str,
)
def test_084_another_audience_is_refused(server: Server, wipo_tokens: WipoTokens, audience: Any) -> None:
    assert_invalid_token(server.call(f"Bearer {wipo_tokens.token(aud=audience)}"))


def test_084_the_audience_of_our_own_tokens_does_not_count(server: Server, wipo_tokens: WipoTokens) -> None:
    assert_invalid_token(server.call(f"Bearer {wipo_tokens.token(aud=server.issuer)}"))


@pytest.mark.parametrize(
    "sub",
    [
        ABSENT,
        "nobody",
        CLIENT_ID.upper(),
        f"{CLIENT_ID} ",
        f"(age!{CLIENT_ID})",
        "\ud800",
        "",
        [CLIENT_ID],
        {CLIENT_ID: 1},
        [],
        None,
        7,
        True,
    ],
    ids=ascii,
)
def test_085_a_sub_that_is_not_on_the_list_is_refused(server: Server, wipo_tokens: WipoTokens, sub: Any) -> None:
    assert_invalid_token(server.call(f"Bearer {wipo_tokens.token(sub=sub, client_id=CLIENT_ID)}"))


def test_085_a_client_of_our_own_server_is_none_of_wipos(server: Server, wipo_tokens: WipoTokens) -> None:
    assert_invalid_token(server.call(f"Bearer {wipo_tokens.token(sub='strict-office')}"))


@pytest.mark.parametrize(
    "scope",
    [
        ABSENT,
        "",
        None,
        OTHER_SCOPE,
        f"{API_SCOPE}s",
        API_SCOPE[:-1],
        API_SCOPE.upper(),
        f"{API_SCOPE},{OTHER_SCOPE}",
        [],
        [OTHER_SCOPE],
        [f"{OTHER_SCOPE} {API_SCOPE}"],
    ],
    ids=str,
)
def test_086_a_token_without_the_scope_is_told_which_it_needs(
    server: Server, wipo_tokens: WipoTokens, scope: Any
) -> None:
    assert_insufficient_scope(server.call(f"Bearer {wipo_tokens.token(scope=scope)}"))


def test_086_a_strangers_token_without_the_scope_is_not_told_so(server: Server, wipo_tokens: WipoTokens) -> None:
    assert_invalid_token(server.call(f"Bearer {wipo_tokens.token(scope=[], key=rsa_key('stranger'))}"))


@pytest.mark.parametrize(
    "scope", [7, 0, 1.5, True, {}, {API_SCOPE: True}, [[API_SCOPE]], [API_SCOPE, 7], [API_SCOPE, None], [{}]], ids=str
)
def test_087_a_scope_of_another_type_is_refused(server: Server, wipo_tokens: WipoTokens, scope: Any) -> None:
    assert_invalid_token(server.call(f"Bearer {wipo_tokens.token(scope=scope)}"))


@pytest.mark.parametrize("name", ["refresh_token", "id_token", "Access_Token", "", None, ["access_token"], 7], ids=str)
def test_088_openams_other_tokens_are_refused(server: Server, wipo_tokens: WipoTokens, name: Any) -> None:
    assert_invalid_token(server.call(f"Bearer {wipo_tokens.token(tokenName=name)}"))


@pytest.mark.parametrize("typ", ["", "logout+jwt", "id_token", "at+jwt ", "JOSE", ["JWT"], None, 7], ids=str)
def test_088_a_token_of_another_kind_is_refused(server: Server, wipo_tokens: WipoTokens, typ: Any) -> None:
    assert_invalid_token(server.call(f"Bearer {wipo_tokens.token({'typ': typ})}"))


def test_088_a_client_assertion_is_no_token_of_wipos(server: Server, caller: Caller) -> None:
    assert_invalid_token(server.call(f"Bearer {caller.assertion(iss=ISSUER)}"))


def test_no_token_of_wipos_stands_in_the_log(server_in_process: Server, wipo_tokens: WipoTokens) -> None:
    bent: list[dict[str, Any]] = [{"exp": 1}, {"scope": "x"}, {"aud": "x"}, {"sub": "x"}, {"iss": "x"}]
    tokens = [wipo_tokens.token(), wipo_tokens.token()[:-2], *(wipo_tokens.token(**claims) for claims in bent)]
    with structlog.testing.capture_logs() as lines:
        for token in tokens:
            server_in_process.call(f"Bearer {token}")
    assert [line["event"] for line in lines].count("token refused") == 6
    assert all(part not in repr(lines) for token in tokens for part in token.split("."))
