"""Simulated WIPO's places: token endpoint and JWKS in the shape of its OpenAM, notifications.

Sources: protocol.md 2.3, E13, E19. Beside WIPO's own places it has four for the rehearsing office, under /rehearsal:
forward a retrieval, the ledger, what to answer next, and a sign of life.
"""

import signal
import threading
import time

from flask import Blueprint, Flask, Response, jsonify, request
from werkzeug.serving import WSGIRequestHandler, make_server

from office_node.rehearsal.central import TOKEN_PATH, TOKEN_SECONDS, Central
from office_node.rehearsal.operator import Wanted

JWKS_PATH = "/am/oauth2/connect/jwk_uri"
_PREFIXES = ("/das-api/v1/requests", "/das/v1/requests")
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ID_MEMBERS = ("requestAckId", "osfAckId", "offAckId", "ackId")


def create_app(central: Central) -> Flask:
    """Simulated WIPO as a WSGI application."""
    app = Flask("office_node.rehearsal", static_folder=None)
    app.register_blueprint(_wipos_places(central))
    app.register_blueprint(_the_offices_places(central))
    return app


def _wipos_places(central: Central) -> Blueprint:
    places = Blueprint("wipo", __name__)

    @places.post(TOKEN_PATH)
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
            "expires_in": TOKEN_SECONDS - 1,
        }
        return jsonify(answer), 200

    @places.get(JWKS_PATH)
    def publish_keys() -> Response:
        return jsonify({"keys": [central.signing_key.as_dict(private=False)]})

    for prefix in _PREFIXES:
        places.add_url_rule(f"{prefix}/notifications", f"notify {prefix}", lambda: _notify(central), methods=["POST"])
    return places


def _the_offices_places(central: Central) -> Blueprint:
    places = Blueprint("rehearsal", __name__)

    @places.post("/rehearsal/retrievals")
    def forward() -> Response:
        return jsonify(central.exchange.forward(Wanted(**request.get_json())))

    @places.get("/rehearsal/ledger")
    def show_ledger() -> Response:
        return jsonify(central.ledger.entries())

    @places.post("/rehearsal/next-answers")
    def script() -> tuple[str, int]:
        central.script(request.get_json())
        return "", 204

    @places.get("/rehearsal/alive")
    def live() -> Response:
        return jsonify({"issuer": central.issuer, "kid": central.signing_key.kid})

    return places


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
        ids = [str(notification[name]) for name in _ID_MEMBERS if notification.get(name)]
        if central.ledger.record("notified", ids[0], {"notification": notification}):
            central.exchange.notified(ids, str(notification.get("requestStatusCategory")))
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
