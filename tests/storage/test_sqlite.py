"""SQLite as the node wants it: commits are synced, readers go on, references hold; and a file that is no database."""

from pathlib import Path

import pytest
from sqlalchemy import text

from office_node.storage import schema
from office_node.storage.database import Database, DatabaseUnavailable
from tests import command_line
from tests.conftest import MakeOffice
from tests.databases import on_sqlite

IN_FORCE = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}
"""synchronous 2 is FULL."""


@on_sqlite
def test_every_connection_has_its_pragmas(database: Database) -> None:
    with database.transaction() as one, database.reading() as two, database.reading() as three:
        sessions = {id(session.connection().connection.dbapi_connection): session for session in (one, two, three)}
        assert len(sessions) == 3
        for session in sessions.values():
            assert {name: session.scalar(text(f"PRAGMA {name}")) for name in IN_FORCE} == IN_FORCE


def test_a_file_in_a_folder_that_is_not_there_yet_makes_the_folder_for_the_nodes_user_alone(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/var/office.db")
    schema.upgrade(database)
    database.close()
    assert (tmp_path / "var").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "var").iterdir()} == {0o600}


@on_sqlite
def test_a_file_that_is_no_database_is_told_in_one_line(new_office: MakeOffice) -> None:
    office = new_office()
    (office.folder / "var").mkdir()
    (office.folder / "var" / "office.db").write_text("no database\n" * 1000)
    for verb in ("upgrade", "current", "check"):
        ran = command_line.run(office.settings_file, "db", verb)
        assert ran.exit_code == 1
        [line] = ran.stderr.splitlines()
        assert line.startswith(
            "N201 the database cannot be used: file is not a database; hint: see that [database] url"
        )


@on_sqlite
def test_a_damaged_database_is_told_and_not_written_to(database: Database, database_url: str) -> None:
    database.close()
    file = Path(database_url.removeprefix("sqlite:///"))
    whole = file.read_bytes()
    damaged = whole[:4096] + b"\xff" * (len(whole) - 4096)
    file.write_bytes(damaged)
    with pytest.raises(DatabaseUnavailable, match=r"N201 .*malformed"), database.transaction() as session:
        session.execute(text("INSERT INTO used_assertions VALUES ('a', '2026-01-01 00:00:00.000000')"))
    assert file.read_bytes() == damaged


@on_sqlite
def test_a_folder_that_cannot_be_made_is_told_in_one_line(new_office: MakeOffice) -> None:
    office = new_office(overrides={"database": {"url": "sqlite:///office.toml/office.db"}})
    ran = command_line.run(office.settings_file, "db", "upgrade")
    assert ran.exit_code == 1
    [line] = ran.stderr.splitlines()
    assert line.startswith(f"N201 the database's folder {office.settings_file} failed: ")
