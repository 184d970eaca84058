"""Simulated WIPO's places for registrations: E6 to E10 and E17.

Sources: protocol.md E6 to E10, E17.
"""

from flask import Blueprint, Response, jsonify, request

from office_node.rehearsal.central import Central
from office_node.rehearsal.door import at
from office_node.rehearsal.members import Members
from office_node.rehearsal.papers import pdf
from office_node.rehearsal.registration import Asked, Named, Version


def add(places: Blueprint, central: Central, prefix: str) -> None:
    """The places for registrations under one of WIPO's prefixes."""
    deeds = {"POST": lambda: _register(central, prefix), "PUT": lambda: _change(central)}

    def registrations() -> Response:
        return at(central, "registrations", deeds.get(request.method, lambda: _withdraw(central)))

    def status(acknowledgement_id: str = "") -> Response:
        return at(central, "registrations", lambda: _status(central, acknowledgement_id))

    def certificate() -> Response:
        return at(central, "certificates", lambda: _certificate(central))

    def available() -> Response:
        return at(central, "registration_status", lambda: _available(central))

    here = f"{prefix}/registrations"
    places.add_url_rule(here, here, registrations, methods=["POST", "PUT", "DELETE"])
    places.add_url_rule(f"{here}/statuses", f"{here}/statuses", status)
    places.add_url_rule(f"{here}/<acknowledgement_id>", f"{here}/status", status)
    places.add_url_rule(f"{here}/certificates", f"{here}/certificates", certificate)
    statuses = f"{prefix.removesuffix('/requests')}/documents/registrations/statuses"
    places.add_url_rule(statuses, statuses, available)


def _register(central: Central, prefix: str) -> Response:
    registrar = central.caller(request.headers.get("Authorization", "")) or ""
    version = central.registry.register(Asked.read(request.get_json(silent=True)), registrar)
    answer = jsonify(version.to_wire())
    answer.status_code = 201
    here = f"{central.settings.public_url}{prefix}/registrations"
    answer.headers["Location"] = f"{here}/{version.acknowledgement_id}"
    return answer


def _change(central: Central) -> Response:
    return jsonify(central.registry.change(Asked.read(request.get_json(silent=True))).to_wire())


def _withdraw(central: Central) -> Response:
    """Named in the query, or else in a body."""
    central.registry.withdraw(Named.read(request.args or request.get_json(silent=True)))
    return Response(status=204)


def _status(central: Central, acknowledgement_id: str) -> Response:
    members = Members({"requestAckId": acknowledgement_id or request.args.get("requestAckId")})
    asked_for = members.text("requestAckId")
    members.insist()
    return jsonify(central.registry.acknowledged(asked_for).to_wire())


def _certificate(central: Central) -> Response:
    version, number = central.registry.certified(Named.read(request.args))
    lines = _lines(version, number, central.settings.office_client_id)
    return Response(b"".join(pdf(lines)), mimetype="application/pdf")


def _lines(version: Version, number: int, office: str) -> list[str]:
    asked = version.asked
    return [
        "WIPO Digital Access Service (rehearsal): certificate of registration",
        f"Office: {office}",
        f"Kind: {asked.kind}",
        f"Number: {asked.number}",
        f"Date: {asked.data.date}",
        f"Version: {number} of {version.at:%Y-%m-%d %H:%M:%S} UTC",
        f"SHA-256: {version.sha256 or 'the content is kept by the office'}",
    ]


def _available(central: Central) -> Response:
    return jsonify(central.registry.available(Named.read(request.args)).availability())
