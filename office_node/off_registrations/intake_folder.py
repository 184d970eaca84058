"""The watched folder: the only file of the intake that turns names into paths there.

Whoever may write into it may put there what he likes: links, pipes, names of any bytes, files that still change. No
link is followed and nothing but plain files is read. A pair is first moved to `taken/`, under a ticket that no other
message has; then to `done/` or `refused/`, under its own name where that is free, else under its ticket. What was
decided about it is written beside it in `taken/` before anything moves on, so a killed worker's move is completed by
the next one.
"""

import errno
import json
import os
import re
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, Self, cast
from uuid import uuid4

from office_node import crash_points
from office_node.errors import OfficeNodeError

Outcome = Literal["done", "refused"]
REQUEST: Final = "json"
CONTENTS: Final = ("pdf", "zip")
MOST_REQUEST_BYTES: Final = 1 << 16

_RESULT = "result.json"
_LEFTOVER_SECONDS = 86_400
_PASSING_OURS = (".tmp", ".reserved")
_PASSING = (".result", ".tmp", ".part")  # before the last dot: what is ours, and what is not finished
_TICKET = re.compile(r"([^./\0][^/\0]{0,220})~[0-9a-f]{16}")


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
    hint = "put the file itself there, readable for the user the node runs as"


class FileChanged(OfficeNodeError):
    """It was still written to, or put there anew, while it was taken."""

    code = "N366"
    hint = "write NAME.json last, or rename it into place; then change nothing, and drop both files again"


class Taken(StrEnum):
    """What came of taking a pair."""

    WHOLE = "whole"
    GONE = "gone"
    """It is no longer there as it was seen; nothing was moved."""
    CHANGED = "changed"
    """Something of it changed while it was moved; what was moved stays in `taken/`."""


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


@dataclass(frozen=True, slots=True)
class Drop:
    """What lies under one name: for each extension (lower case) the file's name, and how it was seen."""

    name: str
    files: Mapping[str, tuple[str, Mark]]
    ticket: str


class IntakeFolder:
    """Looks, takes, reads, and gives back. Every method raises `IntakeUnusable` when the folder fails."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def prepare(self) -> None:
        """Make what is missing of the folder and its subfolders."""
        with self._usable():
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Whoever may use the folder may use what the node made in it; but `taken/` is the node's alone.
            shared = stat.S_IMODE(self._folder.stat().st_mode)
            for name, mode in (("taken", 0o700), ("done", shared), ("refused", shared)):
                with suppress(FileExistsError):
                    (self._folder / name).mkdir(mode=0o700)
                    (self._folder / name).chmod(mode)

    def drops(self) -> dict[str, dict[str, str]]:
        """Every name with a request, and its files by extension. Looks at names alone, so 100,000 cost little."""
        found: dict[str, dict[str, str]] = {}
        with self._usable(), os.scandir(self._folder) as entries:
            for entry in entries:
                name, _, extension = entry.name.rpartition(".")
                extension = extension.lower()
                if extension in (REQUEST, *CONTENTS) and _is_finished(name) and not entry.is_dir(follow_symlinks=False):
                    files = found.setdefault(name, {})
                    files[extension] = min(entry.name, files.get(extension, entry.name))
        return {name: files for name, files in found.items() if REQUEST in files}

    def marks(self, files: Mapping[str, str]) -> dict[str, Mark] | None:
        """How these files are now; None if one has gone."""
        with self._usable(), self._opened() as (folder,):
            found = {extension: _stat(folder, name) for extension, name in files.items()}
        marks = {extension: Mark.of(seen) for extension, seen in found.items() if seen}
        return marks if len(marks) == len(found) else None

    def has_content(self, name: str) -> bool:
        """Whether a content lies beside the request of this name now."""
        with self._usable(), self._opened() as (folder,):
            extensions = (*CONTENTS, *map(str.upper, CONTENTS))
            return any(_stat(folder, f"{name}.{extension}") for extension in extensions)

    def read_untaken(self, drop: Drop) -> bytes | None:
        """A request that still lies where it was dropped; None if it does no longer. Raises `FileUnreadable`."""
        name, mark = drop.files[REQUEST]
        with self._usable(), self._opened() as (folder,):
            found = _stat(folder, name)
            return _read(folder, name) if found and Mark.of(found) == mark else None

    def take(self, drop: Drop) -> Taken:
        """Move a drop to `taken/`, the request last: where that is, all is. What was begun is gone on with."""
        with self._usable(), self._opened(None, "taken") as (folder, taken):
            there = _stat(taken, f"{drop.ticket}.{REQUEST}")
            if there:
                return Taken.WHOLE if drop.files[REQUEST][1].is_content_of(there) else Taken.CHANGED
            order = sorted(drop.files, key=lambda extension: extension == REQUEST)
            begun = [extension for extension in order if _stat(taken, f"{drop.ticket}.{extension}")]
            for extension in order:
                name, mark = drop.files[extension]
                found = _stat(folder, name)
                if extension not in begun and not (found and Mark.of(found) == mark):
                    return Taken.CHANGED if begun else Taken.GONE
            for extension in order:
                name, mark = drop.files[extension]
                target = f"{drop.ticket}.{extension}"
                if extension not in begun:
                    if extension == REQUEST:
                        crash_points.reached("intake: content taken, the request not")
                    os.rename(name, target, src_dir_fd=folder, dst_dir_fd=taken)
                found = _stat(taken, target)
                if not (found and mark.is_content_of(found)):
                    return Taken.CHANGED
            os.fsync(taken)
            os.fsync(folder)
            return Taken.WHOLE

    def read(self, ticket: str) -> bytes:
        """The request that was taken. Raises `FileUnreadable`."""
        with self._usable(), self._opened("taken") as (taken,):
            return _read(taken, f"{ticket}.{REQUEST}")

    @contextmanager
    def content(self, ticket: str) -> Iterator[BinaryIO | None]:
        """The content that was taken, if there is one. Raises `FileUnreadable`; reading it `FileChanged`."""
        with self._usable(), self._opened("taken") as (taken,):
            names = [name for extension in CONTENTS if _stat(taken, name := f"{ticket}.{extension}")]
            file = _open(taken, names[0]) if names else None
        if file is None:
            yield None
            return
        with file:
            yield cast(BinaryIO, _Steady(file))

    def finish(self, ticket: str, outcome: Outcome, result: Mapping[str, Any]) -> None:
        """Decide what becomes of what was taken, unless that is decided, and carry the decision out."""
        with self._usable(), self._opened("taken", outcome) as (taken, target):
            if _stat(taken, f"{ticket}.{_RESULT}") is None:
                told = {**result, "outcome": outcome, "kept_as": _free_name(target, ticket)}
                _write(taken, f"{ticket}.{_RESULT}", json.dumps(told, indent=2).encode() + b"\n")
                os.fsync(taken)
        crash_points.reached("intake: decided, nothing moved on")
        self.complete(ticket)

    def complete(self, ticket: str) -> bool:
        """Carry out what was decided; False if nothing is. The result comes last: whoever sees it finds the rest."""
        with self._usable(), self._opened("taken", "done", "refused") as (taken, done, refused):
            folders: dict[str, int] = {"done": done, "refused": refused}
            decision = _decision(taken, ticket)
            if decision is None:
                for folder in folders.values():
                    _let_go(folder, ticket)
                return False
            outcome, name = decision
            for extension in (*CONTENTS, REQUEST):
                if extension == REQUEST:
                    crash_points.reached("intake: content moved on, the request not")
                _move(taken, f"{ticket}.{extension}", folders[outcome], f"{name}.{extension}")
            crash_points.reached("intake: both moved on, the result not")
            os.fsync(folders[outcome])
            _move(taken, f"{ticket}.{_RESULT}", folders[outcome], f"{name}.{_RESULT}")
            _let_go(folders[outcome], ticket)
            os.fsync(folders[outcome])
            os.fsync(taken)
            return True

    def remove_leftovers(self) -> int:
        """Remove what killed workers left half written or reserved; returns how many files."""
        with self._usable(), self._opened("taken", "done", "refused") as folders:
            return sum(map(_remove_leftovers, folders))

    def holds(self, ticket: str) -> bool:
        """Whether the request of this ticket lies in `taken/`."""
        with self._usable(), self._opened("taken") as (taken,):
            return _stat(taken, f"{ticket}.{REQUEST}") is not None

    @contextmanager
    def _opened(self, *names: str | None) -> Iterator[tuple[int, ...]]:
        """Descriptors of subfolders; None is the folder itself. A link in the place of one is refused."""
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        with ExitStack() as stack:
            opened = []
            for name in names or (None,):
                path, more = (self._folder / name, os.O_NOFOLLOW) if name else (self._folder, 0)
                opened.append(os.open(path, flags | more))
                stack.callback(os.close, opened[-1])
            yield tuple(opened)

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise IntakeUnusable(f"the watched folder {self._folder} failed: {exc.strerror}") from exc


class _Steady:
    """A plain file, to be read to an end that it has only if it is as it was when it was opened."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._mark = Mark.of(os.fstat(file.fileno()))

    def read(self, size: int = -1, /) -> bytes:
        block = self._file.read(size)
        if not block and not self._mark.is_content_of(os.fstat(self._file.fileno())):
            raise FileChanged("the content changed while it was read")
        return block


def is_ticket(text: str) -> bool:
    """Whether this is a name that `take` gave."""
    return _TICKET.fullmatch(text) is not None


def name_in(ticket: str) -> str:
    """The name under which it was dropped."""
    return ticket.rpartition("~")[0]


def _is_finished(name: str) -> bool:
    return bool(name) and not name.startswith((".", "~")) and not name.lower().endswith(_PASSING)


def _stat(folder: int, name: str) -> os.stat_result | None:
    with suppress(FileNotFoundError):
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    return None


def _open(folder: int, name: str) -> BinaryIO:
    """A plain file, unbuffered. Asked twice what it is: opening a device may already do something."""
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


def _read(folder: int, name: str) -> bytes:
    with _open(folder, name) as file:
        content = b""
        while len(content) <= MOST_REQUEST_BYTES and (block := file.read(MOST_REQUEST_BYTES + 1 - len(content))):
            content += block
        return content


def _write(folder: int, name: str, content: bytes) -> None:
    """Appears whole or not at all."""
    temporary = f".{uuid4().hex}.tmp"
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with os.fdopen(os.open(temporary, flags, 0o644, dir_fd=folder), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=folder)


def _move(source: int, name: str, target: int, new_name: str) -> None:
    with suppress(FileNotFoundError):  # moved by the worker that was here before
        os.rename(name, new_name, src_dir_fd=source, dst_dir_fd=target)


def _reservation(ticket: str) -> str:
    return f".{name_in(ticket)}.reserved"


def _free_name(folder: int, ticket: str) -> str:
    """The name it was dropped under, reserved for this ticket; the ticket itself if that name is taken."""
    name = name_in(ticket)
    _reserve(folder, ticket)
    if not _is_reserved(folder, ticket):
        return ticket
    if any(_stat(folder, f"{name}.{extension}") for extension in (*CONTENTS, REQUEST, _RESULT)):
        _let_go(folder, ticket)
        return ticket
    return name


def _reserve(folder: int, ticket: str) -> None:
    """Unless another ticket has. No two hosts may find a name free at once, and none may wait for the other."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        descriptor = os.open(_reservation(ticket), flags, 0o644, dir_fd=folder)
    except FileExistsError:
        return
    try:
        os.write(descriptor, ticket.encode())
    except OSError:
        os.unlink(_reservation(ticket), dir_fd=folder)
        raise
    finally:
        os.close(descriptor)


def _is_reserved(folder: int, ticket: str) -> bool:
    with suppress(FileNotFoundError, FileUnreadable):
        return _read(folder, _reservation(ticket)) == ticket.encode()
    return False


def _let_go(folder: int, ticket: str) -> None:
    if _is_reserved(folder, ticket):
        with suppress(FileNotFoundError):
            os.unlink(_reservation(ticket), dir_fd=folder)


def _remove_leftovers(folder: int) -> int:
    """No worker needs such a file for more than moments."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.name[0] == "." and entry.name.endswith(_PASSING_OURS)]
    removed = 0
    for name in names:
        found = _stat(folder, name)
        if found and found.st_mtime < time.time() - _LEFTOVER_SECONDS:
            os.unlink(name, dir_fd=folder)
            removed += 1
    return removed


def _decision(taken: int, ticket: str) -> tuple[str, str] | None:
    if _stat(taken, f"{ticket}.{_RESULT}") is None:
        return None
    try:
        told = json.loads(_read(taken, f"{ticket}.{_RESULT}"))
        outcome, name = told["outcome"], told["kept_as"]
    except FileNotFoundError:
        return None  # another worker has just carried it out
    except (ValueError, KeyError, TypeError, FileUnreadable) as exc:
        raise IntakeUnusable(f"what was decided about {ticket} cannot be read") from exc
    if outcome not in ("done", "refused") or name not in (ticket, name_in(ticket)):
        raise IntakeUnusable(f"what was decided about {ticket} is no decision")
    return outcome, name
