"""Counters of calls, one row each, that every web process shares.

On PostgreSQL they are an unlogged table of the office's database. On SQLite they have a file of their own beside it
that is never synced: counting neither waits behind a durable write nor slows one, and a lost file loses nothing.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from limits.storage import Storage
from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Engine,
    MetaData,
    Table,
    Text,
    create_engine,
    delete,
    event,
    select,
    text,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateTable

from office_node import clock
from office_node.errors import OfficeNodeError
from office_node.storage.database import Database, first_line
from office_node.storage.write_lock import WriteLock, WriteLockUnavailable

_PATIENCE_SECONDS = 1.0
_CLOCK_TOLERANCE_SECONDS = 60  # by so much the clocks of two hosts may differ

# Not one of `Records`: SQLite's main file does not have it.
RATE_COUNTERS = Table(
    "rate_counters",
    MetaData(),
    Column("key", Text, primary_key=True),
    Column("hits", BigInteger, nullable=False),
    Column("ends_at", Double, nullable=False),
)
_row = RATE_COUNTERS.c

# Both databases read this alike. A window that ends later than any could was begun before the clock was set back.
_COUNT = text("""
    INSERT INTO rate_counters (key, hits, ends_at) VALUES (:key, :amount, :ends_at)
    ON CONFLICT (key) DO UPDATE SET
        hits = CASE WHEN rate_counters.ends_at > :now AND rate_counters.ends_at <= :last
            THEN rate_counters.hits + excluded.hits ELSE excluded.hits END,
        ends_at = CASE WHEN rate_counters.ends_at > :now AND rate_counters.ends_at <= :last
            THEN rate_counters.ends_at ELSE excluded.ends_at END
    RETURNING hits
""")


class CountersUnusable(OfficeNodeError):
    """Calls cannot be counted for now."""

    code = "N419"
    hint = "see that the database is well; on SQLite the counters lie beside it in *-counters.db, which may be deleted"


class RateCounters(Storage):
    """The store that the limits library counts in. A window begins with its first hit and is counted by one statement.

    Every method raises `limits.errors.StorageError` around a `CountersUnusable`.
    """

    STORAGE_SCHEME = None
    base_exceptions = CountersUnusable

    def __init__(self, database: Database) -> None:
        super().__init__(wrap_exceptions=True)
        self._lock: WriteLock | None = None
        if database.is_sqlite:
            main = Path(str(database.engine.url.database))
            file = main.with_name(f"{main.stem}-counters{main.suffix}")
            self._engine = _open_beside(file)
            self._lock = WriteLock(file.with_name(file.name + ".write-lock"), _PATIENCE_SECONDS)
        else:
            self._engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count, in a new window of `expiry` seconds if the last one has ended; how many it has now."""
        now = clock.now().timestamp()
        ends_at = now + expiry
        hit = {"key": key, "amount": amount, "now": now, "ends_at": ends_at, "last": ends_at + _CLOCK_TOLERANCE_SECONDS}
        with self._writing(), self._engine.connect() as connection:
            return int(connection.execute(_COUNT, hit).scalar_one())

    def get(self, key: str) -> int:
        """How many the present window of `key` has."""
        present = select(_row.hits).where(_row.key == key, _row.ends_at > clock.now().timestamp())
        with _translated(), self._engine.connect() as connection:
            return int(connection.execute(present).scalar() or 0)

    def get_expiry(self, key: str) -> float:
        """When that window ends; now, if there is none."""
        with _translated(), self._engine.connect() as connection:
            ends_at = connection.execute(select(_row.ends_at).where(_row.key == key)).scalar()
        return float(ends_at or clock.now().timestamp())

    def check(self) -> bool:
        """Whether calls can be counted. Raises instead of saying no."""
        self.get("")
        return True

    def reset(self) -> int:
        """Forget everything; how many windows that were."""
        return self._delete(True)

    def clear(self, key: str) -> None:
        """Forget the window of `key`."""
        self._delete(_row.key == key)

    def forget_expired(self) -> int:
        """Remove the windows that have ended; how many they were. Raises `CountersUnusable`."""
        return self._delete(_row.ends_at <= clock.now().timestamp())

    def close(self) -> None:
        """Let every connection go."""
        self._engine.dispose()

    def _delete(self, which: Any) -> int:
        with self._writing(), self._engine.connect() as connection:
            return connection.execute(delete(RATE_COUNTERS).where(which)).rowcount

    @contextmanager
    def _writing(self) -> Iterator[None]:
        lock: AbstractContextManager[None] = self._lock.held() if self._lock else nullcontext()
        with _translated(), lock:
            yield


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, WriteLockUnavailable) as exc:
        raise CountersUnusable(f"the counters cannot be used: {first_line(exc)}") from exc


def _open_beside(file: Path) -> Engine:
    engine = create_engine(
        f"sqlite:///{file}", isolation_level="AUTOCOMMIT", max_overflow=64, pool_timeout=_PATIENCE_SECONDS
    )

    @event.listens_for(engine, "do_connect")
    def _private(*_: Any) -> None:
        if not file.exists():
            file.touch(mode=0o600)  # who called from where is nobody else's business

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={int(_PATIENCE_SECONDS * 1000)}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=OFF")
        cursor.execute(str(CreateTable(RATE_COUNTERS, if_not_exists=True).compile(engine)))
        cursor.close()

    return engine
