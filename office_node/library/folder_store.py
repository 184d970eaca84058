"""Bytes in a folder. The only file of the node that turns names into paths.

A file appears under its name whole or not at all: it is written in `incoming/`, synced, then renamed. Names are ours
(32 hexadecimal digits), never a caller's.
"""

import hashlib
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from office_node.errors import OfficeNodeError

_NAME = re.compile(r"[0-9a-f]{32}")
_BLOCK_BYTES = 1 << 20
_LEFTOVER_SECONDS = 86_400  # an intake that still runs is never so old


class StoreUnusable(OfficeNodeError):
    """The folder cannot be read or written."""

    code = "N304"
    hint = "see that the folder named by [library] store exists, has room and belongs to the node's user"


class FileTooLarge(OfficeNodeError):
    """More bytes than the settings allow."""

    code = "N305"
    hint = "raise [library] max_document_bytes if documents of this size are to be kept"


class SourceUnreadable(OfficeNodeError):
    """The file that is to be taken in fails while it is read; the library is well."""

    code = "N318"
    hint = "see that the file lies on a sound disk and can be read to its end"


class FileMissing(OfficeNodeError):
    """The catalogue names a file that is not there."""

    code = "N306"
    hint = "run `office-node library verify` and restore the file from the backup"


@dataclass(frozen=True, slots=True)
class Received:
    """A file that has arrived in `incoming/`, synced, not yet kept."""

    path: Path
    sha256: str
    size: int


class FolderStore:
    """Keeps files by name in a folder, two hexadecimal digits deep."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._incoming = folder / "incoming"

    @contextmanager
    def receiving(self, source: BinaryIO, max_bytes: int) -> Iterator[Received]:
        """Stream `source` in and digest it; whatever is not kept within the block is removed.

        Raises `FileTooLarge`, and `StoreUnusable` when the folder fails.
        """
        temporary = self._incoming / uuid4().hex
        try:
            with _usable(self._folder):
                for folder in (self._folder, self._incoming):
                    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                sha256, size = _copy(source, temporary, max_bytes)
            yield Received(temporary, sha256, size)
        finally:
            with suppress(OSError):  # a folder that failed is told already; `remove_leftovers` comes later
                temporary.unlink()

    def keep(self, received: Received, name: str) -> None:
        """Give a received file its name, for good: after return it survives a power cut."""
        path = self._path(name)
        with _usable(self._folder):
            path.parent.mkdir(exist_ok=True, mode=0o700)
            received.path.rename(path)
            _sync_folder(path.parent)
            _sync_folder(self._folder)

    def open(self, name: str) -> BinaryIO:
        """The kept file, unbuffered. Raises `FileMissing`, or `StoreUnusable`."""
        path = self._path(name)
        with _usable(self._folder):
            try:
                # Without waiting and without following: what is no plain file (a pipe, a link) is not ours.
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            except FileNotFoundError as exc:
                raise FileMissing(f"file {name} is not in the store") from exc
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                raise StoreUnusable(f"file {name} is no plain file")
            return os.fdopen(descriptor, "rb", buffering=0)

    def file(self, name: str) -> Path:
        """The file itself, for a process that is to look into it. Raises `FileMissing`, or `StoreUnusable`."""
        self.open(name).close()
        return self._path(name)

    def place(self, name: str) -> str:
        """Where a kept file lies, from the folder on: for a web server that sends it in our stead."""
        return self._path(name).relative_to(self._folder).as_posix()

    def digest(self, name: str, tick: Callable[[int], None] = lambda _bytes: None) -> str:
        """SHA-256 of a kept file, read whole. Raises `FileMissing`, or `StoreUnusable` when the disk fails."""
        with _usable(self._folder), self.open(name) as file:
            return _digest(file, tick)

    def discard(self, name: str) -> None:
        """Take a kept file away again; nothing happens if it is not there."""
        self._path(name).unlink(missing_ok=True)

    def names(self) -> Iterator[str]:
        """Every name that is kept. Raises `StoreUnusable`."""
        with _usable(self._folder):
            paths = sorted(self._folder.glob("[0-9a-f][0-9a-f]/*"))
        yield from (path.name for path in paths)

    def remove_leftovers(self) -> int:
        """Remove what intakes that were killed left in `incoming/`; returns how many.

        Raises `StoreUnusable` for what cannot be removed, once all the rest is.
        """
        removed = 0
        failure: OSError | None = None
        with _usable(self._folder):
            for path in self._incoming.glob("*"):
                try:
                    removed += _remove_if_old(path)
                except OSError as exc:
                    failure = exc
        if failure:
            hint = "see what it is and take it away: only the node's own files belong there"
            raise StoreUnusable(f"{failure.filename} cannot be removed: {failure.strerror}", hint=hint) from failure
        return removed

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError("not a name of this store")
        return self._folder / name[:2] / name


def _digest(file: BinaryIO, tick: Callable[[int], None]) -> str:
    sha256 = hashlib.sha256()
    block = memoryview(bytearray(_BLOCK_BYTES))
    while count := file.readinto(block):  # type: ignore[attr-defined]
        sha256.update(block[:count])
        tick(count)
    return sha256.hexdigest()


def _copy(source: BinaryIO, target: Path, max_bytes: int) -> tuple[str, int]:
    sha256, size = hashlib.sha256(), 0
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    # Buffered: a raw write may keep a part of a block on a full disk, and say so only by the count it gives back.
    with os.fdopen(descriptor, "wb") as file:
        while block := _read(source):
            size += len(block)
            if size > max_bytes:
                raise FileTooLarge(f"the file has more than {max_bytes} bytes")
            sha256.update(block)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    return sha256.hexdigest(), size


def _read(source: BinaryIO) -> bytes:
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


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _usable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise StoreUnusable(f"the library's folder {folder} failed: {exc.strerror}") from exc
