"""The whole machine sleeps, then wakes: due work runs, nothing is skipped, nothing is done twice."""

import os
import signal
import time

import psutil
import pytest

from tests.conftest import MakeOffice
from tests.databases import on_sqlite
from tests.office import WANTED, eventually

pytestmark = pytest.mark.fault


@on_sqlite
@pytest.mark.timeout(420)
@pytest.mark.parametrize("seconds", [12, pytest.param(120, marks=pytest.mark.long)])
def test_row_27_what_was_due_runs_when_the_machine_wakes(new_office: MakeOffice, seconds: int) -> None:
    # Every lease has run out when the machine wakes; no call is so short that a slow machine cannot make it.
    office = new_office(overrides={"outbox": {"lease_seconds": 10}, "wipo": {"total_seconds": 9, "read_seconds": 8}})
    office.upgrade()
    office.start_central()
    office.add_document()
    serve = office.start_web("serve")
    wipo = office.operator()
    ids = {wipo.forward(WANTED, wipo_acknowledgement_id=f"A{n}").json()["requestAckId"] for n in range(25)}
    everyone = [psutil.Process(serve.pid), *psutil.Process(serve.pid).children(recursive=True)]
    for process in everyone:
        os.kill(process.pid, signal.SIGSTOP)
    time.sleep(seconds)
    for process in reversed(everyone):
        os.kill(process.pid, signal.SIGCONT)
    eventually(lambda: len(office.ledger()) == 25, 250)
    eventually(lambda: not office.waiting(), 250)
    assert {entry["key"] for entry in office.ledger()} == ids
    assert office.run("health").returncode == 0
