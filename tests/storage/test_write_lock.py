"""Many writers on one SQLite file, of many processes and threads: each gets its turn, and none is told "locked"."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest

from office_node.library.records import DocumentRecord
from office_node.storage.database import Database, DatabaseUnavailable
from office_node.storage.write_lock import WriteLock, WriteLockUnavailable
from tests.databases import on_postgresql, on_sqlite
from tests.storage import rows
from tests.storage.processes import run_at_once

OpenAgain = Callable[..., Database]


@on_sqlite
def test_writers_of_two_processes_with_four_threads_each_all_succeed(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    rows.start_counter(database)
    assert run_at_once("write", database_url, tmp_path / "go", processes=2, threads=4, times=50) == []
    assert rows.count(database) == 2 * 4 * 50


@on_sqlite
def test_many_who_are_the_first_to_open_a_new_file_are_not_told_that_it_is_locked(
    database_url: str, tmp_path: Path
) -> None:
    assert run_at_once("first_to_open", database_url, tmp_path / "go", processes=6, threads=1, times=200) == []


@on_sqlite
def test_row_30_who_reads_first_and_writes_later_has_the_file_alone_from_the_start(
    database: Database, new_database: OpenAgain
) -> None:
    rows.start_counter(database)

    def step() -> None:
        with new_database().transaction() as session:
            rows.step(session)

    other = Thread(target=step, daemon=True)
    with database.transaction() as session:
        seen = session.get_one(DocumentRecord, rows.COUNTER).current_version
        other.start()
        other.join(0.3)  # long enough for it to commit in between, if it could
        assert other.is_alive()
        session.get_one(DocumentRecord, rows.COUNTER).current_version = seen + 1
    other.join()
    assert rows.count(database) == 2


@on_sqlite
def test_a_stranger_cannot_write_between_what_a_transaction_reads_and_what_it_writes(
    database: Database, database_url: str
) -> None:
    """Somebody with a shell on the file knows nothing of the lock beside it."""
    rows.start_counter(database)
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"), timeout=0)) as stranger:
        with database.transaction() as session:
            assert session.get_one(DocumentRecord, rows.COUNTER).current_version == 0
            with pytest.raises(sqlite3.OperationalError, match="database is locked"):
                stranger.execute("UPDATE documents SET current_version = 7")
            rows.step(session)
        assert rows.count(database) == 1


@on_sqlite
def test_who_waits_too_long_for_another_writer_is_told_and_can_try_again(
    database: Database, new_database: OpenAgain
) -> None:
    rows.start_counter(database)
    hasty = new_database(patience_seconds=0.2)
    with database.transaction() as session:
        rows.step(session)
        with pytest.raises(DatabaseUnavailable, match=r"N201 .*another writer held it for more than 0\.2 seconds"):
            _step(hasty)
    _step(hasty)
    assert rows.count(database) == 2


@on_sqlite
def test_who_waits_too_long_for_another_thread_is_told_and_can_try_again(new_database: OpenAgain) -> None:
    shared = new_database(patience_seconds=0.2)
    done = Event()
    holding = Event()

    def hold() -> None:
        with shared.transaction():
            holding.set()
            done.wait()

    holder = Thread(target=hold, daemon=True)  # a failure must not keep the run from ending
    holder.start()
    holding.wait()
    with pytest.raises(DatabaseUnavailable, match="another writer held it"), shared.transaction():
        pytest.fail("two threads in at once")
    done.set()
    holder.join()
    with shared.transaction():
        pass


@on_sqlite
def test_row_30_a_stranger_who_locks_the_file_is_waited_for_and_then_told(
    database: Database, database_url: str, new_database: OpenAgain
) -> None:
    rows.start_counter(database)
    hasty = new_database(patience_seconds=0.2)
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None)) as stranger:
        stranger.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseUnavailable, match=r"N201 .*database is locked"):
            _step(hasty)
        assert rows.count(hasty) == 0
        stranger.execute("ROLLBACK")
    _step(hasty)
    assert rows.count(database) == 1


@on_postgresql
def test_who_waits_too_long_for_a_row_on_postgresql_is_told_and_can_try_again(
    database: Database, new_database: OpenAgain
) -> None:
    rows.start_counter(database)
    hasty = new_database(patience_seconds=0.2)
    with database.transaction() as session:
        rows.step(session)
        with pytest.raises(DatabaseUnavailable, match=r"N201 .*lock timeout"):
            _step(hasty)
    _step(hasty)
    assert rows.count(database) == 2


def test_the_lock_of_a_killed_process_is_free_at_once(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    code = (
        "import sys, time; from pathlib import Path; from office_node.storage.write_lock import WriteLock\n"
        "with WriteLock(Path(sys.argv[1]), 1).held(): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(path)], text=True, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(WriteLockUnavailable, match="another writer"), WriteLock(path, 0.1).held():
            pytest.fail("two processes in at once")
        holder.kill()
    with WriteLock(path, 0.1).held():
        pass


def test_a_lock_file_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    lock = WriteLock(tmp_path / "no such folder" / "lock", 0.1)
    for _ in range(2):  # the second time, the first has left nothing held
        with pytest.raises(WriteLockUnavailable, match="No such file or directory"), lock.held():
            pytest.fail("nothing was held")


def test_the_lock_file_is_for_the_nodes_user_alone(tmp_path: Path) -> None:
    with WriteLock(tmp_path / "lock", 0.1).held():
        assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600


def _step(database: Database) -> None:
    with database.transaction() as session:
        rows.step(session)
