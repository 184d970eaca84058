"""Simulated WIPO's places for files: E2, E3 and E5, and its object store (E4 and the like of E15).

Sources: protocol.md E2 to E5, 9.2 C-3 and C-4.
"""

import base64
import re
import sys
from collections.abc import Iterator

from flask import Blueprint, Response, jsonify, request, send_file
from werkzeug.exceptions import ClientDisconnected, RequestedRangeNotSatisfiable

from office_node.rehearsal.central import Central
from office_node.rehearsal.door import at
from office_node.rehearsal.files import CONTENT_TYPES, AnnouncedFile
from office_node.rehearsal.members import Members
from office_node.rehearsal.object_store import BLOCK_BYTES, Shelf
from office_node.rehearsal.refusals import Refused, StoreRefused

_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")


def add(places: Blueprint, central: Central, prefix: str) -> None:
    """The places for files under one of WIPO's prefixes."""

    def urls() -> Response:
        return at(central, "url_uploads", lambda: _announce(central) if request.method == "POST" else _renew(central))

    def status() -> Response:
        return at(central, "file_status", lambda: _status(central))

    for path in ("files/url-uploads", "url-uploads"):
        places.add_url_rule(f"{prefix}/{path}", f"urls {prefix}/{path}", urls, methods=["POST", "PUT"])
    for path in ("files", "files/url-uploads", "url-uploads"):
        places.add_url_rule(f"{prefix}/{path}", f"status {prefix}/{path}", status)


def add_store(places: Blueprint, central: Central) -> None:
    """The object store."""

    @places.put("/store/uploads/<file_id>")
    def upload(file_id: str) -> Response:
        answer = at(central, "uploads", lambda: _upload(central, file_id), bearer=False)
        _discard()
        return answer

    @places.get("/store/objects/<file_id>")
    def download(file_id: str) -> Response:
        return at(central, "downloads", lambda: _download(central, file_id), bearer=False)


def _announce(central: Central) -> Response:
    members = Members(request.get_json(silent=True))
    reference = members.text("fileReference", needed=False)
    file_format = members.one_of("fileFormatCategory", tuple(CONTENT_TYPES))
    checksum = members.matching("fileChecksum", _SHA256, "64 hexadecimal digits")
    members.insist()
    answer = jsonify(central.files.announce(reference, file_format, checksum))
    answer.status_code = 201
    return answer


def _renew(central: Central) -> Response:
    members = Members(request.get_json(silent=True))
    file_id = members.text("fileId")
    members.insist()
    return jsonify(central.files.renew(file_id))


def _status(central: Central) -> Response:
    file_id = request.args.get("fileId")
    if not file_id:
        raise Refused(400, "fileId: missing")
    return jsonify(central.files.find(file_id).to_wire())


def _upload(central: Central, file_id: str) -> Response:
    if request.content_length is None:
        raise StoreRefused(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
    file = _found(central, "uploads", file_id)
    if request.headers.get("Content-Type") != CONTENT_TYPES[file.format]:
        raise StoreRefused(403, "SignatureDoesNotMatch", "The Content-Type is not the one that was signed")
    try:
        parcel = central.store.receive(request.stream, request.content_length)
    except (ClientDisconnected, OSError):
        raise StoreRefused(400, "IncompleteBody", "Fewer bytes than Content-Length") from None
    central.files.take_in(file_id, parcel)
    return Response()


def _download(central: Central, file_id: str) -> Response:
    file = _found(central, "objects", file_id)
    path = central.store.file(file_id)
    try:
        answer = send_file(path, mimetype=CONTENT_TYPES[file.format], conditional=True, etag=file.sha256)
        digest = base64.b64encode(bytes.fromhex(file.sha256)).decode()
        answer.headers["Repr-Digest"] = f"sha-256=:{digest}:"
        if central.settings.pace.without_etag:
            del answer.headers["ETag"]
        return _harmed(central, file_id, answer)
    except FileNotFoundError:
        raise StoreRefused(404, "NoSuchKey", "The specified key does not exist.") from None
    except RequestedRangeNotSatisfiable:
        raise StoreRefused(416, "InvalidRange", "The requested range is not satisfiable") from None


def _harmed(central: Central, file_id: str, answer: Response) -> Response:
    """The answer, or one that is cut or wrong, as the pace has it."""
    most, spoilt = central.settings.pace.cut_download_bytes, bool(central.settings.pace.spoilt_downloads)
    length = answer.content_length or 0
    if answer.status_code in (200, 206):
        told = {"file": file_id, "bytes": min(most or length, length)}
        central.ledger.record("served", f"{file_id} from {answer.headers.get('Content-Range', '0')}", told)
    if not (most or spoilt) or answer.status_code not in (200, 206):
        return answer
    answer.direct_passthrough = False
    blocks = answer.iter_encoded()

    def harmed() -> Iterator[bytes]:
        left = most or sys.maxsize
        for block in blocks:
            yield (bytes([block[0] ^ 1]) + block[1:] if spoilt else block)[:left]
            left -= len(block)
            if left <= 0:
                return  # fewer bytes than Content-Length said: the server closes the connection

    return Response(harmed(), answer.status_code, answer.headers)


def _found(central: Central, shelf: Shelf, file_id: str) -> AnnouncedFile:
    """The file, if the URL is presigned and good."""
    if "Authorization" in request.headers:
        raise StoreRefused(400, "InvalidArgument", "Only one auth mechanism allowed")
    try:
        file = central.files.find(file_id)
    except Refused:
        raise StoreRefused(404, "NoSuchKey", "The specified key does not exist.") from None
    content_type = CONTENT_TYPES[file.format]
    expires, signature = (request.args.get(name, "") for name in ("expires", "signature"))
    central.store.check(shelf, file_id, content_type, expires, signature)
    return file


def _discard() -> None:
    """Read what is left: a peer that still sends would not see our answer otherwise."""
    try:
        while request.stream.read(BLOCK_BYTES):
            pass
    except (ClientDisconnected, OSError, ValueError):
        pass  # gone, or hung up on
