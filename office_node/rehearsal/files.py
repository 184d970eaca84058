"""The files that an office announced to simulated WIPO, from the request to what used them.

Sources: protocol.md E2, E3, E5, 6.1.
"""

import math
import threading
import time
from dataclasses import dataclass
from typing import Any, Literal
from uuid import uuid4

from office_node.rehearsal.ledger import Ledger
from office_node.rehearsal.object_store import ObjectStore, Parcel, Source
from office_node.rehearsal.pace import Pace
from office_node.rehearsal.refusals import UNNUMBERED, Refused, StoreRefused

CONTENT_TYPES = {"pdf": "application/pdf", "zip": "application/zip", "xml": "application/xml"}
"""By `fileFormatCategory`."""


@dataclass(slots=True)
class AnnouncedFile:
    """One `fileId`."""

    file_id: str
    reference: str
    format: str
    checksum: str
    sha256: str = ""
    """Of what arrived."""
    size: int = 0
    contents: int = 0
    """How many different ones arrived, one after the other."""
    checked_at: float = math.inf
    """When the check ends; the outcome stands since the last byte, it only is not told before."""
    used_by: str = ""
    """The document whose content it is."""

    @property
    def status(self) -> Literal["PROCESSING", "ACCEPTED", "REJECTED"]:
        if time.monotonic() < self.checked_at:
            return "PROCESSING"
        return "ACCEPTED" if self.sha256 == self.checksum else "REJECTED"

    def to_wire(self) -> dict[str, Any]:
        """E5's answer."""
        told: dict[str, Any] = {"fileId": self.file_id, "fileStatusCategory": self.status}
        match told["fileStatusCategory"]:
            case "ACCEPTED":
                told |= {"fileFormatCategory": self.format, "fileSizeQuantity": self.size}
                return told | ({"fileReference": self.reference} if self.reference else {})
            case "REJECTED":
                return told | {"errorCode": UNNUMBERED, "statusMessage": "checksum mismatch"}
            case _:
                return told


class Files:
    """Every announced file."""

    def __init__(self, store: ObjectStore, pace: Pace, ledger: Ledger) -> None:
        self._store = store
        self._pace = pace
        self._ledger = ledger
        self._files: dict[str, AnnouncedFile] = {}
        self._lock = threading.Lock()

    def announce(self, reference: str, file_format: str, checksum: str) -> dict[str, str]:
        """E2: a new file id, and where its bytes go."""
        file = AnnouncedFile(str(uuid4()), reference, file_format, checksum.lower())
        with self._lock:
            self._files[file.file_id] = file
        facts = {"fileReference": reference or None, "fileFormatCategory": file_format, "fileChecksum": file.checksum}
        self._ledger.record("file requested", file.file_id, facts)
        return self._upload_url(file)

    def deposit(self, source: Source, size: int, file_format: str) -> AnnouncedFile:
        """A file that is here at once, however it came."""
        parcel = self._store.receive(source, size)
        file = AnnouncedFile(str(uuid4()), "", file_format, parcel.sha256)
        with self._lock:
            self._files[file.file_id] = file
            self._put(file, parcel, is_new=True)
            file.checked_at = time.monotonic()
        return file

    def forget(self, file_id: str) -> None:
        """Its bytes are gone."""
        self._store.file(file_id).unlink(missing_ok=True)

    def renew(self, file_id: str) -> dict[str, str]:
        """E3: another URL for the same file."""
        file = self.find(file_id)
        if file.status == "ACCEPTED":
            raise Refused(409, f"The file was already accepted: fileId={file_id}")
        return self._upload_url(file)

    def find(self, file_id: str) -> AnnouncedFile:
        """Raises `Refused` with 404."""
        with self._lock:
            if file_id not in self._files:
                raise Refused(404, f"There is no such file: fileId={file_id}")
            return self._files[file_id]

    def take_in(self, file_id: str, parcel: Parcel) -> None:
        """E4 has brought the bytes; those of an accepted file change no more."""
        with self._lock:
            file = self._files[file_id]
            same = file.sha256 == parcel.sha256
            if file.status == "ACCEPTED":
                self._store.drop(parcel)
                if not same:
                    raise StoreRefused(403, "AccessDenied", "The object was accepted and is locked")
            else:
                self._put(file, parcel, is_new=not same)
            key = file_id if file.contents == 1 else f"{file_id} #{file.contents}"
        self._ledger.record("uploaded", key, {"sha256": parcel.sha256, "bytes": parcel.size})

    def _put(self, file: AnnouncedFile, parcel: Parcel, *, is_new: bool) -> None:
        self._store.keep(parcel, file.file_id)
        file.contents += is_new
        file.sha256, file.size = parcel.sha256, parcel.size
        file.checked_at = time.monotonic() + self._pace.file_check_seconds

    def use(self, file_id: str, user: str) -> AnnouncedFile:
        """E6 and E7: it becomes the content of the document `user`. Raises `Refused`."""
        file = self.find(file_id)
        with self._lock:
            if file.status != "ACCEPTED":
                raise Refused(409, f"The file is not accepted: fileId={file_id}")
            if file.used_by not in ("", user):
                raise Refused(409, f"The file is the content of another document: fileId={file_id}")
            file.used_by = user
        return file

    def _upload_url(self, file: AnnouncedFile) -> dict[str, str]:
        url = self._store.url("uploads", file.file_id, CONTENT_TYPES[file.format], self._pace.upload_url_seconds)
        return {"fileId": file.file_id, "fileUploadUrl": url}
