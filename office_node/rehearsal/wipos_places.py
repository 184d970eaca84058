"""Simulated WIPO's places: token endpoint and JWKS in the shape of its OpenAM, notifications, and those beside.

Sources: protocol.md 2.3, E13, E19.
"""

from pathlib import Path
from typing import Any

from flask import Blueprint, Response, jsonify, request

from office_node.rehearsal import files_places, registrations_places, retrievals_places
from office_node.rehearsal.central import ISSUER_PATH, TOKEN_PATH, Central
from office_node.rehearsal.door import at, entered, played
from office_node.rehearsal.faults import with_broken_members
from office_node.rehearsal.refusals import Refused
from office_node.rehearsal.token_server import TOKEN_SECONDS

JWKS_PATH = f"{ISSUER_PATH}/connect/jwk_uri"
PREFIXES = ("/das-api/v1/requests", "/das/v1/requests")
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ID_MEMBERS = ("requestAckId", "osfAckId", "offAckId", "ackId")


def make_blueprint(central: Central) -> Blueprint:
    """What WIPO shows to an office."""
    places = Blueprint("wipo", __name__)

    @places.post(TOKEN_PATH)
    def issue_token() -> Response:
        return at(central, "token_endpoint", lambda: _issue(central), bearer=False)

    @places.get(JWKS_PATH)
    def publish_keys() -> Response:
        answer = at(central, "jwks", lambda: _key_set(central), bearer=False)
        answer.headers["Cache-Control"] = f"public, max-age={central.settings.jwks_seconds}"
        return answer

    def notify() -> Response:
        return entered(central, "notifications", lambda: _notify(central))

    for prefix in PREFIXES:
        places.add_url_rule(f"{prefix}/notifications", f"notify {prefix}", notify, methods=["POST"])
        files_places.add(places, central, prefix)
        registrations_places.add(places, central, prefix)
        retrievals_places.add(places, central, prefix)
    files_places.add_store(places, central)
    return places


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
    notification = request.get_json(silent=True)
    if not isinstance(notification, dict) or not any(notification.get(name) for name in _ID_MEMBERS):
        raise Refused(400, "requestAckId: missing")
    return played(central.scripts.due("notifications"), lambda: _take(central, notification))


def _take(central: Central, notification: dict[str, Any]) -> Response:
    transit = _transit(central, notification.get("fileId"))
    ids = [str(notification[name]) for name in _ID_MEMBERS if notification.get(name)]
    central.ledger.record("notified", ids[0], {"notification": notification})
    for exchange in central.exchanges.values():  # each fetches once, what it knows to have asked for
        exchange.notified(ids, str(notification.get("requestStatusCategory")), transit)
    return Response(status=204)


def _transit(central: Central, file_id: object) -> Path | None:
    """Where the document is, if the office sent it to the transit zone (F4)."""
    if file_id is None:
        return None
    try:
        file = central.files.find(str(file_id))
    except Refused as exc:
        raise Refused(400, *exc.problems) from None
    if file.status != "ACCEPTED":
        raise Refused(400, f"The file is not accepted: fileId={file_id}")
    return central.store.file(file.file_id)
