"""Simulated WIPO: token endpoint and JWKS in the shape of its OpenAM, notifications, and a ledger of effects.

Sources: protocol.md 2.2 to 2.4, E13, E19. Beside WIPO's own places it has three for the rehearsing office, under
/rehearsal: the ledger, what to answer next, and a sign of life.
"""

import signal
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from flask import Flask, Response, jsonify, request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from werkzeug.serving import WSGIRequestHandler, make_server

from office_node.rehearsal.ledger import Ledger

TOKEN_PATH = "/am/oauth2/access_token"  # noqa: S105  a path, not a password
JWKS_PATH = "/am/oauth2/connect/jwk_uri"
_ISSUER_PATH = "/am/oauth2"
_PREFIXES = ("/das-api/v1/requests", "/das/v1/requests")
_TOKEN_SECONDS = 3600
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ID_MEMBERS = ("requestAckId", "osfAckId", "offAckId", "ackId")


@dataclass(frozen=True, slots=True)
class CentralSettings:
    """Who simulated WIPO is, and which office it knows."""

    public_url: str
    office_client_id: str
    office_public_key: ECKey
    scope: str


class Central:
    """The state of simulated WIPO; gone when it stops."""

    def __init__(self, settings: CentralSettings) -> None:
        self.settings = settings
        self.issuer = settings.public_url + _ISSUER_PATH
        self.ledger = Ledger()
        # WIPO's kids hold characters that a careless peer would escape.
        self.signing_key = RSAKey.generate_key(2048, {"kid": "rehearsal/kid+1=", "use": "sig", "alg": "RS256"})
        self._next_answers: deque[dict[str, Any]] = deque()
        self._lock = threading.Lock()

    def script(self, answers: list[dict[str, Any]]) -> None:
        """What the next notifications are answered, one each: `status`, `retry_after`, `hold_seconds`,
        `after_effect` (whether the effect happens first)."""
        with self._lock:
            self._next_answers.extend(answers)

    def next_answer(self) -> dict[str, Any]:
        """The scripted answer that is due, else none."""
        with self._lock:
            return self._next_answers.popleft() if self._next_answers else {}

    def authenticate(self, assertion: str) -> str | None:
        """The office's client id, if the assertion is the office's (RFC 7523 3)."""
        try:
            claims = jwt.decode(assertion, self.settings.office_public_key, algorithms=["ES256"]).claims
        except (JoseError, ValueError):
            return None
        client_id = self.settings.office_client_id
        audience = claims.get("aud")
        good = (
            claims.get("iss") == client_id
            and claims.get("sub") == client_id
            and audience in (self.settings.public_url + TOKEN_PATH, [self.settings.public_url + TOKEN_PATH])
            and isinstance(claims.get("exp"), int | float)
            and claims["exp"] > time.time()
        )
        return client_id if good else None

    def mint(self, client_id: str) -> str:
        """An access token in the shape of WIPO's OpenAM (protocol.md 2.4)."""
        now = int(time.time())
        claims = {
            "sub": client_id,
            "cts": "OAUTH2_STATELESS_GRANT",
            "auditTrackingId": f"{uuid4()}-1",
            "iss": self.issuer,
            "tokenName": "access_token",
            "token_type": "Bearer",
            "authGrantId": uuid4().hex,
            "aud": client_id,
            "nbf": now,
            "grant_type": "client_credentials",
            "scope": [self.settings.scope],
            "auth_time": now,
            "realm": "/",
            "exp": now + _TOKEN_SECONDS,
            "iat": now,
            "expires_in": _TOKEN_SECONDS,
            "jti": uuid4().hex,
        }
        header = {"typ": "JWT", "kid": self.signing_key.kid, "alg": "RS256"}
        return jwt.encode(header, claims, self.signing_key, algorithms=["RS256"])

    def knows(self, authorization: str) -> bool:
        """Whether the header carries a token of ours that still lives."""
        try:
            token = jwt.decode(authorization.removeprefix("Bearer "), self.signing_key, algorithms=["RS256"])
        except (JoseError, ValueError):
            return False
        return token.claims["exp"] > time.time() and self.settings.scope in token.claims["scope"]


def create_app(central: Central) -> Flask:
    """Simulated WIPO as a WSGI application."""
    app = Flask("office_node.rehearsal", static_folder=None)

    @app.post(TOKEN_PATH)
    def issue_token() -> tuple[Response, int]:
        form = request.form
        if form.get("grant_type") != "client_credentials" or form.get("client_assertion_type") != _ASSERTION_TYPE:
            return jsonify({"error": "invalid_request"}), 400
        client_id = central.authenticate(form.get("client_assertion", ""))
        if client_id is None:
            return jsonify({"error": "invalid_client"}), 401
        if form.get("scope", central.settings.scope) != central.settings.scope:
            return jsonify({"error": "invalid_scope"}), 400
        answer = {
            "access_token": central.mint(client_id),
            "scope": central.settings.scope,
            "token_type": "Bearer",
            "expires_in": _TOKEN_SECONDS - 1,
        }
        return jsonify(answer), 200

    @app.get(JWKS_PATH)
    def publish_keys() -> Response:
        return jsonify({"keys": [central.signing_key.as_dict(private=False)]})

    for prefix in _PREFIXES:
        app.add_url_rule(f"{prefix}/notifications", f"notify {prefix}", lambda: _notify(central), methods=["POST"])

    @app.get("/rehearsal/ledger")
    def show_ledger() -> Response:
        return jsonify(central.ledger.entries())

    @app.post("/rehearsal/next-answers")
    def script() -> tuple[str, int]:
        central.script(request.get_json())
        return "", 204

    @app.get("/rehearsal/alive")
    def live() -> Response:
        return jsonify({"issuer": central.issuer, "kid": central.signing_key.kid})

    return app


def serve(central: Central, host: str, port: int) -> None:
    """Serve until interrupted."""
    server = make_server(host, port, create_app(central), threaded=True, request_handler=_Quiet)
    # shutdown() waits for serve_forever(), which a signal handler interrupts: so from another thread.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.1)


class _Quiet(WSGIRequestHandler):
    """No access log: its lines would hold whatever a query holds."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def _notify(central: Central) -> Response:
    """E13 from an office: 204, or what was scripted."""
    if not central.knows(request.headers.get("Authorization", "")):
        return _failure(401, "UNAUTHORIZED", "no valid token")
    notification = request.get_json(silent=True)
    if not isinstance(notification, dict) or not any(notification.get(name) for name in _ID_MEMBERS):
        return _failure(400, "INVALID_INPUT_DATA", "requestAckId: missing")
    scripted = central.next_answer()
    status = int(scripted.get("status", 204))
    if status < 300 or scripted.get("after_effect"):
        key = next(str(notification[name]) for name in _ID_MEMBERS if notification.get(name))
        central.ledger.record("notified", key, {"notification": notification})
    time.sleep(float(scripted.get("hold_seconds", 0)))
    if status < 300:
        return Response(status=status)
    answer = _failure(status, "INVALID_INPUT_DATA", "scripted")
    if "retry_after" in scripted:
        answer.headers["Retry-After"] = str(scripted["retry_after"])
    return answer


def _failure(status: int, code: str, message: str) -> Response:
    answer = jsonify({"code": code, "message": None, "details": [{"code": -1, "message": message}]})
    answer.status_code = status
    return answer
