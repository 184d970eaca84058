"""One office on each database for the whole folder, made once: starting processes is what takes the time."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog

from tests.conftest import MakeOffice
from tests.off_retrievals.bench import TWO_CLIENTS, Bench, make_bench
from tests.office import make_office

MakeBench = Callable[[dict[str, dict[str, Any]]], Bench]


@pytest.fixture(scope="session")
def sqlite_bench(tmp_path_factory: pytest.TempPathFactory, keys_folder: Path) -> Iterator[Bench]:
    """The shared office on SQLite; for tests to which the database does not matter."""
    bench = make_bench(make_office(tmp_path_factory.mktemp("off-sqlite"), keys_folder, None, TWO_CLIENTS))
    yield bench
    bench.close()


@pytest.fixture(scope="session")
def postgresql_bench(
    tmp_path_factory: pytest.TempPathFactory, keys_folder: Path, postgresql: str, postgresql_template: str
) -> Iterator[Bench]:
    """The shared office on PostgreSQL."""
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE off_retrievals TEMPLATE {postgresql_template}".encode())
    url = postgresql.replace("/postgres?", "/off_retrievals?")
    bench = make_bench(make_office(tmp_path_factory.mktemp("off-postgresql"), keys_folder, url, TWO_CLIENTS))
    yield bench
    bench.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """The shared office on each database in turn."""
    found: Bench = request.getfixturevalue(f"{request.param}_bench")
    yield found
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def served_bench(bench: Bench) -> Bench:
    """The same with two web processes running."""
    bench.serve()
    return bench


@pytest.fixture(scope="session")
def served(sqlite_bench: Bench) -> Bench:
    """The shared office on SQLite, with two web processes running."""
    sqlite_bench.serve()
    return sqlite_bench


@pytest.fixture
def new_bench(new_office: MakeOffice) -> Iterator[MakeBench]:
    """Makes offices of a test's own, on each database in turn: `new_bench({"off": {"request_days": 1}})`."""
    made: list[Bench] = []

    def new(overrides: dict[str, dict[str, Any]]) -> Bench:
        made.append(make_bench(new_office({**TWO_CLIENTS, **overrides})))
        return made[-1]

    yield new
    for bench in made:
        bench.close()
    structlog.contextvars.clear_contextvars()
