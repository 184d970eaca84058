"""Offices with a worker and a simulated WIPO beside them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog

from tests.conftest import MakeOffice
from tests.off_registrations.desk import Desk, MakeDesk, make_desk
from tests.office import Office, make_office

QUICK: dict[str, dict[str, Any]] = {
    "outbox": {"lease_seconds": 3, "first_retry_seconds": 0.05},
    "wipo": {"total_seconds": 2, "read_seconds": 1.9, "stall_seconds": 1.9},
}
UNHURRIED = {"upload_url_seconds": 900, "file_check_seconds": 0.2, "pending_seconds": 0}


@pytest.fixture
def new_desk(new_office: MakeOffice) -> Iterator[MakeDesk]:
    """Makes desks: `new_desk(worker=False, overrides={...})`; simulated WIPO runs, and a worker unless told not to."""
    made: list[Desk] = []

    def new(*, worker: bool = True, overrides: dict[str, dict[str, Any]] | None = None) -> Desk:
        sections = {
            name: {**QUICK.get(name, {}), **(overrides or {}).get(name, {})} for name in {*QUICK, *(overrides or {})}
        }
        office = new_office(sections)
        office.upgrade()
        office.start_central()
        if worker:
            office.start("worker")
        made.append(make_desk(office))
        return made[-1]

    yield new
    for desk in made:
        desk.node.database.close()
    structlog.contextvars.clear_contextvars()


@pytest.fixture(scope="session")
def sqlite_desk(tmp_path_factory: pytest.TempPathFactory, keys_folder: Path) -> Iterator[Desk]:
    """One office for all tests, where everything runs: starting processes is what takes the time."""
    yield from _running(make_office(tmp_path_factory.mktemp("desk-sqlite"), keys_folder, None, QUICK))


@pytest.fixture(scope="session")
def postgresql_desk(
    tmp_path_factory: pytest.TempPathFactory, keys_folder: Path, postgresql: str, postgresql_template: str
) -> Iterator[Desk]:
    """The same on PostgreSQL."""
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE off_registrations TEMPLATE {postgresql_template}".encode())
    url = postgresql.replace("/postgres?", "/off_registrations?")
    yield from _running(make_office(tmp_path_factory.mktemp("desk-postgresql"), keys_folder, url, QUICK))


@pytest.fixture(params=["sqlite", "postgresql"])
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A desk where everything runs, on each database in turn, and a document that nobody else touches."""
    shared: Desk = request.getfixturevalue(f"{request.param}_desk")
    yield shared.with_another_document()
    shared.pace(**UNHURRIED)
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def one_desk(sqlite_desk: Desk) -> Iterator[Desk]:
    """The same on SQLite, for tests to which the database does not matter."""
    yield sqlite_desk.with_another_document()
    sqlite_desk.pace(**UNHURRIED)
    structlog.contextvars.clear_contextvars()


def _running(office: Office) -> Iterator[Desk]:
    office.upgrade()
    office.start_central()
    office.start_web("serve")
    desk = make_desk(office)
    yield desk
    desk.node.database.close()
    office.close()
