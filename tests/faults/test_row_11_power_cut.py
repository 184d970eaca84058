"""A power cut: database, write-ahead log and files as they lie in the middle of the work, copied without a stop."""

import json
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from office_node.wiring.node import build_node
from tests import command_line
from tests.conftest import MakeOffice
from tests.databases import on_sqlite
from tests.faults.exchanges import QUICK, exchanging
from tests.office import Office

pytestmark = pytest.mark.fault


@on_sqlite
@pytest.mark.parametrize("copies", [3, pytest.param(20, marks=pytest.mark.long)])
def test_row_11_a_node_starts_from_what_a_power_cut_leaves(new_office: MakeOffice, tmp_path: Path, copies: int) -> None:
    office = new_office(overrides=QUICK)
    office.upgrade()
    office.start_central()
    office.start_web("serve")
    over = threading.Event()

    def work() -> None:
        with exchanging(office, seed=0) as exchanges:
            while not over.is_set():
                exchanges.begin(4)
                exchanges.end(250)
                exchanges.seed += 1

    load = threading.Thread(target=work)
    load.start()
    try:
        for number in range(copies):
            over.wait(0.7)
            _is_sound(office, _as_the_cut_leaves_it(office, tmp_path / f"cut{number}"))
    finally:
        over.set()
        load.join()


def _as_the_cut_leaves_it(office: Office, folder: Path) -> Path:
    """The files of the node, one after the other while it writes: the log before the database, the documents first.

    A disk keeps the order of what was synced; documents are synced before their rows.
    """
    var, copy = office.folder / "var", folder / "var"
    copy.mkdir(parents=True)
    shutil.copytree(office.folder / "config", folder / "config")
    (folder / "keys").symlink_to(office.folder / "keys")
    # One moment of database and log: held by the lock that every writer takes.
    database = office.settings().database.url.removeprefix("sqlite:///")
    node = build_node(office.settings())
    with node.database.transaction():
        for name in ("office.db", "office.db-wal"):
            source = Path(database).with_name(name)
            if source.exists():
                # By another process: whoever closes the file of a database drops every lock that his own process has
                # on it, and the node would take this one for gone, with the log that it writes to.
                subprocess.run(["cp", str(source), str(copy / name)], check=True)
    node.database.close()
    shutil.copytree(var / "library", copy / "library", ignore=shutil.ignore_patterns("incoming"))
    if (var / "checkpoints").exists():
        shutil.copytree(var / "checkpoints", copy / "checkpoints")
    return folder / "config" / office.settings_file.name


def _is_sound(office: Office, settings_file: Path) -> None:
    for verb in (("db", "check"), ("timeline", "verify")):
        found = command_line.run(settings_file, *verb)
        assert found.exit_code == 0, found.output
    found = command_line.run(settings_file, "library", "verify", "--json")
    # Documents that came after the rows were copied lie there without one; nothing that has a row is missing.
    assert all(line["number"] == "N314" for line in json.loads(found.stdout)), found.stdout
