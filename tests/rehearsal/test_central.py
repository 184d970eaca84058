"""Simulated WIPO has the shape of WIPO's: its tokens, its keys, its refusals, and an honest ledger."""

import base64
import hashlib
import time
from typing import Any

import pytest
from cryptography import x509
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from office_node.rehearsal.central import TOKEN_PATH, Central, CentralSettings
from office_node.rehearsal.routes import create_app
from office_node.rehearsal.wipos_places import JWKS_PATH

OFFICE_KEY = ECKey.generate_key("P-256")
URL = "http://127.0.0.1:8190"


def make_central(**settings: Any) -> Central:
    """Simulated WIPO on addresses that nobody listens on."""
    return Central(
        CentralSettings(
            public_url=URL,
            office_url="http://127.0.0.1:8180",
            wipo_client_id="wipo-das",
            wipo_key=ECKey.generate_key("P-256"),
            office_client_id="das-xx-office",
            office_public_keys=(OFFICE_KEY,),
            scope="das-api/office-exchange",
            **settings,
        )
    )


@pytest.fixture
def central() -> Central:
    return make_central()


@pytest.fixture
def http(central: Central) -> FlaskClient:
    return create_app(central).test_client()


def test_its_token_has_the_shape_of_openams(central: Central, http: FlaskClient) -> None:
    answer = http.post(TOKEN_PATH, data=_form(_assertion()))
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json | {"access_token": ""} == {
        "access_token": "",
        "scope": "das-api/office-exchange",
        "token_type": "Bearer",
        "expires_in": 3599,
    }
    keys = KeySet.import_key_set(http.get(JWKS_PATH).json)  # type: ignore[arg-type]
    token = jwt.decode(answer.json["access_token"], keys, algorithms=["RS256"])
    assert set("/+=") <= set(token.header["kid"])
    assert token.claims["aud"] == token.claims["sub"] == "das-xx-office"
    assert token.claims["scope"] == ["das-api/office-exchange"]
    assert token.claims["iss"] == f"{URL}/am/oauth2" == central.tokens.issuer
    assert token.claims["exp"] - token.claims["iat"] == token.claims["expires_in"] == 3600
    assert (token.claims["tokenName"], "client_id" in token.claims) == ("access_token", False)


def test_it_publishes_no_private_member(http: FlaskClient) -> None:
    answer = http.get(JWKS_PATH).json
    assert answer is not None
    public = {"kty", "n", "e", "kid", "use", "alg", "x5t", "x5c"}
    assert [(set(key), key["use"]) for key in answer["keys"]] == [(public, "sig"), (public, "enc")]


def test_its_certificate_and_thumbprint_are_those_of_its_key(central: Central, http: FlaskClient) -> None:
    for member, key in zip(
        http.get(JWKS_PATH).json["keys"],  # type: ignore[index]
        (central.tokens.signing_key, central.tokens.encryption_key),
        strict=True,
    ):
        der = base64.b64decode(member["x5c"][0])
        assert x509.load_der_x509_certificate(der).public_key() == key.public_key
        digest = base64.urlsafe_b64encode(hashlib.sha1(der).digest()).decode().rstrip("=")
        assert member["x5t"] == digest


@pytest.mark.parametrize(
    "claims",
    [{"iss": "x"}, {"sub": "x"}, {"aud": "x"}, {"exp": 1}, {"exp": None}],
    ids=lambda claims: "wrong " + next(iter(claims)),
)
def test_it_refuses_an_assertion_that_is_not_the_offices(http: FlaskClient, claims: dict[str, Any]) -> None:
    answer = http.post(TOKEN_PATH, data=_form(_assertion(**claims)))
    assert (answer.status_code, answer.json) == (401, {"error": "invalid_client"})


def test_it_refuses_a_strangers_signature(http: FlaskClient) -> None:
    answer = http.post(TOKEN_PATH, data=_form(_assertion(key=ECKey.generate_key("P-256"))))
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("change", "error"),
    [({"grant_type": "password"}, "invalid_request"), ({"scope": "das-api/das-access"}, "invalid_scope")],
)
def test_it_refuses_another_grant_or_scope(http: FlaskClient, change: dict[str, str], error: str) -> None:
    answer = http.post(TOKEN_PATH, data=_form(_assertion()) | change)
    assert (answer.status_code, answer.json) == (400, {"error": error})


@pytest.mark.parametrize("prefix", ["/das-api/v1", "/das/v1"])
def test_a_repeated_notification_has_one_effect(central: Central, http: FlaskClient, prefix: str) -> None:
    for _ in range(3):
        assert _notify(http, {"requestAckId": "B1"}, prefix=prefix).status_code == 204
    [entry] = central.ledger.entries()
    assert (entry["key"], entry["times"]) == ("B1", 3)


def test_a_notification_without_token_or_id_has_no_effect(central: Central, http: FlaskClient) -> None:
    assert _notify(http, {"requestAckId": "B1"}, token="eyJ.x.y").status_code == 401
    assert _notify(http, {}).status_code == 400
    assert _notify(http, []).status_code == 400
    assert central.ledger.entries() == []


def test_it_answers_what_it_was_told_to_then_as_usual(central: Central, http: FlaskClient) -> None:
    http.post(
        "/rehearsal/next-answers", json=[{"status": 503, "retry_after": 7}, {"status": 500, "after_effect": True}]
    )
    busy = _notify(http, {"requestAckId": "B1"})
    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "7")
    assert central.ledger.entries() == []
    assert _notify(http, {"requestAckId": "B1"}).status_code == 500
    assert len(central.ledger.entries()) == 1
    assert _notify(http, {"requestAckId": "B1"}).status_code == 204


def _assertion(key: ECKey = OFFICE_KEY, **claims: Any) -> str:
    good = {"iss": "das-xx-office", "sub": "das-xx-office", "aud": URL + TOKEN_PATH, "exp": int(time.time()) + 60}
    return jwt.encode({"alg": "ES256"}, good | claims, key, algorithms=["ES256"])


def _form(assertion: str) -> dict[str, str]:
    return {
        "grant_type": "client_credentials",
        "scope": "das-api/office-exchange",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
    }


def _notify(http: FlaskClient, body: Any, *, prefix: str = "/das-api/v1", token: str | None = None) -> Any:
    if token is None:
        answer = http.post(TOKEN_PATH, data=_form(_assertion())).json
        token = (answer or {})["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    return http.post(f"{prefix}/requests/notifications", json=body, headers=headers)
