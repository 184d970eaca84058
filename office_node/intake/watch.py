"""Looks at the watched folder, and has what no longer changes taken: once, however many workers look.

A pair is settled when two looks, so and so long apart by this machine's steady clock, find it the same: the times of
files may come from a server whose clock differs. That it is to be taken is a message of the outbox whose effect is
this very state of these very files; so two workers that see the same write the same message.
"""

import hashlib
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

import structlog

from office_node.headroom import Headroom
from office_node.intake.decisions import REQUEST
from office_node.intake.files import Mark
from office_node.intake.folder import Drop, IntakeFolder
from office_node.outbox.outbox import Outbox
from office_node.outbox.records import MessageState
from office_node.storage.database import Database

log = structlog.get_logger()

TAKE_IN = "take_in"
_MOST_LOOKS = 2000
_MOST_PUT = 500
_PUT_AT_ONCE = 100
_ASK_AGAIN_SECONDS = 10.0
_LONGEST_NAME_BYTES = 200
_UNNAMED = "unnamed"


@dataclass(slots=True)
class _Look:
    """What was seen under one name, since when it is so, and when its message was put."""

    files: Mapping[str, str]
    marks: Mapping[str, Mark]
    since: float
    put_at: float | None = None


class Watch:
    """One worker's eyes on the folder."""

    def __init__(
        self,
        *,
        folder: IntakeFolder,
        database: Database,
        outbox: Outbox,
        settle_seconds: float,
        headroom: Headroom,
    ) -> None:
        self._folder = folder
        self._database = database
        self._outbox = outbox
        self._settle_seconds = settle_seconds
        self._headroom = headroom
        self._looks: dict[str, _Look] = {}

    def look(self) -> int:
        """Look once; returns how many drops were put.

        Raises `IntakeUnusable`, `DatabaseUnavailable`, and `DiskNearlyFull`: then everything is left where it lies.
        """
        self._headroom.insist()
        self._folder.prepare()
        drops = self._folder.drops()
        self._looks = {name: look for name, look in self._looks.items() if name in drops}
        now = time.monotonic()
        settled: dict[str, _Look] = {}
        for looked_at, name in enumerate(self._worth_a_look(drops, now)):
            if looked_at == _MOST_LOOKS or len(settled) == _MOST_PUT:
                break
            if self._is_settled(name, drops[name], now):
                settled[name] = self._looks[name]
        # What came first is taken first, as a rule: several are taken at once.
        names = sorted(settled, key=lambda name: settled[name].marks[REQUEST].modified_ns)
        for begin in range(0, len(names), _PUT_AT_ONCE):
            self._put({name: settled[name] for name in names[begin : begin + _PUT_AT_ONCE]}, now)
        return len(settled)

    def _worth_a_look(self, drops: Mapping[str, Mapping[str, str]], now: float) -> Iterator[str]:
        """First what may have settled, then what is new, then what was put and lies there still."""
        due, new, again = [], [], []
        for name, files in drops.items():
            look = self._looks.get(name)
            if look is None or look.files != files:
                new.append(name)
            elif look.put_at is None and now - look.since >= self._settle_seconds:
                due.append(name)
            elif look.put_at is not None:
                again.append(name)
        yield from due
        yield from new
        yield from again

    def _is_settled(self, name: str, files: Mapping[str, str], now: float) -> bool:
        """Whether this look finds what an earlier one found; else it is the first."""
        marks = self._folder.marks(files)
        look = self._looks.get(name)
        if marks is None:
            self._looks.pop(name, None)
            return False
        if look is None or look.files != files or look.marks != marks:
            self._looks[name] = _Look(files, marks, now)
            return False
        is_put = look.put_at is not None and now - look.put_at < _ASK_AGAIN_SECONDS
        return not is_put and now - look.since >= self._settle_seconds

    def _put(self, settled: Mapping[str, _Look], now: float) -> None:
        unknown = self._unknown_effects({_effect_key(name, look): name for name, look in settled.items()})
        if unknown:
            with self._database.transaction() as session:
                for key, name in unknown.items():
                    ticket = ticket_of(name, key)
                    payload = _payload(name, settled[name], ticket)
                    self._outbox.put(session, TAKE_IN, key, payload, ticket.rpartition("~")[2])
        for look in settled.values():
            look.put_at = now

    def _unknown_effects(self, keys: Mapping[str, str]) -> dict[str, str]:
        """Those of the names that no message is about, each with an effect of its own.

        What was dealt with and lies there all the same was put back by means that change no time of it: taken anew.
        """
        unknown: dict[str, str] = {}
        asked = dict(keys)
        while asked:
            states = self._outbox.states(asked.keys())
            unknown |= {key: name for key, name in asked.items() if key not in states}
            asked = {
                _next_generation(key): name
                for key, name in asked.items()
                if states.get(key) == MessageState.SETTLED and self._lies_there_still(name)
            }
        return unknown

    def _lies_there_still(self, name: str) -> bool:
        look = self._looks[name]
        return self._folder.marks(look.files) == look.marks


def ticket_of(name: str, effect_key: str) -> str:
    """What the files are called in `taken/`, and the operation is asked for as."""
    return f"{name if is_sound(name) else _UNNAMED}~{hashlib.sha256(effect_key.encode()).hexdigest()[:16]}"


def is_sound(name: str) -> bool:
    """Whether a name can be kept: UTF-8, printable, of a length that leaves room for what is added to it."""
    try:
        return name.isprintable() and len(name.encode()) <= _LONGEST_NAME_BYTES
    except UnicodeEncodeError:
        return False


def drop_in(payload: Mapping[str, Any]) -> Drop:
    """The drop that a message is about."""
    files = {extension: (_unquoted(name), Mark.parse(mark)) for extension, (name, mark) in payload["files"].items()}
    return Drop(_unquoted(payload["name"]), files, payload["ticket"])


def _payload(name: str, look: _Look, ticket: str) -> dict[str, Any]:
    files = {extension: [_quoted(look.files[extension]), str(mark)] for extension, mark in look.marks.items()}
    return {"name": _quoted(name), "ticket": ticket, "files": files}


def _effect_key(name: str, look: _Look) -> str:
    seen = [(_quoted(look.files[extension]), str(mark)) for extension, mark in sorted(look.marks.items())]
    return f"{TAKE_IN}:{hashlib.sha256(repr((_quoted(name), seen)).encode()).hexdigest()}:0"


def _next_generation(effect_key: str) -> str:
    key, _, generation = effect_key.rpartition(":")
    return f"{key}:{int(generation) + 1}"


def _quoted(name: str) -> str:
    """A file's name of any bytes, as text that every database and log keeps."""
    return quote_from_bytes(os.fsencode(name), safe=" ")


def _unquoted(text: str) -> str:
    return os.fsdecode(unquote_to_bytes(text))
