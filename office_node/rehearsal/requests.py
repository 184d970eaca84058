"""What offices of second filing ask simulated WIPO for, and how far each request is.

Sources: protocol.md E11 to E16, 6.3, 6.6.
"""

import io
import threading
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, BinaryIO
from uuid import uuid4

from office_node.rehearsal.files import AnnouncedFile, Files
from office_node.rehearsal.hostility import Fate
from office_node.rehearsal.ledger import Ledger
from office_node.rehearsal.object_store import ObjectStore
from office_node.rehearsal.pace import Pace
from office_node.rehearsal.papers import pdf
from office_node.rehearsal.refusals import UNNUMBERED, Problem, Refused
from office_node.rehearsal.registration import Named

ID_MEMBERS = ("osfAckId", "requestAckId", "offAckId", "ackId")


@dataclass(slots=True)
class Request:
    """One E11."""

    acknowledgement_id: str
    client_id: str
    named: Named
    fate: Fate = Fate.WELL
    """What befalls the notification about it."""
    status: str = "pending"
    problem: Problem | None = None
    available_at: datetime | None = None
    main: AnnouncedFile | None = None
    others: list[AnnouncedFile] = field(default_factory=list)
    original: AnnouncedFile | None = None
    is_cleared: bool = False

    def to_wire(self) -> dict[str, Any]:
        """One entry of E12, and the body of E13."""
        told: dict[str, Any] = {
            "requestAckId": self.acknowledgement_id,
            "requestStatusCategory": self.status,
            "documentKindCategory": self.named.kind,
            "documentNumber": self.named.number,
            "documentDate": self.named.date,
        }
        if self.available_at:
            told["documentAvailabilityDate"] = self.available_at.date().isoformat()
        if self.problem:
            told |= {"errorCode": self.problem.code, "statusMessage": self.problem.message}
        return told


class Requests:
    """Every request there was."""

    def __init__(self, files: Files, store: ObjectStore, pace: Pace, ledger: Ledger) -> None:
        self._files = files
        self._store = store
        self._pace = pace
        self._ledger = ledger
        self._requests: dict[str, Request] = {}
        self._lock = threading.Lock()

    def begin(self, client_id: str, named: Named, fate: Fate) -> Request:
        """E11: another one each time, which the ledger counts."""
        request = Request(str(uuid4()), client_id, named, fate)
        with self._lock:
            self._requests[request.acknowledgement_id] = request
        self._ledger.record("retrieval asked", f"{client_id} {named.document}", {})
        return request

    def deliver(self, request: Request, content: BinaryIO | None, size: int = 0) -> None:
        """What was asked for is here; None: it cannot be supplied."""
        if content is None:
            self.fail(request, Problem("The office of first filing could not supply the document", UNNUMBERED))
            return
        is_zip = content.read(4) == b"PK\x03\x04"
        content.seek(0)
        came = self._files.deposit(content, size or _length(content), "zip" if is_zip else "pdf")
        others = self._unpacked(came) if is_zip else []
        with self._lock:
            request.main, request.others = came, others
            if is_zip:
                request.main = next(file for file in others if file.format == "pdf")
            elif self._pace.merged:
                request.main, request.original = self._with_cover(request), came
            request.status, request.available_at = "success", datetime.now(UTC)
        self._ledger.record("available", request.acknowledgement_id, {"sha256": request.main.sha256})

    def fail(self, request: Request, problem: Problem) -> None:
        """It ends as an error."""
        with self._lock:
            request.status, request.problem = "error", problem

    def of(self, client_id: str, wanted: Mapping[str, str]) -> list[Request]:
        """E12: the caller's, those that fit."""
        ids = {wanted[name] for name in ID_MEMBERS if wanted.get(name)}
        with self._lock:
            found = [one for one in self._requests.values() if one.client_id == client_id and not one.is_cleared]
        if ids:
            found = [one for one in found if one.acknowledgement_id in ids]
        if number := wanted.get("documentNumber"):
            found = [one for one in found if one.named.number == number]
        return found

    def located(self, client_id: str, wanted: Mapping[str, str]) -> Request:
        """E14. Raises `Refused` while it is not ready, and once it is gone."""
        for request in self.of(client_id, wanted):
            if request.status == "success":
                return request
        raise Refused(404, "The document is not available")

    def clear(self, client_id: str, wanted: Mapping[str, str]) -> None:
        """E16. Raises `Refused`."""
        request = self.located(client_id, wanted)
        with self._lock:
            request.is_cleared = True
        for file in filter(None, (request.main, *request.others, request.original)):
            self._files.forget(file.file_id)
        self._ledger.record("transit cleared", request.acknowledgement_id, {})

    def _unpacked(self, package: AnnouncedFile) -> list[AnnouncedFile]:
        """The package, its PDF and its XML (protocol.md 8.2)."""
        found = [package]
        with zipfile.ZipFile(self._store.file(package.file_id)) as archive:
            for name in archive.namelist():
                for file_format in ("pdf", "xml"):
                    if name.lower().endswith(f".{file_format}"):
                        content = archive.read(name)
                        found.append(self._files.deposit(io.BytesIO(content), len(content), file_format))
        return found

    def _with_cover(self, request: Request) -> AnnouncedFile:
        lines = ["WIPO DAS (rehearsal): cover page", f"{request.named.kind} {request.named.number}"]
        merged = b"".join(pdf(lines, 2000))
        return self._files.deposit(io.BytesIO(merged), len(merged), "pdf")


def _length(content: BinaryIO) -> int:
    size = content.seek(0, io.SEEK_END)
    content.seek(0)
    return size
