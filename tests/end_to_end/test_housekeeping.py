"""Housekeeping that fails is told, and keeps neither the worker nor the other chores from their work."""

import os
from pathlib import Path

from sqlalchemy import text

from office_node.auth.used_assertions import UsedAssertionRecord
from office_node.wiring.rows import build_database
from tests.databases import on_postgresql, on_sqlite
from tests.office import Office, eventually


@on_sqlite
def test_a_leftover_that_cannot_be_removed_is_told_and_the_worker_works(office: Office) -> None:
    incoming = office.settings().library.store / "incoming"
    for name in ("a", "z"):
        _make_old(incoming / name)
    (incoming / "m").mkdir()
    os.utime(incoming / "m", (1, 1))
    worker = office.start("worker")
    eventually(lambda: office.told("worker started"))
    [failed] = [line for line in office.log_lines() if line["event"] == "housekeeping failed"]
    assert (failed["code"], failed["chore"]) == ("N304", "leftovers_removed")
    assert failed["reason"] == f"{incoming / 'm'} cannot be removed: Is a directory"
    assert [path.name for path in incoming.iterdir()] == ["m"]
    [kept] = [line for line in office.log_lines() if line["event"] == "house kept"]
    assert (kept["assertions_forgotten"], kept["counters_forgotten"], kept["retrievals_ended"]) == (0, 0, 0)
    worker.terminate()
    assert worker.wait(60) == 0


@on_postgresql
def test_a_chore_that_fails_by_a_bug_is_told_with_its_trace_and_the_others_are_done(office: Office) -> None:
    database = build_database(office.settings())
    with database.transaction() as session:
        session.execute(text(f"DROP TABLE {UsedAssertionRecord.__tablename__}"))
    database.close()
    leftover = office.settings().library.store / "incoming" / "a"
    _make_old(leftover)
    office.start("worker")
    eventually(lambda: office.told("worker started"))
    [failed] = [line for line in office.log_lines() if line["level"] == "error"]
    assert (failed["code"], failed["chore"]) == ("N900", "assertions_forgotten")
    assert "UndefinedTable" in failed["exception"]
    assert not leftover.exists()


def _make_old(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (1, 1))
