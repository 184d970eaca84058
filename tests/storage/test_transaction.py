"""A transaction is kept whole or not at all, and leaves the database free for the next."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from office_node.auth.used_assertions import UsedAssertionRecord
from office_node.library.records import VersionRecord
from office_node.storage.database import Database, DatabaseUnavailable
from tests.databases import on_postgresql
from tests.storage import rows


class Interrupted(BaseException):
    """Like KeyboardInterrupt: nothing that `except Exception` would see."""


def test_what_ends_well_is_there_for_everybody(database: Database, new_database: Callable[..., Database]) -> None:
    with database.transaction() as session:
        session.add(rows.assertion("a"))
    assert rows.keys_kept(new_database()) == ["a"]


@pytest.mark.parametrize("failure", [ValueError, Interrupted])
def test_what_raises_leaves_nothing_and_lets_the_next_one_write(
    database: Database, failure: type[BaseException]
) -> None:
    with pytest.raises(failure):
        _write_and_raise(database, failure("a"))
    assert rows.keys_kept(database) == []
    with database.transaction() as session:
        session.add(rows.assertion("b"))
    assert rows.keys_kept(database) == ["b"]


def test_two_writes_of_one_transaction_go_together(database: Database) -> None:
    def write_twice() -> None:
        with database.transaction() as session:
            session.add(rows.assertion("a"))
            session.flush()
            session.execute(insert(UsedAssertionRecord), [_values("b"), _values("a")])

    with pytest.raises(IntegrityError):
        write_twice()
    assert rows.keys_kept(database) == []


def test_a_row_keeps_its_values_after_the_transaction(database: Database) -> None:
    with database.transaction() as session:
        record = rows.assertion("a")
        session.add(record)
    assert (record.replay_key, record.kept_until) == ("a", rows.MOMENT)


def test_a_row_is_inserted_once(database: Database) -> None:
    later = rows.MOMENT.replace(year=2030)
    with database.transaction() as session:
        assert database.insert_once(session, UsedAssertionRecord, _values("a")) is True
        assert database.insert_once(session, UsedAssertionRecord, {**_values("a"), "kept_until": later}) is False
    with database.transaction() as session:
        assert database.insert_once(session, UsedAssertionRecord, {**_values("a"), "kept_until": later}) is False
    with database.reading() as session:
        assert session.scalars(select(UsedAssertionRecord.kept_until)).all() == [rows.MOMENT]


def test_of_many_who_insert_the_same_row_one_is_told_so(database: Database) -> None:
    start = Barrier(8)

    def claim(_number: int) -> bool:
        start.wait()
        with database.transaction() as session:
            return database.insert_once(session, UsedAssertionRecord, _values("a"))

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(claim, range(8))) == [False] * 7 + [True]
    assert rows.keys_kept(database) == ["a"]


def test_an_insert_that_is_rolled_back_can_be_made_again(database: Database) -> None:
    with pytest.raises(Interrupted):
        _write_and_raise(database, Interrupted())
    with database.transaction() as session:
        assert database.insert_once(session, UsedAssertionRecord, _values("a"))


def test_a_row_that_points_nowhere_is_refused(database: Database) -> None:
    values = {"version": 1, "sha256": "0", "size": 1, "file_format": "pdf", "stored_at": rows.MOMENT}
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.add(VersionRecord(id="v", document_id="nowhere", **values))


def test_a_reader_sees_one_state_and_keeps_nobody_from_writing(database: Database) -> None:
    rows.start_counter(database)
    with database.reading() as early:
        assert early.scalar(text("SELECT current_version FROM documents")) == 0
        with database.transaction() as session:
            rows.step(session)
        assert rows.count(database) == 1
        assert early.scalar(text("SELECT current_version FROM documents")) == 0
    assert rows.count(database) == 1


def test_a_writer_keeps_nobody_from_reading(database: Database) -> None:
    rows.start_counter(database)
    with database.transaction() as session:
        rows.step(session)
        assert rows.count(database) == 0
    assert rows.count(database) == 1


@on_postgresql
def test_a_cut_connection_is_told_as_such_and_the_next_transaction_has_a_new_one(database: Database) -> None:
    def cut(pid: int) -> None:
        with database.transaction() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})

    def write_over_a_cut_connection() -> None:
        with database.transaction() as session:
            session.add(rows.assertion("a"))
            session.flush()
            cut(session.scalars(text("SELECT pg_backend_pid()")).one())
            session.execute(text("SELECT 1"))

    with pytest.raises(DatabaseUnavailable, match="N201"):
        write_over_a_cut_connection()
    with database.transaction() as session:
        session.add(rows.assertion("b"))
    assert rows.keys_kept(database) == ["b"]


def _write_and_raise(database: Database, failure: BaseException) -> None:
    with database.transaction() as session:
        assert database.insert_once(session, UsedAssertionRecord, _values("a"))
        raise failure


def _values(replay_key: str) -> dict[str, object]:
    return {"replay_key": replay_key, "kept_until": rows.MOMENT}
