"""Files that are being kept, by name: noted before a file gets its name, forgotten with its row in the catalogue.

A kill in between leaves a file that no row names. By this note it is known as such and cleared away; a file that was
never noted is nobody's leftover, and stays for a human.
"""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import String, delete, exists, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from office_node import clock
from office_node.library.damage import StoreUnusable
from office_node.library.records import VersionRecord
from office_node.library.store import Store
from office_node.storage.columns import UtcDateTime
from office_node.storage.database import Database, Records

log = structlog.get_logger()

LEFT_BEHIND_AFTER = timedelta(minutes=15)  # between the two steps lie milliseconds


class KeepingRecord(Records):
    """A file between its name and its row."""

    __tablename__ = "keepings"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    is_left_behind: Mapped[bool] = mapped_column(default=False)
    """Once this is set no row may be written for it any more."""


def begin(session: Session, name: str) -> None:
    """The file is about to get its name."""
    session.add(KeepingRecord(name=name, since=clock.now()))


def end(session: Session, name: str) -> None:
    """Its row is written, in this transaction. Raises `StoreUnusable` when it was cleared away meanwhile."""
    kept = delete(KeepingRecord).where(KeepingRecord.name == name, KeepingRecord.is_left_behind.is_(False))
    if session.execute(kept.returning(KeepingRecord.name)).first() is None:
        raise StoreUnusable("the file was cleared away as a leftover before its row was written: give it again")


def under_way(session: Session) -> set[str]:
    """Every name between its two steps."""
    return set(session.scalars(select(KeepingRecord.name)))


class Leftovers:
    """Clears away what killed processes left between the two steps."""

    def __init__(self, database: Database, store: Store) -> None:
        self._database = database
        self._store = store

    def remove(self) -> int:
        """How many there were. Raises `StoreUnusable`, and goes on with the rest the next time."""
        old = KeepingRecord.since < clock.now() - LEFT_BEHIND_AFTER
        has_row = exists().where(VersionRecord.id == KeepingRecord.name)
        with self._database.transaction() as session:
            session.execute(update(KeepingRecord).where(old, ~has_row).values(is_left_behind=True))
            names = list(session.scalars(select(KeepingRecord.name).where(KeepingRecord.is_left_behind.is_(True))))
        for name in names:
            self._store.discard(name)
            with self._database.transaction() as session:
                session.execute(delete(KeepingRecord).where(KeepingRecord.name == name))
            log.info("file without a row cleared away, a kill had left it", name=name)
        return len(names)
