"""Simulated WIPO's places for offices of second filing: E11, E12, E14 and E16; and its notifications to them (E13).

Sources: protocol.md E11 to E16, 9.2 C-1 to C-3.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import BinaryIO

import requests
from flask import Blueprint, Response, jsonify, request

from office_node.rehearsal.central import Central
from office_node.rehearsal.door import at
from office_node.rehearsal.files import CONTENT_TYPES, AnnouncedFile
from office_node.rehearsal.hostility import Fate
from office_node.rehearsal.members import KINDS, Members
from office_node.rehearsal.operator import Wanted
from office_node.rehearsal.refusals import Refused
from office_node.rehearsal.registration import Named
from office_node.rehearsal.requests import Request

ORIGINAL_HEADER = "Original-Document-Url"
_TRIES, _PAUSE_SECONDS = 60, 0.5
_EARLY_SECONDS, _LATE_SECONDS = 0.5, 2.0


def add(places: Blueprint, central: Central, prefix: str) -> None:
    """The places for retrievals under one of WIPO's prefixes."""

    def retrievals() -> Response:
        deed = _ask if request.method == "POST" else _list
        return at(central, "retrievals", lambda: deed(central))

    def locate() -> Response:
        return at(central, "url_downloads", lambda: _locate(central))

    def delete() -> Response:
        return at(central, "file_deletions", lambda: _delete(central))

    here = f"{prefix}/retrievals"
    places.add_url_rule(here, f"retrievals {here}", retrievals, methods=["POST", "GET"])
    places.add_url_rule(f"{here}/statuses", f"statuses {here}", retrievals, methods=["GET"])
    for path in ("files/url-downloads", "url-downloads"):
        places.add_url_rule(f"{prefix}/{path}", f"locate {prefix}/{path}", locate, methods=["POST", "GET"])
    places.add_url_rule(f"{prefix}/files", f"delete {prefix}/files", delete, methods=["DELETE"])


def _caller(central: Central) -> str:
    return central.caller(request.headers.get("Authorization", "")) or ""


def _ask(central: Central) -> Response:
    message = request.get_json(silent=True)
    members = Members(message)
    members.one_of("operationCategory", ("retrieval",))
    kind = members.one_of("documentKindCategory", KINDS)
    named = Named(
        kind, members.number("documentNumber", kind), members.date("documentDate"), members.text("dasAccessCode")
    )
    members.insist()
    fate, _ = central.hostility.next("notifying")
    try:
        version, registrar = central.registry.wanted(named)
    except Refused as exc:
        if not central.settings.pace.late_errors:
            raise
        asked = central.requests.begin(_caller(central), named, fate)
        central.requests.fail(asked, exc.problems[0])
        _in_a_while(central, lambda: _tell(central, asked))
    else:
        asked = central.requests.begin(_caller(central), named, fate)
        _in_a_while(central, lambda: _prepare(central, asked, version.file_id, registrar))
    if fate is Fate.EARLY:
        time.sleep(central.settings.pace.prepare_seconds + _EARLY_SECONDS)
    answer = jsonify({"requestAckId": asked.acknowledgement_id, "requestStatusCategory": "pending"})
    answer.status_code = 201
    answer.headers["Location"] = f"{request.base_url}/{asked.acknowledgement_id}"
    return answer


def _in_a_while(central: Central, deed: Callable[[], None]) -> None:
    timer = threading.Timer(central.settings.pace.prepare_seconds, deed)
    timer.daemon = True
    timer.start()


def _prepare(central: Central, asked: Request, file_id: str | None, registrar: str) -> None:
    """From WIPO's own store, or from the office of first filing (F3, F4)."""
    if file_id:
        with central.store.file(file_id).open("rb") as content:
            central.requests.deliver(asked, content)
        _tell(central, asked)
        return

    def deliver(content: BinaryIO | None) -> None:
        central.requests.deliver(asked, content)
        _tell(central, asked)

    named = asked.named
    wanted = Wanted(named.kind, named.number, named.date, named.access_code)
    said = central.exchanges[registrar].forward(wanted, deliver=deliver, is_patient=True)
    if "requestAckId" not in said:
        deliver(None)


def _tell(central: Central, asked: Request) -> None:
    """E13 to the office that asked, until it has heard."""
    if asked.fate is Fate.LATE:
        time.sleep(_LATE_SECONDS)
    for _ in range(central.settings.pace.notifications + (asked.fate is Fate.TWICE)):
        for _ in range(_TRIES):
            try:
                status = central.exchanges[asked.client_id].tell("notifications", asked.to_wire())
            except requests.RequestException:
                status = 0
            if status in (200, 201, 202, 204, 404):
                break
            time.sleep(_PAUSE_SECONDS)
        central.ledger.record("told", asked.acknowledgement_id, {"status": status})


def _list(central: Central) -> Response:
    found = central.requests.of(_caller(central), request.args)
    answer = jsonify({"documentRetrievalResponseBag": [one.to_wire() for one in found]})
    original = next((one.original for one in found if one.original), None)
    if original and request.args.get("originalDocumentIndicator") == "true":
        answer.headers[ORIGINAL_HEADER] = _url(central, original)
    return answer


def _locate(central: Central) -> Response:
    wanted: Mapping[str, str] = request.args or request.get_json(silent=True) or {}
    found = central.requests.located(_caller(central), wanted)
    if found.main is None:
        raise Refused(404, "The document is not available")
    told: dict[str, object] = {"fileDownloadUrl": _url(central, found.main)}
    if found.others:
        told["fileDownloadUrlBag"] = [
            {"fileFormatCategory": file.format, "fileDownloadUrl": _url(central, file)}
            for file in found.others
            if file is not found.main
        ]
    return jsonify(told)


def _delete(central: Central) -> Response:
    central.requests.clear(_caller(central), request.args)
    return Response(status=204)


def _url(central: Central, file: AnnouncedFile) -> str:
    seconds = central.settings.pace.download_url_seconds
    return central.store.url("objects", file.file_id, CONTENT_TYPES[file.format], seconds)
