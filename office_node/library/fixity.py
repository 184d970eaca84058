"""Every file read against its digest again and again, slowly: a damage is found while a backup still has the file."""

import threading
import time
from contextlib import suppress
from datetime import timedelta

import structlog
from sqlalchemy import or_, select, update

from office_node import clock, logs
from office_node.errors import OfficeNodeError
from office_node.library.catalogue import Version, version_in
from office_node.library.damage import DocumentDamaged
from office_node.library.digital_library import DigitalLibrary
from office_node.library.records import VersionRecord
from office_node.storage.database import Database

log = structlog.get_logger()

_BATCH = 50
_EARLY = 0.9
"""At which share of its time a file is due: the rest is for what waits before it, and for a worker that was down."""
_ALLOWANCE_SECONDS = 1.0
_MOST_UNREAD = 200
"""So many files that cannot be read end a run: the disk or the key is away, not the files."""
_TOLD_EVERY_SECONDS = 3600


class _Stopped(Exception):
    """The worker stops: what is being read counts as not read."""


class Fixity:
    """Reads what is due, never faster than the budget."""

    def __init__(
        self, *, database: Database, library: DigitalLibrary, every: timedelta, bytes_per_second: float
    ) -> None:
        self._database = database
        self._library = library
        self._every = every * _EARLY
        self._bytes_per_second = bytes_per_second
        self._stopping = threading.Event()
        self._passed_over = 0
        """Files at the head of what is due that could not be read: the next run begins behind them."""
        self._told = logs.Repeats(_TOLD_EVERY_SECONDS)

    def run(self) -> int:
        """Read all that is due, or until told to stop; returns how many files were read."""
        read, unread = 0, 0
        budget = _Budget(self._bytes_per_second, time.monotonic(), self._stopping)
        try:
            self._look_at_what_is_out_of_service(budget)
            while unread < _MOST_UNREAD and (due := self._due()):
                for version in due:
                    was_read = self._check(version, budget)
                    read += was_read
                    unread += not was_read
                    self._passed_over += not was_read
            if unread < _MOST_UNREAD:
                self._passed_over = 0  # all that is due was tried: with the next run it is tried again
        except _Stopped:
            pass
        return read

    def stop(self) -> None:
        """Let `run` return soon."""
        self._stopping.set()

    def _look_at_what_is_out_of_service(self, budget: "_Budget") -> None:
        """An administrator may have put a file back."""
        query = select(VersionRecord).where(VersionRecord.quarantined_at.is_not(None)).limit(_BATCH)
        with self._database.reading() as session:
            damaged = [version_in(record) for record in session.scalars(query)]
        for version in damaged:
            with suppress(OfficeNodeError):
                self._library.check(version, budget.spend)

    def _check(self, version: Version, budget: "_Budget") -> bool:
        try:
            self._library.check(version, budget.spend)
        except DocumentDamaged:
            return True  # told, noted and out of service
        except OfficeNodeError as exc:
            # Nothing is said of the file by a disk or a key that is away: it is tried again with a later run.
            if times := self._told.due(exc.code):
                told = {"code": exc.code, "reason": exc.message, "hint": exc.next_step}
                log.error("document not checked", version_id=version.version_id, times=times, **told)
            return False
        with self._database.transaction() as session:
            session.execute(
                update(VersionRecord).where(VersionRecord.id == version.version_id).values(checked_at=clock.now())
            )
        return True

    def _due(self) -> list[Version]:
        checked_at = VersionRecord.checked_at
        query = (
            select(VersionRecord)
            .where(or_(checked_at.is_(None), checked_at < clock.now() - self._every))
            .where(VersionRecord.quarantined_at.is_(None))
            .order_by(checked_at.asc().nulls_first(), VersionRecord.id)
            .offset(self._passed_over)
            .limit(_BATCH)
        )
        with self._database.reading() as session:
            return [version_in(record) for record in session.scalars(query)]


class _Budget:
    """So many bytes a second, evenly."""

    def __init__(self, bytes_per_second: float, began: float, stopping: threading.Event) -> None:
        self._bytes_per_second = bytes_per_second
        self._began = began
        self._stopping = stopping
        self._spent = 0

    def spend(self, count: int) -> None:
        """Wait until these bytes fit in. Raises `_Stopped`."""
        self._spent += count
        ahead = self._spent / self._bytes_per_second - (time.monotonic() - self._began)
        if self._stopping.wait(max(0.0, ahead - _ALLOWANCE_SECONDS)) or self._stopping.is_set():
            raise _Stopped
