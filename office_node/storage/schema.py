"""The schema's version: bring a database up, say where it is, refuse to start on one that does not fit."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from office_node.errors import OfficeNodeError
from office_node.storage.database import Database, first_line

if TYPE_CHECKING:  # alembic costs a verb that only looks more time than its work does
    from alembic.config import Config

_FOLDER = Path(__file__).parent / "migrations"
_ONE_MIGRATION_AT_A_TIME = 5_174_239  # key of the advisory lock; any number, the same in every process
_TIMEOUTS = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")

_DUPLICATE_TABLE = "42P07"  # SQLSTATE
_ALONE = "give the node a database of its own"


class SchemaDoesNotFit(OfficeNodeError):
    """The database was made by another version of the node."""

    code = "N202"
    hint = "run `office-node db upgrade`; if the database is newer than this program, install the newer program"


def head() -> str:
    """The revision that this program was written for: migrations are numbered, and named by their numbers."""
    return max(file.name[:4] for file in (_FOLDER / "versions").glob("[0-9][0-9][0-9][0-9]_*.py"))


def current(database: Database) -> str | None:
    """The revision the database is at; None for an empty database."""
    with database.reading() as session:
        if not inspect(session.connection()).has_table("alembic_version"):
            return None
        found = session.scalar(text("SELECT version_num FROM alembic_version"))
        return None if found is None else str(found)


def check(database: Database) -> None:
    """Raises `SchemaDoesNotFit` unless the database is at `head()`."""
    found = current(database)
    if found != head():
        raise SchemaDoesNotFit(f"the database is at revision {found or 'none'}, this program needs {head()}")


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the database up in one transaction; whoever else tries meanwhile waits."""
    with database.transaction() as session:
        connection = session.connection()
        if not database.is_sqlite:
            _wait_for_our_turn(connection)
        _run(connection, "upgrade", revision)


def downgrade(database: Database, revision: str) -> None:
    """Take the database back to an older revision, in one transaction; it waits for its turn like `upgrade`."""
    with database.transaction() as session:
        connection = session.connection()
        if not database.is_sqlite:
            _wait_for_our_turn(connection)
        _run(connection, "downgrade", revision)


def _wait_for_our_turn(connection: Connection) -> None:
    """On PostgreSQL: one migration at a time, however long it and those before it take."""
    for timeout in _TIMEOUTS:  # what bounds a request would cut a long migration, and whoever waits for it
        connection.execute(text(f"SET LOCAL {timeout} = 0"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_MIGRATION_AT_A_TIME})


def _run(connection: Connection, direction: Literal["upgrade", "downgrade"], revision: str) -> None:
    from alembic import command
    from alembic.util import CommandError

    config = _config()
    config.attributes["connection"] = connection
    try:
        {"upgrade": command.upgrade, "downgrade": command.downgrade}[direction](config, revision)
    except CommandError as exc:
        raise SchemaDoesNotFit(f"migration failed: {exc}") from exc
    except DBAPIError as exc:
        if getattr(exc.orig, "sqlstate", None) == _DUPLICATE_TABLE or "already exists" in str(exc.orig):
            raise SchemaDoesNotFit(
                f"the database holds tables of somebody else: {first_line(exc)}", hint=_ALONE
            ) from exc
        raise


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    return config
