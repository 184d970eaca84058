"""Everything of the node is killed every twenty seconds while exchanges of every kind run; nobody lends a hand."""

import os
import signal
import time

import psutil
import pytest
import requests

from tests.conftest import MakeOffice
from tests.databases import postgresql_in_make_faults
from tests.faults.exchanges import QUICK, assert_sound, exchanging
from tests.office import Office, eventually

pytestmark = [pytest.mark.fault, pytest.mark.timeout(1200)]


@postgresql_in_make_faults
@pytest.mark.parametrize(("kills", "every_seconds"), [(2, 5), pytest.param(30, 20, marks=pytest.mark.long)])
def test_row_40_killed_again_and_again_it_starts_by_itself(
    new_office: MakeOffice, kills: int, every_seconds: float
) -> None:
    office = new_office(overrides=QUICK)
    office.upgrade()
    office.start_central()
    office.start_web("serve")
    with exchanging(office, seed=40) as exchanges:
        for _ in range(kills):
            exchanges.begin(6)
            time.sleep(every_seconds)
            _kill_everything(office)
            office.start("serve")
            eventually(lambda: _answers(office.url), 250)
        exchanges.end(250)
        assert exchanges.differences() == []
    assert_sound(office)


def _kill_everything(office: Office) -> None:
    serve = psutil.Process(office.processes[-1].pid)
    everyone = [serve, *serve.children(recursive=True)]
    for process in everyone:
        os.kill(process.pid, signal.SIGKILL)
    office.processes[-1].wait()
    psutil.wait_procs(everyone, timeout=10)


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/", timeout=2).status_code == 404
    except requests.RequestException:
        return False
