"""Every row of the node as lines of JSON, one file a table: alike for SQLite and PostgreSQL, and from one to the other.

A moment is written as ISO 8601 with its zone, a date as ISO 8601, everything else as JSON has it.
"""

import gzip
import hashlib
import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from office_node.storage.database import Records
from office_node.storage.schema import SchemaReachRecord

SUFFIX = ".jsonl.gz"
_BATCH = 500
Tick = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Dumped:
    """One file of a backup."""

    count: int
    """Lines."""
    sha256: str
    """Of the file as it lies there."""
    size: int
    """Bytes of it."""


def tables(leave_out: Collection[str] = ()) -> list[sa.Table]:
    """The node's tables, in an order in which rows may be inserted."""
    of_the_schema = (SchemaReachRecord.__tablename__,)
    return [table for table in Records.metadata.sorted_tables if table.name not in (*leave_out, *of_the_schema)]


def dump(session: Session, table: sa.Table, folder: Path) -> Dumped:
    """Write the rows of a table, as the session's transaction sees them."""
    rows = session.execute(sa.select(table), execution_options={"yield_per": _BATCH})
    return write_lines(folder / f"{table.name}{SUFFIX}", (dict(row._mapping) for row in rows))


def write_lines(file: Path, lines: Iterator[dict[str, Any]]) -> Dumped:
    """Write one JSON object a line."""
    count = 0
    with file.open("xb") as raw, gzip.GzipFile("", "wb", 5, raw, mtime=0) as packed:
        for line in lines:
            packed.write(json.dumps(line, default=_as_text, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
            count += 1
    return Dumped(count, digest_of(file), file.stat().st_size)


def read_lines(file: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file. Raises `OSError`, `EOFError` or `ValueError` if it is damaged."""
    with gzip.open(file, "rb") as packed:
        for line in packed:
            yield json.loads(line)


def load(connection: sa.Connection, name: str, file: Path, tick: Tick = lambda _count: None) -> int:
    """Insert the rows of a file into the table of that name, as the database has it; returns how many."""
    table = sa.Table(name, sa.MetaData(), autoload_with=connection, resolve_fks=False)
    readers = {column.name: _reader(column.type, connection.dialect.name) for column in table.columns}
    count = 0
    for batch in _batches(read_lines(file)):
        rows = [{key: readers[key](value) for key, value in row.items()} for row in batch]
        connection.execute(sa.insert(table), rows)
        count += len(batch)
        tick(len(batch))
    return count


def copy_all(source: Session, target: Session, table: sa.Table) -> None:
    """Every row of a table, from one database into another."""
    rows = source.execute(sa.select(table), execution_options={"yield_per": _BATCH})
    for batch in rows.partitions(_BATCH):
        target.execute(sa.insert(table), [dict(row._mapping) for row in batch])


def digest_of(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _as_text(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is in no row")


def _reader(kind: sa.types.TypeEngine[Any], dialect: str) -> Callable[[Any], Any]:
    if isinstance(kind, sa.DateTime):
        return _naive if dialect == "sqlite" else _moment
    if isinstance(kind, sa.Date):
        return _date
    return _as_it_is


def _moment(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value is not None else None


def _naive(value: str | None) -> datetime | None:
    """SQLite keeps moments in UTC without their zone."""
    moment = _moment(value)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment else None


def _date(value: str | None) -> date | None:
    return date.fromisoformat(value) if value is not None else None


def _as_it_is(value: Any) -> Any:
    return value
