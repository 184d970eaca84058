"""The authorization server of one office, in this process or as processes, and how its answers are judged."""

import io
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

from werkzeug.test import Client, TestResponse

from office_node.app import create_app
from office_node.auth import keys
from office_node.settings import API_SCOPE
from office_node.storage import schema
from office_node.wiring.node import Node, build_node
from tests.auth.assertions import ABSENT, Caller, OwnTokens
from tests.auth.over_http import OverHttp
from tests.office import Office, eventually, make_office

FORM = "application/x-www-form-urlencoded"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOKEN_PATH = "/oauth2/access_token"
PROTECTED_PATH = "/das-api/v1/requests/retrievals"
OTHER_SCOPE = "das-api/das-access"
NEXT_KID = "2027/next+key="
"""`kid` of the second key of `rolling-office`, in the standard base64 that WIPO uses."""
WORKERS = 4
"""Web processes of an office that runs."""
_BOOTED = re.compile(r"Booting worker with pid: (\d+)")
_DESCRIPTION = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 5.2


@dataclass(frozen=True, slots=True)
class Registration:
    """A client of the settings, and where its keys lie."""

    client_id: str
    profile: Literal["strict", "compat"]
    scopes: list[str]
    private_files: list[Path]
    public_files: list[Path]

    def to_settings(self) -> dict[str, Any]:
        files = [str(file) for file in self.public_files]
        return {
            "client_id": self.client_id,
            "profile": self.profile,
            "public_key_files": files,
            "scopes": self.scopes,
        }

    def caller(self, issuer: str) -> Caller:
        private = tuple(keys.load_private_key(file) for file in self.private_files)
        return Caller(self.client_id, self.profile, private, issuer)


@dataclass(frozen=True, slots=True)
class Server:
    """An office where `strict-office`, `compat-office`, `other-office` and `rolling-office` are registered."""

    office: Office
    node: Node
    """Its parts in this process; where `http` leads to processes, only to look at what they left in the database."""
    http: Client
    """Flask's test client on `node`, or `OverHttp` to the processes of `office`."""
    callers: dict[str, Caller]

    @property
    def over_processes(self) -> bool:
        return isinstance(self.http, OverHttp)

    @property
    def issuer(self) -> str:
        return self.office.url

    @property
    def own_tokens(self) -> OwnTokens:
        """Tokens as the office mints them, with its own key."""
        return OwnTokens(keys.load_private_key(self.office.folder / "keys" / "token_signing.pem"), self.issuer)

    def ask(self, assertion: str, **form: Any) -> TestResponse:
        """An honest token request but for what `form` changes."""
        return self.post(urlencode(token_form(assertion, **form)))

    def post(
        self, body: str | bytes, *, content_type: str = FORM, query: str = "", headers: dict[str, str] | None = None
    ) -> TestResponse:
        """Any body to the token endpoint."""
        return self.http.post(TOKEN_PATH, data=body, content_type=content_type, query_string=query, headers=headers)

    def post_unannounced(self, body: bytes) -> TestResponse:
        """A body to the token endpoint whose length is not told before (in chunks, over HTTP)."""
        unannounced = {"CONTENT_LENGTH": "", "wsgi.input_terminated": True}  # as gunicorn hands on what comes in chunks
        return self.http.post(
            TOKEN_PATH, input_stream=io.BytesIO(body), content_type=FORM, environ_overrides=unannounced
        )

    def call(self, *authorization: str) -> TestResponse:
        """A call on the office's API with these Authorization headers."""
        return self.http.get(PROTECTED_PATH, headers=[("Authorization", value) for value in authorization])


def make_server(
    folder: Path,
    shipped_keys: Path,
    registrations: list[Registration],
    database_url: str | None = None,
    *,
    schema_in_place: bool = True,
    sections: dict[str, dict[str, Any]] | None = None,
    **settings: Any,
) -> Server:
    """A server on an office of its own in `folder`; `settings` go into [authorization_server], `sections` beside it."""
    clients = [registration.to_settings() for registration in registrations]
    own = {"authorization_server": {**settings, "clients": clients}, "web": {"workers": WORKERS}}
    office = make_office(folder, shipped_keys, database_url, {**own, **(sections or {})})
    node = build_node(office.settings())
    if schema_in_place:
        schema.upgrade(node.database)
    callers = {registration.client_id: registration.caller(office.url) for registration in registrations}
    return Server(office, node, create_app(node).test_client(), callers)


def started(server: Server) -> Server:
    """The same office as it runs, gunicorn with `WORKERS` processes answering over HTTP."""
    server.office.start_web()
    eventually(lambda: len(booted_workers(server)) >= WORKERS)
    return replace(server, http=OverHttp(server.office.url))


def booted_workers(server: Server) -> set[int]:
    """The worker processes that gunicorn told it started, and that live."""
    told = (_BOOTED.search(line["event"]) for line in server.office.log_lines())
    return {int(booted[1]) for booted in told if booted and Path(f"/proc/{booted[1]}").exists()}


def make_registrations(folder: Path) -> list[Registration]:
    """The four clients, with new keys in `folder`."""
    return [
        _registration(folder, "strict-office", "strict", [API_SCOPE]),
        _registration(folder, "compat-office", "compat", [API_SCOPE]),
        _registration(folder, "other-office", "strict", [OTHER_SCOPE]),
        _rolling_over(folder, _registration(folder, "rolling-office", "strict", [API_SCOPE, OTHER_SCOPE])),
    ]


def token_form(assertion: str, **changes: Any) -> dict[str, str]:
    """The parameters of an honest token request with `changes`."""
    honest = {"grant_type": "client_credentials", "client_assertion_type": JWT_BEARER, "client_assertion": assertion}
    return {name: value for name, value in {**honest, **changes}.items() if value is not ABSENT}


def assert_refused(answer: TestResponse, error: str = "invalid_client", status: int | None = None) -> None:
    """An error of RFC 6749 5.2, told as the OIDF suite wants every one of them told."""
    expected = status or (401 if error == "invalid_client" else 400)
    told = answer.get_json()
    assert (answer.status_code, told.get("error")) == (expected, error)
    assert answer.mimetype == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert told.keys() == {"error", "error_description"}
    assert _DESCRIPTION.fullmatch(told["error_description"])


def outside(answer: TestResponse) -> tuple[str, bytes, list[tuple[str, str]]]:
    """Everything that a caller sees, header fields in their order; only the time of day may differ."""
    return answer.status, answer.data, [(name, value) for name, value in answer.headers if name != "Date"]


def assert_issued(answer: TestResponse) -> str:
    """A token response; returns the token."""
    told = answer.get_json()
    assert (answer.status_code, told.get("token_type")) == (200, "Bearer")
    token: str = told["access_token"]
    return token


def assert_not_asked(answer: TestResponse) -> None:
    """401 for a call that brought no token: a challenge without an error (RFC 6750 3.1)."""
    assert (answer.status_code, answer.get_json()["code"]) == (401, "UNAUTHORIZED")
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith("Bearer ")
    assert "error" not in challenge


def assert_invalid_token(answer: TestResponse) -> None:
    """401 for a call whose token is not to be trusted; the reason stays in the house."""
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    message = "A valid bearer token is needed"
    assert answer.get_json() == {
        "code": "UNAUTHORIZED",
        "message": None,
        "details": [{"code": -1000, "message": message}],
    }


def assert_insufficient_scope(answer: TestResponse) -> None:
    """403 for a good token that does not reach so far."""
    assert (answer.status_code, answer.get_json()["code"]) == (403, "FORBIDDEN")
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith("Bearer ")
    assert 'error="insufficient_scope"' in challenge
    assert f'scope="{API_SCOPE}"' in challenge


def _registration(
    folder: Path, client_id: str, profile: Literal["strict", "compat"], scopes: list[str]
) -> Registration:
    private, public = folder / f"{client_id}.pem", folder / f"{client_id}-public.pem"
    keys.generate_private_key(private)
    keys.write_public_half(private, public)
    return Registration(client_id, profile, scopes, [private], [public])


def _rolling_over(folder: Path, registration: Registration) -> Registration:
    private, public = folder / "next.pem", folder / "next.jwk"
    keys.generate_private_key(private)
    public.write_text(json.dumps({**keys.load_private_key(private).as_dict(private=False), "kid": NEXT_KID}))
    registration.private_files.append(private)
    registration.public_files.append(public)
    return registration
