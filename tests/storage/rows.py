"""Rows to write: a counter, which is a document's version number, and assertions, which have a unique key."""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from office_node.auth.used_assertions import UsedAssertionRecord
from office_node.library.records import DocumentRecord
from office_node.storage.database import Database

MOMENT = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
COUNTER = "c" * 32


def assertion(replay_key: str, kept_until: datetime = MOMENT) -> UsedAssertionRecord:
    return UsedAssertionRecord(replay_key=replay_key, kept_until=kept_until)


def keys_kept(database: Database) -> list[str]:
    with database.reading() as session:
        return sorted(session.scalars(select(UsedAssertionRecord.replay_key)))


def start_counter(database: Database) -> None:
    values: dict[str, Any] = {"kind": "patent", "number": "US 98/012,357", "date": date(2023, 11, 2)}
    with database.transaction() as session:
        session.add(
            DocumentRecord(id=COUNTER, sealed_access_code="", current_version=0, catalogued_at=MOMENT, **values)
        )


def count(database: Database) -> int:
    with database.reading() as session:
        return session.get_one(DocumentRecord, COUNTER).current_version


def step(session: Session) -> None:
    """Read, then write what was read and one more."""
    record = session.get_one(DocumentRecord, COUNTER)
    record.current_version += 1
    session.flush()
