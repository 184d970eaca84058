"""A tenth of all calls go wrong, and processes are killed: WIPO's ledger equals what was intended, with no hand's help.

Rows 12, 14, 15, 17 and 21 of reliability.md 2.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import psutil
import pytest
import requests

from tests.conftest import MakeOffice
from tests.databases import postgresql_in_make_faults
from tests.faults.exchanges import QUICK, Exchanges, assert_sound, exchanging
from tests.office import Office, eventually

pytestmark = pytest.mark.fault
_KILL_EVERY_SECONDS = 20.0  # `serve` gives up on what falls six times a minute, and a killed web may fall twice


def hostile_office(new_office: MakeOffice, share: float, seed: int) -> Office:
    office = new_office(overrides=QUICK)
    office.upgrade()
    office.start("rehearsal", "serve", "--hostile", str(share), "--seed", str(seed))
    eventually(lambda: requests.get(f"{office.central_url}/rehearsal/alive", timeout=30).ok)
    office.pace_central(silence_seconds=3, drip_seconds=0.05)
    office.start_web("serve")
    return office


@contextmanager
def killing(office: Office, seed: int) -> Iterator[list[str]]:
    """Kill the worker or the web processes, as the seed has it, until the block ends."""
    serve, chance, over, killed = psutil.Process(office.processes[-1].pid), Random(seed), threading.Event(), [""]

    def go_on() -> None:
        while not over.wait(_KILL_EVERY_SECONDS):
            child = chance.choice(serve.children())
            killed.append(child.cmdline()[-1])
            for process in (child, *child.children(recursive=True)):
                os.kill(process.pid, signal.SIGKILL)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


def judge(exchanges: Exchanges) -> None:
    befell = requests.get(f"{exchanges.office.central_url}/rehearsal/transcript", timeout=30).json()
    assert len({one["fate"] for one in befell}) >= 10, befell
    assert exchanges.differences() == []
    assert_sound(exchanges.office)


@postgresql_in_make_faults
@pytest.mark.timeout(600)
def test_row_14_a_tenth_of_all_calls_goes_wrong_and_the_ledger_equals_the_intents(new_office: MakeOffice) -> None:
    office = hostile_office(new_office, 0.1, seed=1)
    with exchanging(office, seed=1) as exchanges:
        exchanges.begin(40)
        exchanges.end(250)
        judge(exchanges)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(1, 6))
@postgresql_in_make_faults
def test_row_15_500_exchanges_at_10_percent_hostility_with_random_kills(new_office: MakeOffice, seed: int) -> None:
    office = hostile_office(new_office, 0.1, seed)
    with exchanging(office, seed) as exchanges:
        with killing(office, seed) as killed:
            exchanges.begin(500)
            exchanges.end(1500)
        assert len(killed) > 1
        judge(exchanges)
