"""The watched folder: the only room of the intake that turns names into files, this one and the two below it.

Whoever may write into it may put there what he likes: links, pipes, names of any bytes, files that still change. No
link is followed and nothing but plain files is read. A pair is first moved to `taken/`, under a ticket that no other
message has; then to `done/` or `refused/`, under its own name where that is free, else under its ticket. What was
decided about it is written beside it in `taken/` before anything moves on, so a killed worker's move is completed by
the next one.
"""

import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

from office_node import crash_points
from office_node.intake import decisions as intake_decisions
from office_node.intake import files as intake_files
from office_node.intake.decisions import CONTENTS, REQUEST, RESULT
from office_node.intake.files import IntakeUnusable, Mark, Steady

Outcome = Literal["done", "refused"]
_PASSING = (".result", ".tmp", ".part")  # before the last dot: what is ours, and what is not finished


class Taken(StrEnum):
    """What came of taking a pair."""

    WHOLE = "whole"
    GONE = "gone"
    """It is no longer there as it was seen; nothing was moved."""
    CHANGED = "changed"
    """Something of it changed while it was moved; what was moved stays in `taken/`."""


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
            found = {extension: intake_files.look_at(folder, name) for extension, name in files.items()}
        marks = {extension: Mark.of(seen) for extension, seen in found.items() if seen}
        return marks if len(marks) == len(found) else None

    def has_content(self, name: str) -> bool:
        """Whether a content lies beside the request of this name now."""
        with self._usable(), self._opened() as (folder,):
            extensions = (*CONTENTS, *map(str.upper, CONTENTS))
            return any(intake_files.look_at(folder, f"{name}.{extension}") for extension in extensions)

    def read_untaken(self, drop: Drop) -> bytes | None:
        """A request that still lies where it was dropped; None if it does no longer. Raises `FileUnreadable`."""
        name, mark = drop.files[REQUEST]
        with self._usable(), self._opened() as (folder,):
            return intake_files.read_small(folder, name) if _is_as_seen(folder, name, mark) else None

    def take(self, drop: Drop) -> Taken:
        """Move a drop to `taken/`, the request last: where that is, all is. What was begun is gone on with."""
        with self._usable(), self._opened(None, "taken") as (folder, taken):
            if intake_files.look_at(taken, f"{drop.ticket}.{REQUEST}"):
                return _as_taken(taken, drop)
            waiting = [each for each in drop.files if not intake_files.look_at(taken, f"{drop.ticket}.{each}")]
            if not all(_is_as_seen(folder, *drop.files[extension]) for extension in waiting):
                if intake_files.look_at(taken, f"{drop.ticket}.{REQUEST}"):
                    return _as_taken(taken, drop)  # by another worker, while this one looked
                return Taken.GONE if len(waiting) == len(drop.files) else Taken.CHANGED
            for extension in sorted(waiting, key=lambda extension: extension == REQUEST):
                if extension == REQUEST:
                    crash_points.reached("intake: content taken, the request not")
                os.rename(drop.files[extension][0], f"{drop.ticket}.{extension}", src_dir_fd=folder, dst_dir_fd=taken)
            os.fsync(taken)
            os.fsync(folder)
            return _as_taken(taken, drop)

    def read(self, ticket: str) -> bytes:
        """The request that was taken. Raises `FileUnreadable`."""
        with self._usable(), self._opened("taken") as (taken,):
            return intake_files.read_small(taken, f"{ticket}.{REQUEST}")

    @contextmanager
    def content(self, ticket: str) -> Iterator[BinaryIO | None]:
        """The content that was taken, if there is one. Raises `FileUnreadable`; reading it `FileChanged`."""
        with self._usable(), self._opened("taken") as (taken,):
            names = [name for extension in CONTENTS if intake_files.look_at(taken, name := f"{ticket}.{extension}")]
            file = intake_files.open_plain(taken, names[0]) if names else None
        if file is None:
            yield None
            return
        with file:
            yield cast(BinaryIO, Steady(file))

    def finish(self, ticket: str, outcome: Outcome, result: Mapping[str, Any]) -> None:
        """Decide what becomes of what was taken, unless that is decided, and carry the decision out."""
        with self._usable(), self._opened("taken", outcome) as (taken, target):
            if intake_files.look_at(taken, f"{ticket}.{RESULT}") is None:
                told = {**result, "outcome": outcome, "kept_as": intake_decisions.free_name(target, ticket)}
                intake_files.write_first(taken, f"{ticket}.{RESULT}", json.dumps(told, indent=2).encode() + b"\n")
                os.fsync(taken)
        crash_points.reached("intake: decided, nothing moved on")
        self.complete(ticket)

    def complete(self, ticket: str) -> bool:
        """Carry out what was decided; False if nothing is. The result comes last: whoever sees it finds the rest."""
        with self._usable(), self._opened("taken", "done", "refused") as (taken, done, refused):
            decision = intake_decisions.decision_about(taken, ticket)
            if decision is None:
                return False
            outcome, name = decision
            target = {"done": done, "refused": refused}[outcome]
            for extension in (*CONTENTS, REQUEST):
                if extension == REQUEST:
                    crash_points.reached("intake: content moved on, the request not")
                intake_files.move(taken, f"{ticket}.{extension}", target, f"{name}.{extension}")
            crash_points.reached("intake: both moved on, the result not")
            os.fsync(target)
            intake_decisions.let_go(target, ticket)  # what lies there holds the name by now
            if any(intake_files.look_at(target, f"{name}.{extension}") for extension in (*CONTENTS, REQUEST)):
                intake_files.share_as(target, taken, f"{ticket}.{RESULT}")
                intake_files.move(taken, f"{ticket}.{RESULT}", target, f"{name}.{RESULT}")
            else:  # decided by a worker that came late: the pair has gone on already, with another result
                intake_files.remove(taken, f"{ticket}.{RESULT}")
            os.fsync(target)
            os.fsync(taken)
            return True

    def remove_leftovers(self) -> int:
        """Remove what killed workers left half written or reserved; returns how many files."""
        with self._usable(), self._opened("taken", "done", "refused") as folders:
            return sum(map(intake_files.remove_leftovers, folders))

    def holds(self, ticket: str) -> bool:
        """Whether the request of this ticket lies in `taken/`."""
        with self._usable(), self._opened("taken") as (taken,):
            return intake_files.look_at(taken, f"{ticket}.{REQUEST}") is not None

    def is_half_taken(self, name: str) -> bool:
        """Whether a content of this name lies in `taken/` without its request: a worker died between the two moves."""
        with self._usable(), self._opened("taken") as (taken,), os.scandir(taken) as entries:
            there = {entry.name for entry in entries}
        tickets = {each.rpartition(".")[0] for each in there if each.rpartition(".")[2] in CONTENTS}
        return any(
            intake_decisions.name_in(ticket) == name and f"{ticket}.{REQUEST}" not in there for ticket in tickets
        )

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


def _is_finished(name: str) -> bool:
    return bool(name) and not name.startswith((".", "~")) and not name.lower().endswith(_PASSING)


def _is_as_seen(folder: int, name: str, mark: Mark) -> bool:
    found = intake_files.look_at(folder, name)
    return found is not None and Mark.of(found) == mark


def _as_taken(taken: int, drop: Drop) -> Taken:
    """Looked at again: what was put there anew in the moment before it moved belongs to another pair."""
    for extension, (_, mark) in drop.files.items():
        found = intake_files.look_at(taken, f"{drop.ticket}.{extension}")
        if found and not mark.is_content_of(found):
            return Taken.CHANGED
    return Taken.WHOLE
