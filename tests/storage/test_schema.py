"""Nothing runs on a database of another version: every door says so, and what to do."""

from pathlib import Path

import pytest
from sqlalchemy import text

from office_node.storage import schema
from office_node.storage.database import Database, DatabaseUnavailable
from office_node.storage.schema import SchemaDoesNotFit
from tests import command_line
from tests.conftest import MakeOffice
from tests.databases import on_postgresql, on_sqlite
from tests.office import Office
from tests.storage.processes import run_at_once

REMEDY = "hint: run `office-node db upgrade`; if the database is newer than this program, install the newer program"


def _claim_to_be_at(database: Database, revision: str, oldest: str = "") -> None:
    """As after an upgrade by another version of the program."""
    with database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
        session.execute(text("UPDATE schema_reach SET oldest = :oldest"), {"oldest": oldest or revision})


def test_a_database_at_the_programs_revision_fits(database: Database) -> None:
    assert schema.current(database) == schema.head()
    schema.check(database)


def test_an_empty_database_does_not_fit(empty_database: Database) -> None:
    with pytest.raises(SchemaDoesNotFit, match=f"the database is at revision none, this program needs {schema.head()}"):
        schema.check(empty_database)


@pytest.mark.parametrize("revision", ["0000", "9999"], ids=["older", "newer"])
def test_a_database_of_another_version_does_not_fit(database: Database, revision: str) -> None:
    _claim_to_be_at(database, revision)
    with pytest.raises(SchemaDoesNotFit, match=f"the database is at revision {revision}, this program needs"):
        schema.check(database)


def test_a_newer_database_that_says_that_it_fits_is_worked_on_and_left_as_it_is(database: Database) -> None:
    _claim_to_be_at(database, "9999", oldest=schema.head())
    schema.check(database)
    schema.upgrade(database)
    assert schema.current(database) == "9999"


def test_an_upgrade_of_a_newer_database_is_refused_and_changes_nothing(database: Database) -> None:
    _claim_to_be_at(database, "9999")
    with pytest.raises(SchemaDoesNotFit, match="9999"):
        schema.upgrade(database)
    assert schema.current(database) == "9999"


def test_an_upgrade_of_a_database_that_fits_changes_nothing(database: Database) -> None:
    schema.upgrade(database)
    schema.check(database)


def test_many_who_upgrade_one_empty_database_at_once_all_succeed(
    empty_database: Database, database_url: str, tmp_path: Path
) -> None:
    assert run_at_once("upgrade", database_url, tmp_path / "go", processes=3, threads=3, times=2) == []
    schema.check(empty_database)


def test_db_says_where_the_database_is_and_brings_it_up(new_office: MakeOffice) -> None:
    office, head = new_office(), schema.head()
    database = Database(office.settings().database.url)
    schema.upgrade(database)
    schema.downgrade(database, "base")
    database.close()

    def db(verb: str) -> tuple[int, str, str]:
        ran = command_line.run(office.settings_file, "db", verb)
        return ran.exit_code, ran.stdout, ran.stderr

    needs = f"N202 the database is at revision none, this program needs {head}; {REMEDY}\n"
    assert db("current") == (0, "empty\n", "")
    assert db("check") == (1, "", needs)
    assert db("upgrade") == (0, f"schema at {head}, was empty\n", "")
    assert db("upgrade") == (0, f"schema at {head} already\n", "")
    assert db("current") == (0, f"{head}\n", "")
    assert db("check") == (0, f"schema fits: {head}\n", "")


VERBS = [["library", "find"], ["library", "verify"], ["outbox", "list"], ["outbox", "retry", "--all-parked"]]


@on_sqlite
@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_a_verb_that_needs_rows_refuses_a_newer_database(office: Office, verb: list[str]) -> None:
    _make_newer(office)
    ran = command_line.run(office.settings_file, *verb)
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert ran.stderr == f"N202 the database is at revision 9999, this program needs {schema.head()}; {REMEDY}\n"


@pytest.mark.parametrize("door", ["web", "worker"])
def test_a_process_refuses_to_start_on_a_newer_database(office: Office, door: str) -> None:
    _make_newer(office)
    started = office.run(door)
    assert (started.returncode, started.stdout) == (1, "")
    assert started.stderr == f"N202 the database is at revision 9999, this program needs {schema.head()}; {REMEDY}\n"


@on_sqlite
@pytest.mark.parametrize("door", ["web", "worker"])
def test_a_process_refuses_to_start_on_an_empty_database(new_office: MakeOffice, door: str) -> None:
    started = new_office().run(door)
    assert started.returncode == 1
    assert started.stderr == f"N202 the database is at revision none, this program needs {schema.head()}; {REMEDY}\n"


@on_sqlite
def test_serve_refuses_a_newer_database_and_starts_nothing(office: Office) -> None:
    _make_newer(office)
    started = office.run("serve")
    assert (started.returncode, started.stdout) == (1, "")
    [line] = started.stderr.splitlines()
    assert line.startswith("N202 migration failed: ")
    assert line.endswith(REMEDY)


@on_postgresql
def test_a_user_who_may_not_make_tables_is_told_what_to_grant(empty_database: Database, database_url: str) -> None:
    with empty_database.transaction() as session:
        session.execute(text("CREATE ROLE stranger LOGIN"))
    stranger = Database(database_url.replace("//postgres", "//stranger"))
    try:
        with pytest.raises(
            DatabaseUnavailable, match=r"N201 the database refuses: .* denied .*; hint: let the user of"
        ):
            schema.upgrade(stranger)
    finally:
        stranger.close()
        with empty_database.transaction() as session:
            session.execute(text("DROP ROLE stranger"))


def _make_newer(office: Office) -> None:
    database = Database(office.settings().database.url)
    _claim_to_be_at(database, "9999")
    database.close()
