"""Where a content arrives: streamed into a file of this machine, digested, sealed if it is to be; kept or gone."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from office_node.errors import OfficeNodeError
from office_node.library.damage import StoreUnusable
from office_node.library.folder_store import usable
from office_node.library.sealing.at_rest import FileAtRest
from office_node.library.sealing.storage_keys import StorageKeys, WrappedKey

_BLOCK_BYTES = 1 << 20
_LEFTOVER_SECONDS = 86_400  # an intake that still runs is never so old


class FileTooLarge(OfficeNodeError):
    """More bytes than the settings allow."""

    code = "N305"
    hint = "raise [library] max_document_bytes if documents of this size are to be kept"


class SourceUnreadable(OfficeNodeError):
    """The file that is to be taken in fails while it is read; the library is well."""

    code = "N318"
    owner = "office"
    hint = "see that the file lies on a sound disk and can be read to its end"


class Source(Protocol):
    """What can be read to its end."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Received:
    """A content that has arrived, synced, not yet kept."""

    name: str
    """Under which it is to be kept: a sealed file is bound to it."""
    sha256: str
    size: int
    """Of the plain bytes."""
    at_rest: FileAtRest
    wrapped_key: WrappedKey | None
    """None for what is kept plain."""


class Incoming:
    """The folder for what arrives."""

    def __init__(self, folder: Path, storage_keys: StorageKeys) -> None:
        self._folder = folder
        self._storage_keys = storage_keys

    @contextmanager
    def receiving(self, source: Source, max_bytes: int, *, sealed: bool) -> Iterator[Received]:
        """Stream `source` in; whatever is not kept within the block is removed.

        Raises `FileTooLarge`, `SourceUnreadable`, and `StoreUnusable` when the folder fails.
        """
        name = uuid4().hex
        data_key, wrapped_key = self._storage_keys.new_data_key() if sealed else (None, None)
        at_rest = FileAtRest(self._folder / name, name, data_key)
        try:
            with usable(self._folder):
                for folder in (self._folder.parent, self._folder):
                    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                sha256, size = _take(source, at_rest, max_bytes)
            yield Received(name, sha256, size, at_rest, wrapped_key)
        finally:
            with suppress(OSError):  # a folder that failed is told already; `remove_leftovers` comes later
                at_rest.path.unlink()

    def remove_leftovers(self) -> int:
        """Remove what intakes that were killed left; returns how many.

        Raises `StoreUnusable` for what cannot be removed, once all the rest is.
        """
        removed = 0
        failure: OSError | None = None
        with usable(self._folder):
            for path in self._folder.glob("*"):
                try:
                    removed += _remove_if_old(path)
                except OSError as exc:
                    failure = exc
        if failure:
            hint = "see what it is and take it away: only the node's own files belong there"
            raise StoreUnusable(f"{failure.filename} cannot be removed: {failure.strerror}", hint=hint) from failure
        return removed


def _take(source: Source, at_rest: FileAtRest, max_bytes: int) -> tuple[str, int]:
    sha256, size = hashlib.sha256(), 0
    with at_rest.writing() as write:
        while block := _read(source):
            size += len(block)
            if size > max_bytes:
                raise FileTooLarge(f"the file has more than {max_bytes} bytes")
            sha256.update(block)
            write(block)
    return sha256.hexdigest(), size


def _read(source: Source) -> bytes:
    try:
        return source.read(_BLOCK_BYTES)
    except OSError as exc:
        raise SourceUnreadable(f"the file to take in cannot be read: {exc.strerror}") from exc


def _remove_if_old(path: Path) -> bool:
    with suppress(FileNotFoundError):  # an intake that ends meanwhile takes its file away
        if path.stat().st_mtime < time.time() - _LEFTOVER_SECONDS:
            path.unlink()
            return True
    return False
