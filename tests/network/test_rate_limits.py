"""How often somebody may call: windows, waits, and counters that cannot be used. On both databases."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
import time_machine
from sqlalchemy import text

from office_node.network.rate_limits import RateLimit, TooManyRequests
from office_node.storage import schema
from office_node.storage.database import Database
from office_node.storage.rate_counters import RateCounters
from tests.databases import on_postgresql, on_sqlite

START = 1_800_000_000.25


@pytest.fixture
def database(new_database_url: Callable[[], str | None], tmp_path: Path) -> Iterator[Database]:
    made = Database(new_database_url() or f"sqlite:///{tmp_path}/office.db")
    schema.upgrade(made)
    yield made
    made.close()


@pytest.fixture
def new_counters(database: Database) -> Iterator[Callable[[], RateCounters]]:
    """Opens the counters anew on each call, as another process would."""
    made: list[RateCounters] = []

    def new() -> RateCounters:
        made.append(RateCounters(database))
        return made[-1]

    yield new
    for counters in made:
        counters.close()


@pytest.fixture
def counters(new_counters: Callable[[], RateCounters]) -> RateCounters:
    return new_counters()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def let_through(limit: RateLimit, calls: int, who: str = "10.0.0.1") -> int:
    """How many of so many calls are let through."""
    passed = 0
    for _ in range(calls):
        try:
            limit.count(who)
        except TooManyRequests:
            continue
        passed += 1
    return passed


def wait(limit: RateLimit, who: str = "10.0.0.1") -> int:
    """How long a caller that has spent its window is told to wait."""
    with pytest.raises(TooManyRequests) as refused:
        limit.count(who)
    return refused.value.retry_after_seconds


def test_a_window_begins_with_its_first_call(counters: RateCounters, clock: time_machine.Traveller) -> None:
    limit = RateLimit(counters, "3/minute", "address")
    assert let_through(limit, 5) == 3
    clock.shift(59)
    assert let_through(limit, 5) == 0
    clock.shift(1)
    assert let_through(limit, 5) == 3


def test_processes_share_one_window(new_counters: Callable[[], RateCounters], clock: time_machine.Traveller) -> None:
    limits = [RateLimit(new_counters(), "10/minute", "address") for _ in range(4)]
    assert sum(let_through(limit, 1) for _ in range(20) for limit in limits) == 10
    clock.shift(60)
    assert sum(let_through(limit, 1) for _ in range(20) for limit in limits) == 10


def test_callers_and_kinds_of_limits_are_told_apart(counters: RateCounters) -> None:
    by_address, by_client = (RateLimit(counters, "2/minute", what) for what in ("address", "client"))
    assert [let_through(limit, 5, who) for limit in (by_address, by_client) for who in ("a", "b")] == [2, 2, 2, 2]


def test_the_wait_is_told_in_whole_seconds_rounded_up(counters: RateCounters, clock: time_machine.Traveller) -> None:
    limit = RateLimit(counters, "1/minute", "address")
    limit.count("10.0.0.1")
    assert wait(limit) == 60
    clock.shift(0.5)
    assert wait(limit) == 60
    clock.shift(58.6)
    assert wait(limit) == 1
    with time_machine.travel(START, tick=False):
        assert wait(RateLimit(counters, "1/minute", "address")) == 60, "another process asks the counters"


@pytest.mark.parametrize("seconds", [-86_400, 86_400])
def test_a_clock_that_steps_locks_nobody_out(
    new_counters: Callable[[], RateCounters], clock: time_machine.Traveller, seconds: int
) -> None:
    limits = [RateLimit(new_counters(), "3/minute", "address") for _ in range(2)]
    assert let_through(limits[0], 5) == 3
    clock.shift(seconds)
    assert [let_through(limit, 5) for limit in limits] == [3, 0]


def test_windows_that_have_ended_are_removed(counters: RateCounters, clock: time_machine.Traveller) -> None:
    RateLimit(counters, "3/second", "address").count("10.0.0.1")
    RateLimit(counters, "3/minute", "address").count("10.0.0.1")
    assert counters.forget_expired() == 0
    clock.shift(1)
    assert counters.forget_expired() == 1
    clock.shift(59)
    assert counters.forget_expired() == 1
    assert counters.reset() == 0


def test_counters_that_cannot_be_used_let_calls_through_and_the_log_says_so(
    database: Database, clock: time_machine.Traveller
) -> None:
    _break(database)
    counters = RateCounters(database)
    limit = RateLimit(counters, "1/minute", "address")
    with structlog.testing.capture_logs() as lines:
        assert let_through(limit, 20) == 20
        clock.shift(29)
        assert let_through(limit, 20) == 20
        assert [(line["event"], line["code"], line["times"]) for line in lines] == [
            ("calls go through uncounted", "N419", 1)
        ]
        clock.shift(1)
        assert let_through(limit, 20) == 20
    assert [(line["log_level"], line["times"]) for line in lines[1:]] == [("error", 2)]
    counters.close()


def test_counters_that_are_back_are_used_again(database: Database, clock: time_machine.Traveller) -> None:
    mend = _break(database)
    counters = RateCounters(database)
    limit = RateLimit(counters, "3/minute", "address")
    assert let_through(limit, 9) == 9
    mend()
    clock.shift(2)
    assert let_through(limit, 9) == 3
    counters.close()


@on_sqlite
def test_on_sqlite_the_counters_lie_beside_the_database_and_never_wait_for_it(
    database: Database, counters: RateCounters, tmp_path: Path
) -> None:
    with database.transaction():  # which keeps every other writer of the office's file waiting
        assert let_through(RateLimit(counters, "3/minute", "address"), 5) == 3
    file = tmp_path / "office-counters.db"
    assert file.stat().st_mode & 0o777 == 0o600
    with database.reading() as session:
        tables = session.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
    assert "rate_counters" not in tables


@on_postgresql
def test_on_postgresql_the_counters_are_never_written_ahead(database: Database) -> None:
    with database.reading() as session:
        kept = session.execute(text("SELECT relpersistence FROM pg_class WHERE relname = 'rate_counters'")).scalar_one()
    assert kept == "u"


def _break(database: Database) -> Callable[[], None]:
    """Make the counters unusable; what is returned mends them."""
    if database.is_sqlite:
        file = Path(str(database.engine.url.database)).with_name("office-counters.db")
        file.write_bytes(b"this is no database" * 100)
        return file.unlink

    def rename(old: str, new: str) -> None:
        with database.transaction() as session:
            session.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))

    rename("rate_counters", "elsewhere")
    return lambda: rename("elsewhere", "rate_counters")
