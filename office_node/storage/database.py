"""The database as the rest of the node sees it: `transaction()` to write, `reading()` to look."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, literal, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Session

from office_node.errors import OfficeNodeError
from office_node.storage.write_lock import WriteLock, WriteLockUnavailable

_WRITES = "office_node_writes"
_PATIENCE_SECONDS = 10.0
_TIMEOUTS = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
_NOT_ALLOWED = ("42501", "3F000")  # SQLSTATE: insufficient privilege, no schema to create in
_GRANT = "let the user of [database] url own the database, or create and use tables in its schema"
_RESTORE = "see that [database] url names the node's own file; if it is damaged, restore it from the backup"


class DatabaseUnavailable(OfficeNodeError):
    """The database does not answer, is full or is locked: nothing was written."""

    code = "N201"
    hint = "see that the database runs, has room and is reachable; the node goes on by itself when it is back"


class Records(DeclarativeBase):
    """Base of every table of the node."""


class Database:
    """One engine for SQLite or PostgreSQL.

    SQLite runs in WAL mode with synchronous FULL, every write transaction begins IMMEDIATE under a lock file beside
    the database: a deferred transaction that reads and then writes would fail with "database is locked" at once when
    another committed in between, without waiting at all. No code of ours opens the file itself while it is in use:
    closing it would drop every lock that this process has on it (POSIX).
    """

    def __init__(self, url: str, password: str | None = None, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        """`patience_seconds` is the longest wait for a lock or a free connection."""
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self._write_lock: WriteLock | None = None
        if self.is_sqlite:
            self.engine, self._write_lock = _open_sqlite(parsed, patience_seconds)
        else:
            self.engine = _open_postgresql(parsed, password, patience_seconds)
        self._writing_engine = self.engine.execution_options(**{_WRITES: True})
        # SQLite always reads one state; PostgreSQL would see what others commit between two statements.
        options = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        self._reading_engine = self.engine.execution_options(**options)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Read and write; commits when the block ends well, rolls back when it raises.

        Raises `DatabaseUnavailable` when the database cannot be had.
        """
        writing = Session(self._writing_engine, expire_on_commit=False)
        with _translated(), self._one_writer(), writing as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Look at one state of the database without keeping anybody from writing."""
        with _translated(), Session(self._reading_engine, expire_on_commit=False) as session, session.begin():
            yield session

    def insert_once(self, session: Session, table: type[Records], values: Mapping[str, Any]) -> bool:
        """Insert a row unless one with the same unique key is there; tells whether it was inserted."""
        statement: sqlite.Insert | postgresql.Insert
        statement = sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)
        inserted = statement.values(**values).on_conflict_do_nothing().returning(literal(1))
        return session.connection().execute(inserted).first() is not None

    def take_all_time(self, session: Session) -> None:
        """What bounds a request does not cut this transaction, however long it and those before it take."""
        if not self.is_sqlite:
            for timeout in _TIMEOUTS:
                session.execute(text(f"SET LOCAL {timeout} = 0"))

    def close(self) -> None:
        """Let every pooled connection go; needed before a fork, which would share them."""
        self.engine.dispose()

    def _one_writer(self) -> AbstractContextManager[None]:
        return self._write_lock.held() if self._write_lock else nullcontext()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout, WriteLockUnavailable) as exc:
        raise DatabaseUnavailable(f"the database cannot be used: {first_line(exc)}") from exc
    except DBAPIError as exc:
        if exc.connection_invalidated:
            raise DatabaseUnavailable("the connection to the database was cut") from exc
        if type(exc) is DatabaseError:  # what SQLite says of a damaged file, or of one that is no database
            raise DatabaseUnavailable(f"the database cannot be used: {first_line(exc)}", hint=_RESTORE) from exc
        if getattr(exc.orig, "sqlstate", None) in _NOT_ALLOWED:
            raise DatabaseUnavailable(f"the database refuses: {first_line(exc)}", hint=_GRANT) from exc
        raise


def first_line(exc: Exception) -> str:
    """What the driver says, without the statement and the advice that follow."""
    cause = getattr(exc, "orig", None) or exc
    return str(cause).strip().partition("\n")[0] or type(exc).__name__


def _open_sqlite(url: URL, patience_seconds: float) -> tuple[Engine, WriteLock]:
    path = Path(str(url.database))
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            path.touch(mode=0o600)  # numbers and dates are confidential too; the WAL takes its mode from the file
    except OSError as exc:
        raise DatabaseUnavailable(f"the database's folder {path.parent} failed: {exc.strerror}") from exc
    engine = create_engine(url, hide_parameters=True, max_overflow=64, pool_timeout=patience_seconds)
    switching = WriteLock(path.with_name(path.name + ".wal-lock"), patience_seconds)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we begin transactions ourselves, below
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={int(patience_seconds * 1000)}")
        if cursor.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            # Two that switch a new file at once are told "locked" without the wait that busy_timeout promises.
            with switching.held():
                cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine, WriteLock(path.with_name(path.name + ".write-lock"), patience_seconds)


def _open_postgresql(url: URL, password: str | None, patience_seconds: float) -> Engine:
    url = url.set(drivername="postgresql+psycopg")
    if password is not None:
        url = url.set(password=password)
    options = (
        f"-c lock_timeout={int(patience_seconds * 1000)}ms -c statement_timeout=30s"
        " -c idle_in_transaction_session_timeout=60s -c timezone=UTC"
    )
    return create_engine(
        url,
        hide_parameters=True,
        max_overflow=64,
        pool_timeout=patience_seconds,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 5, "options": options},
    )
