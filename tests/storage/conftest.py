"""Databases of the tests' own, on SQLite and on PostgreSQL."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from office_node.storage import schema
from office_node.storage.database import Database


@pytest.fixture
def database_url(new_database_url: Callable[[], str | None], tmp_path: Path) -> str:
    """The address of a database that nobody else uses."""
    return new_database_url() or f"sqlite:///{tmp_path}/office.db"


@pytest.fixture
def new_database(database_url: str) -> Iterator[Callable[..., Database]]:
    """Opens the one database, anew on each call, as another process would."""
    made: list[Database] = []

    def new(patience_seconds: float = 10.0) -> Database:
        made.append(Database(database_url, patience_seconds=patience_seconds))
        return made[-1]

    yield new
    for database in made:
        database.close()


@pytest.fixture
def empty_database(new_database: Callable[..., Database]) -> Database:
    """With no table in it."""
    database = new_database()
    if not database.is_sqlite:
        with database.transaction() as session:
            session.execute(text("DROP SCHEMA public CASCADE"))
            session.execute(text("CREATE SCHEMA public"))
            session.execute(text("GRANT USAGE ON SCHEMA public TO PUBLIC"))  # as in every new database
    return database


@pytest.fixture
def database(new_database: Callable[..., Database]) -> Database:
    """At the present schema."""
    made = new_database()
    schema.upgrade(made)
    return made
