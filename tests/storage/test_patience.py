"""A migration takes as long as it takes: what bounds the requests of a running node does not cut it."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import event, text

from office_node.storage import schema
from office_node.storage.database import Database
from tests.databases import on_postgresql

TIMEOUTS = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")


@on_postgresql
@pytest.mark.parametrize("migrate", [schema.upgrade, lambda d: schema.downgrade(d, "head")], ids=["up", "down"])
def test_a_migration_waits_for_another_however_long_that_takes(
    database: Database, new_database: Callable[..., Database], migrate: Callable[[Database], None]
) -> None:
    impatient = new_database(patience_seconds=0.2)
    with ThreadPoolExecutor() as pool:
        with database.transaction() as session:
            session.execute(text(f"SELECT pg_advisory_xact_lock({schema._ONE_MIGRATION_AT_A_TIME})"))
            waiting = pool.submit(migrate, impatient)
            time.sleep(0.8)
            assert not waiting.done()
        waiting.result(10)
    schema.check(impatient)


@on_postgresql
def test_nothing_cuts_a_migration_and_everything_else_is_bounded_as_before(database: Database) -> None:
    seen: list[list[str]] = []

    @event.listens_for(database.engine, "commit")
    def look(connection: Any) -> None:
        seen.append([connection.exec_driver_sql(f"SHOW {timeout}").scalar() for timeout in TIMEOUTS])

    schema.upgrade(database)
    with database.transaction() as session:
        session.execute(text("SELECT 1"))
    bounded = ["10s", "30s", "1min"]
    assert seen == [bounded, ["0", "0", "0"], bounded], "a look at the revision, the migration, and what comes after"
