"""Files of the watched folder, by descriptors of its subfolders: nothing is followed, only plain files are read."""

import errno
import os
import stat
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, Final, Self
from uuid import uuid4

from office_node.errors import OfficeNodeError

MOST_REQUEST_BYTES: Final = 1 << 16
_LEFTOVER_SECONDS = 86_400
_PASSING = (".tmp", ".reserved")


class IntakeUnusable(OfficeNodeError):
    """The watched folder cannot be read or written."""

    code = "N360"
    hint = (
        "see that the folder named by [intake] folder has room, belongs to the node's user, and that taken/, done/ and"
        " refused/ are folders on the same file system"
    )


class FileUnreadable(OfficeNodeError):
    """A link, a pipe, or a file that the node's user may not read."""

    code = "N362"
    owner = "office"
    hint = "put the file itself there, readable for the user the node runs as"


class FileChanged(OfficeNodeError):
    """It was still written to, or put there anew, while it was taken."""

    code = "N366"
    owner = "office"
    hint = "write NAME.json last, or rename it into place; then change nothing, and drop both files again"


@dataclass(frozen=True, slots=True)
class Mark:
    """What tells one state of a file from another."""

    size: int
    modified_ns: int
    changed_ns: int
    """Moves with a rename too: a file that is put back is another."""

    @classmethod
    def of(cls, found: os.stat_result) -> Self:
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns)

    @classmethod
    def parse(cls, text: str) -> Self:
        return cls(*map(int, text.split(".")))

    def __str__(self) -> str:
        return f"{self.size}.{self.modified_ns}.{self.changed_ns}"

    def is_content_of(self, found: os.stat_result) -> bool:
        """Whether `found` is the same but for having been moved."""
        return (self.size, self.modified_ns) == (found.st_size, found.st_mtime_ns)


class Steady:
    """A plain file, to be read to an end that it has only if it is as it was when it was opened."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._mark = Mark.of(os.fstat(file.fileno()))

    def read(self, size: int = -1, /) -> bytes:
        block = self._file.read(size)
        if not block and not self._mark.is_content_of(os.fstat(self._file.fileno())):
            raise FileChanged("the content changed while it was read")
        return block


def look_at(folder: int, name: str) -> os.stat_result | None:
    """What it is, links not followed; None if it is not there."""
    with suppress(FileNotFoundError):
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    return None


def open_plain(folder: int, name: str) -> BinaryIO:
    """A plain file, unbuffered. Raises `FileUnreadable`."""
    # Asked twice what it is: opening a device may already do something.
    plain = f"the {name.rpartition('.')[2]} is no plain file"
    found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if not stat.S_ISREG(found.st_mode):
        raise FileUnreadable(plain)
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        file = os.fdopen(os.open(name, flags, dir_fd=folder), "rb", buffering=0)
    except OSError as exc:
        if exc.errno in (errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENXIO):
            raise FileUnreadable(f"the {name.rpartition('.')[2]} cannot be opened: {exc.strerror}") from exc
        raise
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise FileUnreadable(plain)
    return file


def read_small(folder: int, name: str, most_bytes: int = MOST_REQUEST_BYTES) -> bytes:
    """A plain file, or as much of it as shows that it has more than `most_bytes`. Raises `FileUnreadable`."""
    with open_plain(folder, name) as file:
        content = b""
        while len(content) <= most_bytes and (block := file.read(most_bytes + 1 - len(content))):
            content += block
        return content


def write_first(folder: int, name: str, content: bytes) -> None:
    """Appears whole or not at all, and not in the place of one that is there already."""
    temporary = f".{uuid4().hex}.tmp"
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with os.fdopen(os.open(temporary, flags, 0o600, dir_fd=folder), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            with suppress(FileExistsError):
                os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError as exc:  # a file system without links: the last one wins there
            if exc.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS):
                raise
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=folder)


def share_as(folder: int, source: int, name: str) -> None:
    """Let a file of ours be read by whoever `folder` is shared with, whatever the process's umask says."""
    shared = os.fstat(folder)
    if not shared.st_mode & stat.S_IRGRP:
        return
    with suppress(FileNotFoundError), open_plain(source, name) as file:
        with suppress(PermissionError):  # a group that is not ours: then it stays the node's
            os.fchown(file.fileno(), -1, shared.st_gid)
        os.fchmod(file.fileno(), 0o660)


def move(source: int, name: str, target: int, new_name: str) -> None:
    """Give it another place; nothing happens if it has gone there already."""
    with suppress(FileNotFoundError):  # moved by the worker that was here before
        os.rename(name, new_name, src_dir_fd=source, dst_dir_fd=target)


def remove(folder: int, name: str) -> None:
    """Take it away; nothing happens if it has gone."""
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)


def remove_leftovers(folder: int) -> int:
    """Remove what no worker needs for more than moments; returns how many files."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.name[0] == "." and entry.name.endswith(_PASSING)]
    removed = 0
    for name in names:
        found = look_at(folder, name)
        if found and found.st_mtime < time.time() - _LEFTOVER_SECONDS:
            os.unlink(name, dir_fd=folder)
            removed += 1
    return removed
