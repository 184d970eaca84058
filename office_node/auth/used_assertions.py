"""The replay store: a client assertion is spent by one INSERT, before anything is minted for it.

Shared by every process and kept over restarts; an entry outlives the time in which its assertion would be accepted.
"""

from datetime import datetime, timedelta

from sqlalchemy import CursorResult, String, delete
from sqlalchemy.orm import Mapped, mapped_column

from office_node import clock
from office_node.auth.unverified_jws import CLOCK_TOLERANCE_SECONDS
from office_node.storage.columns import UtcDateTime
from office_node.storage.database import Database, Records


class UsedAssertionRecord(Records):
    """One assertion that was accepted; `replay_key` is a SHA-256 in hexadecimal."""

    __tablename__ = "used_assertions"

    replay_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    kept_until: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class UsedAssertions:
    """Remembers which assertions were used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, replay_key: str, expires_at: datetime) -> bool:
        """Spend an assertion; False if somebody spent it before. Raises `DatabaseUnavailable`."""
        # Longer than the tolerance by a second, so that a rounded clock never opens a gap.
        kept_until = expires_at + timedelta(seconds=CLOCK_TOLERANCE_SECONDS + 1)
        values = {"replay_key": replay_key, "kept_until": kept_until}
        with self._database.transaction() as session:
            return self._database.insert_once(session, UsedAssertionRecord, values)

    def forget_expired(self) -> int:
        """Drop entries whose assertions nobody would accept any more; returns how many."""
        with self._database.transaction() as session:
            result = session.execute(delete(UsedAssertionRecord).where(UsedAssertionRecord.kept_until < clock.now()))
            return result.rowcount if isinstance(result, CursorResult) else 0
