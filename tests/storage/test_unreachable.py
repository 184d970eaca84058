"""A PostgreSQL that does not answer is told in one line that helps and shows no password."""

import pytest
from sqlalchemy import make_url

from tests import command_line
from tests.conftest import MakeOffice
from tests.databases import on_postgresql, on_sqlite
from tests.office import Office, free_port

PASSWORD = "pl4nted-password"


@pytest.fixture
def cut_off(new_office: MakeOffice) -> Office:
    """An office whose database is on a port where nobody listens."""
    url = f"postgresql://office@127.0.0.1:{free_port()}/office"
    office = new_office(overrides={"database": {"url": url, "password_file": "../keys/db.password"}})
    file = office.folder / "keys" / "db.password"
    file.touch(mode=0o600)
    file.write_text(f"{PASSWORD}\n")
    return office


VERBS = [
    ["db", "upgrade"],
    ["db", "current"],
    ["db", "check"],
    ["library", "find"],
    ["library", "verify"],
    ["outbox", "list"],
]


@on_sqlite
@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_verb_says_that_the_database_does_not_answer(cut_off: Office, verb: list[str]) -> None:
    ran = command_line.run(cut_off.settings_file, *verb)
    assert (ran.exit_code, ran.stdout) == (1, "")
    [line] = ran.stderr.splitlines()
    assert line.startswith("N201 the database cannot be used: ")
    assert "; hint: see that the database runs, has room and is reachable" in line
    assert PASSWORD not in line


@on_sqlite
@pytest.mark.parametrize("door", ["web", "worker", "serve"])
def test_no_process_starts_without_its_database(cut_off: Office, door: str) -> None:
    started = cut_off.run(door)
    assert started.returncode == 1
    [line] = started.stderr.splitlines()
    assert line.startswith("N201 the database cannot be used: ")
    assert PASSWORD not in started.stdout + started.stderr


@on_sqlite
def test_config_check_does_not_need_the_database(cut_off: Office) -> None:
    assert command_line.run(cut_off.settings_file, "config", "check").exit_code == 0


@on_postgresql
def test_a_database_that_is_not_there_is_told_by_name(new_office: MakeOffice) -> None:
    office = new_office()
    written, name = office.settings_file.read_text(), make_url(office.settings().database.url).database
    office.settings_file.write_text(written.replace(f"/{name}", "/no_such_database"))
    ran = command_line.run(office.settings_file, "db", "upgrade")
    assert ran.exit_code == 1
    [line] = ran.stderr.splitlines()
    assert 'database "no_such_database" does not exist; hint: ' in line
