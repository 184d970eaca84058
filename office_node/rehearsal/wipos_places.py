"""Simulated WIPO's places: token endpoint and JWKS in the shape of its OpenAM, notifications.

Sources: protocol.md 2.3, E13, E19.
"""

import socket
import time

from flask import Blueprint, Response, jsonify, request

from office_node.rehearsal.central import ISSUER_PATH, TOKEN_PATH, Central
from office_node.rehearsal.faults import Faults, with_broken_members
from office_node.rehearsal.token_server import TOKEN_SECONDS

JWKS_PATH = f"{ISSUER_PATH}/connect/jwk_uri"
_PREFIXES = ("/das-api/v1/requests", "/das/v1/requests")
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ID_MEMBERS = ("requestAckId", "osfAckId", "offAckId", "ackId")


def make_blueprint(central: Central) -> Blueprint:
    """What WIPO shows to an office."""
    places = Blueprint("wipo", __name__)

    @places.post(TOKEN_PATH)
    def issue_token() -> Response:
        return _suffer(central.faults, "token_endpoint") or _issue(central)

    @places.get(JWKS_PATH)
    def publish_keys() -> Response:
        answer = _suffer(central.faults, "jwks") or _key_set(central)
        answer.headers["Cache-Control"] = f"public, max-age={central.settings.jwks_seconds}"
        return answer

    for prefix in _PREFIXES:
        places.add_url_rule(
            f"{prefix}/notifications",
            f"notify {prefix}",
            lambda: _suffer(central.faults, "notifications") or _notify(central),
            methods=["POST"],
        )
    return places


def _suffer(faults: Faults, place: str) -> Response | None:
    """The answer of a place that is not well; None if it is, or if its own view has to break the answer."""
    match faults.visit(place):
        case "down":
            return _hung_up()
        case "hang":
            faults.wait_out(place)
            return _hung_up()
        case "500":
            return Response("Internal Server Error", status=500, mimetype="text/plain")
        case "html":
            return Response("<!DOCTYPE html><html><body>Maintenance</body></html>", mimetype="text/html")
        case "empty":
            return jsonify({"keys": []} if place == "jwks" else {})
        case _:
            return None


def _hung_up() -> Response:
    """Close the connection without an answer."""
    connection = request.environ["werkzeug.socket"]  # known to the server that `serve` runs, and to no other
    connection.shutdown(socket.SHUT_RDWR)
    return Response()


def _issue(central: Central) -> Response:
    form = request.form
    if form.get("grant_type") != "client_credentials" or form.get("client_assertion_type") != _ASSERTION_TYPE:
        return _token_refusal("invalid_request", 400)
    client_id = central.authenticate(form.get("client_assertion", ""))
    if client_id is None:
        return _token_refusal("invalid_client", 401)
    if form.get("scope", central.settings.scope) != central.settings.scope:
        return _token_refusal("invalid_scope", 400)
    return jsonify(
        access_token=central.tokens.mint(client_id),
        scope=central.settings.scope,
        token_type="Bearer",  # noqa: S106  a word of the protocol
        expires_in=TOKEN_SECONDS - 1,
    )


def _token_refusal(error: str, status: int) -> Response:
    answer = jsonify(error=error)
    answer.status_code = status
    return answer


def _key_set(central: Central) -> Response:
    members = central.tokens.published()
    broken = central.faults.now()["jwks"] == "broken-members"
    return jsonify(keys=with_broken_members(members) if broken else members)


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
