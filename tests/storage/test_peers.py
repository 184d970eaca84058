"""A breaker for each peer, shared by every process: rows decide."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine

from office_node import clock
from office_node.storage.database import Database
from office_node.storage.peers import Peers

WIPO, STORE = "WIPO", "WIPO's object store"
MINUTE = timedelta(seconds=60)


@pytest.fixture
def peers(database: Database) -> Peers:
    return Peers(database, failures=5, rest_seconds=60)


def broken(peers: Peers) -> Peers:
    opened = [peers.failed(WIPO) for _ in range(5)]
    assert opened == [False, False, False, False, True]
    return peers


def test_five_failures_in_a_row_and_nobody_calls_for_a_minute(peers: Peers) -> None:
    assert peers.look(WIPO)[0] == 0
    broken(peers)
    assert 55 < peers.look(WIPO)[0] <= 60
    assert peers.look(STORE)[0] == 0, "another peer has a breaker of its own"


def test_an_answer_in_between_begins_the_count_anew(peers: Peers) -> None:
    for _ in range(4):
        peers.failed(WIPO)
    peers.answered(WIPO)
    assert not any(peers.failed(WIPO) for _ in range(4))
    assert peers.look(WIPO)[0] == 0


def test_after_its_rest_one_call_looks_how_it_is(peers: Peers, new_database: Callable[..., Database]) -> None:
    broken(peers)
    others = [Peers(new_database(), failures=5, rest_seconds=60) for _ in range(6)]
    start, allowed = threading.Barrier(6), []

    def look(one: Peers) -> None:
        start.wait()
        if one.look(WIPO)[0] == 0:
            allowed.append(one)

    with time_machine.travel(clock.now() + 1.1 * MINUTE, tick=True):
        threads = [threading.Thread(target=look, args=(one,)) for one in others]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(allowed) == 1
        assert peers.failed(WIPO), "the probe failed: another rest"
        assert peers.look(WIPO)[0] > 50
    with time_machine.travel(clock.now() + 3 * MINUTE, tick=True):
        assert peers.look(WIPO)[0] == 0
        peers.answered(WIPO)
        assert [peers.look(WIPO)[0] for _ in range(3)] == [0, 0, 0]


def test_a_probe_that_never_came_back_closes_the_way_for_one_more_rest(peers: Peers) -> None:
    broken(peers)
    with time_machine.travel(clock.now() + 1.1 * MINUTE, tick=False):
        assert peers.look(WIPO)[0] == 0
        assert peers.look(WIPO)[0] == 60
    with time_machine.travel(clock.now() + 2.2 * MINUTE, tick=False):
        assert peers.look(WIPO)[0] == 0


def test_a_clock_that_was_set_back_does_not_close_the_way_for_a_day(peers: Peers) -> None:
    with time_machine.travel(clock.now() + timedelta(days=1), tick=False):
        broken(peers)
    assert peers.look(WIPO)[0] == 0


def test_with_0_it_never_opens(database: Database) -> None:
    careless = Peers(database, failures=0, rest_seconds=60)
    assert not any(careless.failed(WIPO) for _ in range(20))
    assert careless.look(WIPO)[0] == 0
    assert careless.all() == []


def test_the_last_measure_of_its_clock_is_kept(peers: Peers) -> None:
    peers.skewed(WIPO, 3.5)
    peers.skewed(WIPO, -40.0)
    [state] = peers.all()
    assert (state.name, state.failures, state.skew_seconds) == (WIPO, 0, -40.0)
    assert state.skew_at
