"""The keys of one use while they roll over. No state is kept: the name of a file says from when its key counts.

`token_signing.pem` is the first key; `token_signing.20261122T101500Z.pem` beside it signs from that moment (UTC).
A key that is to come is published already, and an old one is accepted until the last token it signed is dead.
"""

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import structlog
from joserfc.jwk import ECKey

from office_node import clock
from office_node.auth import keys
from office_node.auth.certificates import ALWAYS, FOREVER
from office_node.auth.keys import KeyUnusable
from office_node.auth.unverified_jws import CLOCK_TOLERANCE_SECONDS

log = structlog.get_logger()

LOOK_SECONDS = 5.0
"""How soon a process sees a file that was laid into the folder."""
_MOMENT = "%Y%m%dT%H%M%SZ"
_MOMENT_IN_NAME = re.compile(r"\d{8}T\d{6}Z")

State = Literal["next", "active", "old", "retired"]


@dataclass(frozen=True, slots=True)
class RingKey:
    """A key of a ring and its time."""

    file: Path
    key: ECKey
    since: datetime
    """From when it signs; ALWAYS for the first key."""
    until: datetime
    """From when it is retired; FOREVER while no other follows."""


def dated(path: Path, moment: datetime) -> Path:
    """The name of a key, or of a file that belongs to it, that counts from a moment."""
    return _with_mark(path, moment.strftime(_MOMENT))


def waiting(path: Path) -> Path:
    """The name of a key that waits for an administrator to give it a moment."""
    return _with_mark(path, "next")


def files_of(path: Path) -> list[Path]:
    """The files of the ring that are there; the first key's name also when there is none, to be told of."""
    try:
        beside = [file for file in path.parent.iterdir() if _is_dated(file, path)]
    except OSError:
        beside = []
    return [path, *beside] if keys.is_there(path) or not beside else beside


def read_ring(
    path: Path, overlap_seconds: float | None, load: Callable[[Path], ECKey] = keys.load_private_key
) -> tuple[tuple[RingKey, ...], list[tuple[Path, KeyUnusable]]]:
    """Every usable key of the ring, oldest first, and what is wrong with each file that is none.

    An old key is retired `overlap_seconds` and the tolerance of clocks after the next began; None: it never is.
    """
    found, faults = [], []
    for file in files_of(path):
        try:
            found.append((file, load(file), ALWAYS if file == path else _moment_of(file)))
        except KeyUnusable as exc:
            faults.append((file, exc))
    found.sort(key=lambda entry: entry[2])
    ends = [_end(since, overlap_seconds) for _, _, since in found[1:]] + [FOREVER]
    return tuple(RingKey(*entry, until) for entry, until in zip(found, ends, strict=False)), faults


def active_in(ring: Sequence[RingKey], now: datetime) -> RingKey:
    """The key that signs now: the last that has begun. With none, the first to come, lest a clock stop the service."""
    begun = [entry for entry in ring if entry.since <= now]
    return begun[-1] if begun else ring[0]


def state_of(entry: RingKey, ring: Sequence[RingKey], now: datetime) -> State:
    """Where a key of the ring stands."""
    if entry is active_in(ring, now):
        return "active"
    if entry.since > now:
        return "next"
    return "old" if now < entry.until else "retired"


class KeyRing:
    """The keys of one use, as the folder has them; it is looked at again at most every few seconds.

    Threads share it without waiting: they read one finished tuple, which one of them at a time replaces.
    """

    def __init__(
        self,
        path: Path,
        overlap_seconds: float | None = None,
        load: Callable[[Path], ECKey] = keys.load_private_key,
    ) -> None:
        """Raises `KeyUnusable` when no key can be used."""
        self._load_file = load
        self._path = path
        self._overlap_seconds = overlap_seconds
        self._looking = threading.Lock()
        self._parsed: dict[Path, tuple[tuple[int, ...], ECKey]] = {}
        self._told: set[str] = set()
        self._ring, faults = read_ring(path, overlap_seconds, self._load)
        self._look_at = time.monotonic() + LOOK_SECONDS
        if not self._ring:
            raise faults[0][1]
        self._tell(faults)

    def signing(self) -> ECKey:
        """The key that signs now."""
        return active_in(self._present(), clock.now()).key

    def verifying(self) -> Mapping[str, ECKey]:
        """Every key that is accepted or published now, by kid, newest first."""
        now = clock.now()
        return {str(entry.key.kid): entry.key for entry in reversed(self._present()) if now < entry.until}

    def _present(self) -> tuple[RingKey, ...]:
        if time.monotonic() >= self._look_at and self._looking.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._looking.release()
        return self._ring

    def _look(self) -> None:
        self._look_at = time.monotonic() + LOOK_SECONDS
        ring, faults = read_ring(self._path, self._overlap_seconds, self._load)
        self._tell(faults)
        if ring:  # else the keys at hand serve on: a folder that went away must not stop the service
            self._ring = ring

    def _load(self, file: Path) -> ECKey:
        """The key in the file, parsed once; a file that could not be used is tried again, it may have been mended."""
        mark = _mark(file)
        before = self._parsed.get(file)
        if before is None or before[0] != mark:
            before = self._parsed[file] = mark, self._load_file(file)
        return before[1]

    def _tell(self, faults: list[tuple[Path, KeyUnusable]]) -> None:
        for _, fault in faults:
            if fault.message not in self._told:
                self._told.add(fault.message)
                log.error("key cannot be used", code=fault.code, reason=fault.message, hint=fault.next_step)


def _with_mark(path: Path, mark: str) -> Path:
    return path.with_name(f"{path.stem}.{mark}{path.suffix}")


def _is_dated(file: Path, path: Path) -> bool:
    mark = file.name.removeprefix(f"{path.stem}.").removesuffix(path.suffix)
    return bool(_MOMENT_IN_NAME.fullmatch(mark)) and file == _with_mark(path, mark)


def _moment_of(file: Path) -> datetime:
    found = _MOMENT_IN_NAME.search(file.name)
    try:
        return datetime.strptime(found[0] if found else "", _MOMENT).replace(tzinfo=UTC)
    except ValueError as exc:
        hint = "name it as `office-node keys rotate` does, such as token_signing.20261122T101500Z.pem"
        raise KeyUnusable(f"{file}: its name holds no moment", hint=hint) from exc


def _end(next_since: datetime, overlap_seconds: float | None) -> datetime:
    if overlap_seconds is None:
        return FOREVER
    return next_since + timedelta(seconds=overlap_seconds + CLOCK_TOLERANCE_SECONDS)


def _mark(file: Path) -> tuple[int, ...]:
    try:
        found = file.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_ino, found.st_size
