"""A newer program takes over host by host, under load: no call fails, and the older one works on the newer schema.

What stands for the next version is this program with one migration more, that expands: a column that the older program
does not know. docs/decisions/0014-expand-then-contract.md has the rule.
"""

import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
import requests

from office_node.storage import schema
from office_node.storage.database import Database
from tests.conftest import MakeOffice
from tests.databases import on_postgresql
from tests.faults.exchanges import QUICK, exchanging, uncoded_errors
from tests.faults.hosts import before_them, hosts_of, start_all
from tests.office import ROOT, WANTED, Office, eventually

pytestmark = pytest.mark.fault
PER_SECOND = 20
MIGRATION = '''"""A column more, which the program before does not know"""

import sqlalchemy as sa
from alembic import op

revision = "0999"
down_revision = "{head}"


def upgrade() -> None:
    op.add_column("outbox_messages", sa.Column("colour", sa.String(10)))
    op.create_table("colours", sa.Column("name", sa.String(10), primary_key=True))


def downgrade() -> None:
    op.drop_table("colours")
    op.drop_column("outbox_messages", "colour")
'''


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The next version of the program."""
    folder = tmp_path / "newer"
    shutil.copytree(ROOT / "office_node", folder / "office_node", ignore=shutil.ignore_patterns("__pycache__"))
    versions = folder / "office_node" / "storage" / "migrations" / "versions"
    (versions / "0999_colour.py").write_text(MIGRATION.format(head=schema.head()))
    return folder


def _upgrade(office: Office, program: Path) -> None:
    command = [sys.executable, "-m", "office_node", "--config", str(office.settings_file), "db", "upgrade"]
    done = subprocess.run(command, cwd=program, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "schema at 0999" in done.stdout


class Load:
    """Twenty calls a second, each status counted."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go_on)
        self.statuses: Counter[int | str] = Counter()

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _go_on(self) -> None:
        number, began = 0, time.monotonic()
        operator = self._office.operator()
        while not self._over.is_set():
            try:
                answer = operator.forward(WANTED, wipo_acknowledgement_id=f"A{number}")
                self.statuses[answer.status_code] += 1
            except requests.RequestException as exc:
                self.statuses[type(exc).__name__] += 1
            number += 1
            time.sleep(max(0.0, began + number / PER_SECOND - time.monotonic()))


@on_postgresql
@pytest.mark.timeout(600)
def test_a_rolling_restart_fails_no_call_and_loses_nothing(new_office: MakeOffice, newer: Path) -> None:
    office = new_office(overrides=QUICK)
    office.upgrade()
    office.start_central()
    office.add_document()
    hosts = hosts_of(office, 2)
    with before_them(office, hosts):
        start_all(hosts)
        with Load(office) as load:
            time.sleep(1)
            _upgrade(office, newer)
            time.sleep(1)
            for host in hosts:
                host.is_out = True
                time.sleep(0.5)
                assert [host.stop(verb) for verb in ("web", "worker")] == [0, 0]
                host.program = newer
                host.start("web")
                host.start("worker")
                eventually(host.answers)
                host.is_out = False
                time.sleep(1)
        assert set(load.statuses) == {201}, load.statuses
        eventually(lambda: len(office.ledger()) == load.statuses[201], 250)
        eventually(lambda: not office.waiting())
    assert list(uncoded_errors(office)) == []


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_older_program_works_on_the_newer_schema(new_office: MakeOffice, newer: Path) -> None:
    office = new_office(overrides=QUICK)
    office.upgrade()
    _upgrade(office, newer)
    office.start_central()
    office.start_web("serve")
    with exchanging(office, seed=3) as exchanges:
        exchanges.begin(20)
        exchanges.end(250)
        assert exchanges.differences() == []
    database = Database(office.settings().database.url)
    assert schema.current(database) == "0999", "it left the schema as it is"
    database.close()
