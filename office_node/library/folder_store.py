"""Files in a folder. The only file of the node that turns names into paths.

A file appears under its name whole or not at all: it is written elsewhere in the folder, synced, then renamed.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from office_node import clock
from office_node.library.damage import FileMissing, StoreUnusable
from office_node.library.store import NAME


class FolderStore:
    """A `Store` in a folder, two hexadecimal digits deep; what is set aside lies in `aside/`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._aside = folder / "aside"

    def keep(self, file: Path, name: str) -> None:
        path = self._path(name)
        with usable(self._folder):
            path.parent.mkdir(exist_ok=True, mode=0o700)
            file.rename(path)
            sync(path.parent)
            sync(self._folder)

    def open(self, name: str) -> BinaryIO:
        path = self._path(name)
        with usable(self._folder):
            try:
                # Without waiting and without following: what is no plain file (a pipe, a link) is not ours.
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            except FileNotFoundError as exc:
                raise FileMissing(f"file {name} is not in the store") from exc
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                raise StoreUnusable(f"file {name} is no plain file")
            return os.fdopen(descriptor, "rb", buffering=0)

    def names(self) -> Iterator[str]:
        with usable(self._folder):
            paths = sorted(self._folder.glob("[0-9a-f][0-9a-f]/*"))
        yield from (path.name for path in paths)

    def discard(self, name: str) -> None:
        with usable(self._folder):
            self._path(name).unlink(missing_ok=True)

    def set_aside(self, name: str) -> None:
        path = self._path(name)
        with usable(self._folder):
            if not os.path.lexists(path):
                return
            self._aside.mkdir(exist_ok=True, mode=0o700)
            path.rename(self._aside / f"{name}.{clock.now():%Y%m%dT%H%M%S%f}")
            sync(self._aside)
            sync(path.parent)

    def presigned(self, name: str, seconds: int, media_type: str) -> str | None:
        return None

    def place(self, name: str) -> str | None:
        return self._path(name).relative_to(self._folder).as_posix()

    def _path(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise ValueError("not a name of this store")
        return self._folder / name[:2] / name


def sync(path: Path) -> None:
    """Let the bytes of a file, or the names in a folder, survive a power cut. Raises `OSError`."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def usable(folder: Path) -> Iterator[None]:
    """What fails within is told as the folder's failure."""
    try:
        yield
    except OSError as exc:
        raise StoreUnusable(f"the library's folder {folder} failed: {exc.strerror}") from exc
