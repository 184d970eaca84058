"""Simulated WIPO's object store, in the shape of S3: presigned URLs, and files in a folder that ends with it.

Sources: protocol.md E4, E15.
"""

import base64
import hashlib
import hmac
import secrets
import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol
from uuid import uuid4

from office_node.rehearsal.refusals import StoreRefused

BLOCK_BYTES = 1 << 20
Shelf = Literal["uploads", "objects"]
_METHODS = {"uploads": "PUT", "objects": "GET"}


class Source(Protocol):
    """Where bytes come from; less than asked for is the end."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Parcel:
    """Bytes that arrived whole and are not on the shelf yet."""

    file: Path
    sha256: str
    size: int


class ObjectStore:
    """The bytes of every file that arrived whole."""

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url
        self._key = secrets.token_bytes(32)
        self._here = threading.local()
        self._folder = Path(tempfile.mkdtemp(prefix="office-node-rehearsal-"))
        self.close = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        """Removes everything; happens by itself when the process ends, unless it is killed."""

    def url(self, shelf: Shelf, file_id: str, content_type: str, seconds: float) -> str:
        """A presigned URL, good for one method on one file for some seconds."""
        expires = f"{time.time() + (-1 if self._is_late() else seconds):.3f}"
        signature = self._signature(shelf, file_id, content_type, expires)
        return f"{self._public_url}/store/{shelf}/{file_id}?expires={expires}&signature={signature}"

    @contextmanager
    def urls_expired(self, expired: bool) -> Iterator[None]:
        """With `expired` every URL that this thread makes or checks within the block is past its time."""
        self._here.is_late = expired
        try:
            yield
        finally:
            self._here.is_late = False

    def check(self, shelf: Shelf, file_id: str, content_type: str, expires: str, signature: str) -> None:
        """Raises `StoreRefused` if such a URL was not made here, was changed, or has expired."""
        if not hmac.compare_digest(self._signature(shelf, file_id, content_type, expires), signature):
            raise StoreRefused(403, "SignatureDoesNotMatch", "The request signature we calculated does not match")
        if float(expires) <= time.time() or self._is_late():
            raise StoreRefused(403, "AccessDenied", "Request has expired")

    def receive(self, source: Source, size: int) -> Parcel:
        """Take in `size` bytes, a block at a time. A body cut short leaves nothing; raises `StoreRefused`."""
        file, sha256, missing = self._folder / f"{uuid4().hex}.part", hashlib.sha256(), size
        try:
            with file.open("wb") as target:
                while missing and (block := source.read(min(missing, BLOCK_BYTES))):
                    sha256.update(block)
                    target.write(block)
                    missing -= len(block)
            if missing:
                raise StoreRefused(400, "IncompleteBody", "Fewer bytes than Content-Length")
        except BaseException:
            file.unlink(missing_ok=True)
            raise
        return Parcel(file, sha256.hexdigest(), size)

    def keep(self, parcel: Parcel, file_id: str) -> None:
        """From now on these are the bytes of `file_id`."""
        parcel.file.replace(self.file(file_id))

    def drop(self, parcel: Parcel) -> None:
        parcel.file.unlink(missing_ok=True)

    def file(self, file_id: str) -> Path:
        """Where the bytes of a file are, if they arrived. Only for ids that were made here."""
        return self._folder / file_id

    def _is_late(self) -> bool:
        return getattr(self._here, "is_late", False)

    def _signature(self, shelf: Shelf, file_id: str, content_type: str, expires: str) -> str:
        signed = "\n".join((_METHODS[shelf], shelf, file_id, content_type, expires)).encode()
        return base64.urlsafe_b64encode(hmac.digest(self._key, signed, "sha256")).rstrip(b"=").decode()
