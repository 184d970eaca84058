"""The schema's version: bring a database up, say where it is, refuse to start on one that does not fit.

A newer schema fits an older program too if it says so: `schema_reach` names the oldest revision whose program may work
on it. So programs of two versions run side by side while hosts are upgraded one after the other.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Connection, String, inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, Session, mapped_column

from office_node.errors import OfficeNodeError
from office_node.storage.database import Database, Records, first_line

if TYPE_CHECKING:  # alembic costs a verb that only looks more time than its work does
    from alembic.config import Config

_FOLDER = Path(__file__).parent / "migrations"
_ONE_MIGRATION_AT_A_TIME = 5_174_239  # key of the advisory lock; any number, the same in every process

_DUPLICATE_TABLE = "42P07"  # SQLSTATE
_ALONE = "give the node a database of its own"


class SchemaReachRecord(Records):
    """One row: the revision of the oldest program that may work on this schema."""

    __tablename__ = "schema_reach"

    oldest: Mapped[str] = mapped_column(String(4), primary_key=True)


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
    """Raises `SchemaDoesNotFit` unless the database is at `head()`, or newer and fit for this program too."""
    found = current(database)
    if found != head() and not _is_newer_and_fits(database, found):
        raise SchemaDoesNotFit(f"the database is at revision {found or 'none'}, this program needs {head()}")


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the database up in one transaction; whoever else tries meanwhile waits. A newer one that fits stays."""
    if revision == "head" and _is_newer_and_fits(database, current(database)):
        return
    with database.transaction() as session:
        _wait_for_our_turn(database, session)
        _run(session.connection(), "upgrade", revision)


def downgrade(database: Database, revision: str) -> None:
    """Take the database back to an older revision, in one transaction; it waits for its turn like `upgrade`."""
    with database.transaction() as session:
        _wait_for_our_turn(database, session)
        _run(session.connection(), "downgrade", revision)


def _is_newer_and_fits(database: Database, found: str | None) -> bool:
    if found is None or found <= head():
        return False
    with database.reading() as session:
        oldest = session.scalar(select(SchemaReachRecord.oldest))
    return oldest is not None and oldest <= head()


def _wait_for_our_turn(database: Database, session: Session) -> None:
    """One migration at a time, however long it and those before it take; SQLite has one writer anyway."""
    database.take_all_time(session)
    if not database.is_sqlite:
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_MIGRATION_AT_A_TIME})


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
