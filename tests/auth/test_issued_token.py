"""What the token endpoint hands out, and what the office publishes so that others can check it."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from office_node.settings import API_SCOPE
from tests.auth.assertions import Caller, opened
from tests.auth.server import TOKEN_PATH, Server, assert_issued

PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


@pytest.fixture
def published(server: Server) -> Any:
    """The key set as anybody gets it."""
    return server.http.get("/oauth2/jwks").get_json()


@pytest.fixture
def token(server: Server, caller: Caller) -> str:
    return assert_issued(server.ask(caller.assertion()))


@pytest.fixture
def header(token: str) -> Any:
    return json.loads(opened(token.split(".", maxsplit=1)[0]))


@pytest.fixture
def claims(token: str) -> Any:
    return json.loads(opened(token.split(".")[1]))


def test_001_a_valid_assertion_gets_a_bearer_token(server: Server, caller: Caller) -> None:
    answer = server.ask(caller.assertion(), scope=API_SCOPE)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert (answer.headers["Cache-Control"], answer.headers["Pragma"]) == ("no-store", "no-cache")
    told = answer.get_json()
    assert told.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert (told["token_type"], told["scope"]) == ("Bearer", API_SCOPE)
    assert type(told["expires_in"]) is int
    assert told["expires_in"] > 0


def test_001_no_refresh_token_comes_along(server: Server, caller: Caller) -> None:
    assert "refresh_token" not in server.ask(caller.assertion()).get_json()


def test_061_the_token_verifies_with_the_published_key_that_its_kid_names(
    token: str, header: Any, claims: Any, published: Any
) -> None:
    [named] = [key for key in published["keys"] if key["kid"] == header["kid"]]
    assert (header["alg"], named["alg"], named["use"], named["kty"]) == ("ES256", "ES256", "sig", "EC")
    assert jwt.decode(token, ECKey.import_key(named), algorithms=["ES256"]).claims == claims
    assert jwt.decode(token, KeySet.import_key_set(published), algorithms=["ES256"]).claims == claims


def test_061_the_token_is_not_signed_with_a_key_of_the_client(header: Any, caller: Caller) -> None:
    assert header["kid"] not in {key.thumbprint() for key in caller.keys}


def test_062_the_token_is_an_access_token_of_rfc_9068(server: Server, caller: Caller, header: Any, claims: Any) -> None:
    assert header.keys() == {"typ", "alg", "kid"}
    assert header["typ"] == "at+jwt"
    assert claims.keys() == {"iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope"}
    assert (claims["iss"], claims["aud"]) == (server.issuer, server.issuer)
    assert (claims["sub"], claims["client_id"], claims["scope"]) == (caller.client_id, caller.client_id, API_SCOPE)


def test_063_the_token_lives_as_long_as_the_answer_says(server: Server, caller: Caller) -> None:
    before = int(time.time())
    answer = server.ask(caller.assertion())
    claims = json.loads(opened(assert_issued(answer).split(".")[1]))
    assert claims["exp"] - claims["iat"] == answer.get_json()["expires_in"] <= 3_600
    assert before <= claims["iat"] <= int(time.time())


def test_063_every_token_has_a_jti_of_its_own(server: Server, caller: Caller) -> None:
    tokens = [assert_issued(server.ask(caller.assertion())) for _ in range(20)]
    ids = {json.loads(opened(token.split(".")[1]))["jti"] for token in tokens}
    assert len(ids) == 20
    assert min(map(len, ids)) >= 32  # RFC 6749 10.10: 128 bits, in hexadecimal


def test_064_only_public_members_are_published_and_every_kid_is_its_own(published: Any) -> None:
    assert published.keys() == {"keys"}
    assert all(not PRIVATE_MEMBERS & key.keys() for key in published["keys"])
    kids = [key["kid"] for key in published["keys"]]
    assert len(set(kids)) == len(kids) > 0


def test_064_the_kid_is_the_thumbprint_of_the_key(published: Any) -> None:
    assert all(key["kid"] == ECKey.import_key(key).thumbprint() for key in published["keys"])


def test_064_the_key_set_is_json_that_may_be_kept_for_a_while(server: Server) -> None:
    answer = server.http.get("/oauth2/jwks")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert "max-age=" in answer.headers["Cache-Control"]


def test_079_no_published_key_is_for_anything_but_es256_signatures(published: Any) -> None:
    assert {(key["kty"], key["crv"], key["use"], key["alg"]) for key in published["keys"]} == {
        ("EC", "P-256", "sig", "ES256")
    }


def test_065_the_metadata_tells_what_the_server_does_and_no_more(server: Server) -> None:
    answer = server.http.get("/.well-known/oauth-authorization-server")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    told = answer.get_json()
    assert told["issuer"] == server.issuer
    assert told["token_endpoint"] == server.issuer + TOKEN_PATH
    assert told["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert told["token_endpoint_auth_signing_alg_values_supported"] == ["ES256"]
    assert told["grant_types_supported"] == ["client_credentials"]
    assert API_SCOPE in told["scopes_supported"]


def test_065_no_weak_method_or_algorithm_stands_in_the_metadata(server: Server) -> None:
    told = server.http.get("/.well-known/oauth-authorization-server").get_json()

    def texts(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list):
            for item in value:
                yield from texts(item)
        else:
            yield str(value)

    weak = [
        text for text in texts(told) if text == "none" or text.startswith(("HS", "client_secret", "RS", "password"))
    ]
    assert weak == []


def test_065_a_client_that_follows_the_metadata_gets_a_token_that_verifies(server: Server, caller: Caller) -> None:
    told = server.http.get("/.well-known/oauth-authorization-server").get_json()
    assert told["token_endpoint"] == caller.token_endpoint
    token = assert_issued(server.ask(caller.assertion(aud=told["issuer"])))
    published = server.http.get(told["jwks_uri"].removeprefix(server.issuer)).get_json()
    assert jwt.decode(token, KeySet.import_key_set(published), algorithms=["ES256"]).claims["iss"] == told["issuer"]
