"""Which workers live: each tells it by a row of its own, every few seconds."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import String, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from office_node import clock
from office_node.storage.columns import UtcDateTime
from office_node.storage.database import Database, Records

BEAT_SECONDS = 5.0
DEAD_AFTER_SECONDS = 60.0  # reliability.md 1
_FORGOTTEN_AFTER = timedelta(days=1)


class WorkerRecord(Records):
    """One worker from its start on."""

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    host: Mapped[str] = mapped_column(String(255))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    beat_at: Mapped[datetime] = mapped_column(UtcDateTime)


@dataclass(frozen=True, slots=True)
class WorkerState:
    """A worker as it was last heard of."""

    host: str
    started_at: datetime
    beat_at: datetime

    @property
    def lives(self) -> bool:
        """Whether it was heard of within the last minute."""
        return clock.now() - self.beat_at < timedelta(seconds=DEAD_AFTER_SECONDS)


class Heartbeat:
    """One worker's row."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._id = uuid4().hex
        self._started_at = clock.now()

    def beat(self) -> int:
        """Say that this worker lives; forget the long dead, and return how many they were."""
        now = clock.now()
        row = {"id": self._id, "host": socket.gethostname(), "started_at": self._started_at, "beat_at": now}
        with self._database.transaction() as session:
            if not self._database.insert_once(session, WorkerRecord, row):
                session.execute(update(WorkerRecord).where(WorkerRecord.id == self._id).values(beat_at=now))
            dead = delete(WorkerRecord).where(WorkerRecord.beat_at < now - _FORGOTTEN_AFTER)
            return len(session.execute(dead.returning(WorkerRecord.id)).all())

    def stop(self) -> int:
        """This worker ends as it was told: its row goes, one."""
        with self._database.transaction() as session:
            session.execute(delete(WorkerRecord).where(WorkerRecord.id == self._id))
        return 1


def workers(database: Database) -> Sequence[WorkerState]:
    """Every worker that was heard of within a day and has not said that it stops. Raises `DatabaseUnavailable`."""
    with database.reading() as session:
        rows = session.scalars(select(WorkerRecord).order_by(WorkerRecord.beat_at.desc()))
        return [WorkerState(row.host, row.started_at, row.beat_at) for row in rows]
