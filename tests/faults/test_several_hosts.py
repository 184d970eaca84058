"""Two hosts of one office on PostgreSQL and a shared store, one of them killed every few seconds: nobody notices.

Rows 10, 39 and 40 of reliability.md 2.
"""

import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.conftest import MakeOffice
from tests.databases import on_postgresql
from tests.faults.exchanges import QUICK, assert_sound, exchanging
from tests.faults.hosts import before_them, hosts_of, one_dies_now_and_then, start_all
from tests.office import Office

pytestmark = pytest.mark.fault


def _with_two_hosts(office: Office, count: int, seconds: float, kills: int) -> None:
    office.upgrade()
    office.start_central()
    hosts = hosts_of(office, 2)
    with before_them(office, hosts):
        start_all(hosts)
        with one_dies_now_and_then(hosts, seed=9, every_seconds=3) as killed, exchanging(office, seed=4) as exchanges:
            exchanges.begin(count)
            exchanges.end(seconds)
            assert exchanges.differences() == []
    assert len(killed) >= kills, killed
    assert_sound(office)


@on_postgresql
def test_one_of_two_hosts_dies_every_few_seconds_and_every_exchange_ends_well(new_office: MakeOffice) -> None:
    _with_two_hosts(new_office(overrides=QUICK), count=20, seconds=100, kills=1)


@pytest.mark.long
@pytest.mark.timeout(900)
@on_postgresql
def test_the_same_for_minutes(new_office: MakeOffice) -> None:
    _with_two_hosts(new_office(overrides=QUICK), count=300, seconds=700, kills=20)


@on_postgresql
def test_row_39_a_rate_limit_holds_over_both_hosts_together(new_office: MakeOffice) -> None:
    office = new_office(overrides={"ingress": {"rate_per_address": "10/minute"}})
    office.upgrade()
    hosts = hosts_of(office, 2)
    for host in hosts:
        host.start("web")
    deadline = time.monotonic() + 30
    while not all(_listens(host.url) for host in hosts):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    with before_them(office, hosts), ThreadPoolExecutor(8) as pool:
        answers = Counter(pool.map(lambda _: _status(office.url), range(80)))
    assert answers[429] >= 69
    assert answers[200] + answers[404] <= 11, answers


def _listens(url: str) -> bool:
    """Without a call that would count."""
    address, _, port = url.removeprefix("http://").rpartition(":")
    try:
        socket.create_connection((address, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


def _status(url: str) -> int:
    return requests.get(f"{url}/oauth2/jwks", timeout=30).status_code
