"""One worker's share: pools by kind, failures sorted, a tick that never raises."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import create_engine, make_url, text

from office_node import clock
from office_node.errors import PeerRefused, PeerUnavailable, Postponed
from office_node.outbox.delivery import Delivery, Handler
from office_node.outbox.outbox import Claim, Message
from office_node.outbox.pace import Pace
from office_node.outbox.records import MessageState
from office_node.wiring.node import Node
from tests.databases import on_sqlite
from tests.office import ROOT, eventually

Work = Callable[[Claim], None]


@pytest.fixture
def deliver(node: Node) -> Callable[[Work], None]:
    """Delivers everything that is due once, by the given work."""

    def run(work: Work) -> None:
        delivery = Delivery(node.outbox, {"errand": Handler(work, threads=2)})
        delivery.tick()
        assert delivery.drain(10)

    return run


def test_work_that_settles_is_done(node: Node, deliver: Callable[[Work], None]) -> None:
    _put(node)
    deliver(_settling(node))
    assert node.outbox.messages() == []


def test_a_peer_that_is_away_postpones(node: Node, deliver: Callable[[Work], None]) -> None:
    _put(node)
    deliver(_raising(PeerUnavailable("away")))
    assert _only(node).state is MessageState.DUE
    assert "away" in str(_only(node).last_cause)


def test_a_peer_that_refuses_parks_at_once(node: Node, deliver: Callable[[Work], None]) -> None:
    _put(node)
    deliver(_raising(PeerRefused("WIPO answered 400: -7 not registered")))
    assert _only(node).state is MessageState.PARKED
    assert "-7 not registered" in str(_only(node).first_cause)


def test_a_peer_that_rests_costs_no_try(node: Node, deliver: Callable[[Work], None]) -> None:
    _put(node)
    deliver(_raising(Postponed("left alone", retry_after_seconds=60)))
    assert (_only(node).state, _only(node).attempts, _only(node).first_cause) == (MessageState.DUE, 0, None)


def test_messages_for_wipo_are_taken_up_at_the_pace_of_all_workers_together(node: Node) -> None:
    with node.database.transaction() as session:
        for number in range(40):
            node.outbox.put(session, "errand", f"effect {number}", {}, None)
    taken: list[str] = []

    def work(claim: Claim) -> None:
        taken.append(claim.message_id)
        _settling(node)(claim)

    per_second = 7
    handler = {"errand": Handler(work, threads=20, tells_wipo=True)}
    workers = [Delivery(node.outbox, handler, Pace(node.counters, per_second).allow) for _ in range(2)]
    began = time.monotonic()
    while len(taken) < 40:
        for worker in workers:
            worker.tick()
        time.sleep(0.02)
        seconds = time.monotonic() - began
        assert len(taken) <= per_second * (int(seconds) + 2)
        assert seconds < 60
    for worker in workers:
        assert worker.drain(10)
    assert len(set(taken)) == 40
    assert node.outbox.messages() == []


def test_a_message_that_is_stale_is_parked_without_being_tried(node: Node) -> None:
    _put(node)
    tried: list[str] = []
    with time_machine.travel(clock.now() + timedelta(hours=97), tick=True):
        delivery = Delivery(
            node.outbox, {"errand": Handler(lambda claim: tried.append(claim.kind), threads=1, tells_wipo=True)}
        )
        delivery.tick()
        assert delivery.drain(10)
    assert tried == []
    assert _only(node).state is MessageState.PARKED
    assert "N615" in str(_only(node).first_cause)


def test_a_bug_of_ours_postpones_and_loses_nothing(node: Node, deliver: Callable[[Work], None]) -> None:
    _put(node)
    deliver(_raising(ZeroDivisionError()))
    assert _only(node).state is MessageState.DUE
    assert "ZeroDivisionError" in str(_only(node).last_cause)


def test_a_slow_kind_does_not_hold_up_another(node: Node) -> None:
    release, done = threading.Event(), threading.Event()

    def slow(claim: Claim) -> None:
        release.wait(20)
        _settling(node)(claim)

    def quick(claim: Claim) -> None:
        _settling(node)(claim)
        done.set()

    for number in range(5):
        _put(node, f"slow {number}", "slow")
    _put(node, "quick", "quick")
    delivery = Delivery(node.outbox, {"slow": Handler(slow, threads=2), "quick": Handler(quick, threads=1)})
    delivery.tick()
    delivery.tick()
    assert done.wait(20)
    states = sorted(message.state for message in node.outbox.messages())
    assert states == ["claimed"] * 2 + ["due"] * 3, "no more than the pool has threads is claimed"
    release.set()
    assert delivery.drain(20)


def test_a_lease_is_kept_while_its_work_goes_on(node: Node) -> None:
    node.outbox.lease_seconds = 0.6
    release = threading.Event()
    works: list[int] = []

    def slow(claim: Claim) -> None:
        works.append(claim.fencing)
        release.wait(20)
        _settling(node)(claim)

    _put(node)
    delivery = Delivery(node.outbox, {"errand": Handler(slow, threads=4)})
    for _ in range(30):  # three leases long
        delivery.tick()
        time.sleep(0.06)
    release.set()
    assert delivery.drain(20)
    assert works == [1]
    assert node.outbox.messages() == []


def test_a_tick_survives_a_database_that_is_gone_and_goes_on_when_it_is_back(node: Node) -> None:
    _put(node)
    delivery = Delivery(node.outbox, {"errand": Handler(_settling(node), threads=1)})
    with _taken_away(node):
        delivery.tick()
    delivery.tick()
    eventually(lambda: not node.outbox.messages())
    assert delivery.drain(20)


@contextmanager
def _taken_away(node: Node) -> Iterator[None]:
    """The database is not where it should be, for the length of the block."""
    node.database.close()
    url = make_url(node.settings.database.url)
    if node.database.is_sqlite:
        file = Path(str(url.database))
        moved = file.rename(file.with_suffix(".moved"))
        file.mkdir()
        yield
        file.rmdir()
        moved.rename(file)
    else:
        server = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
        with server.connect() as connection:
            connection.execute(text(f"ALTER DATABASE {url.database} RENAME TO moved"))
            yield
            connection.execute(text(f"ALTER DATABASE moved RENAME TO {url.database}"))
        server.dispose()


def _settling(node: Node) -> Work:
    def settle(claim: Claim) -> None:
        with node.database.transaction() as session:
            node.outbox.settle(session, claim)

    return settle


def _raising(error: Exception) -> Work:
    def fail(_claim: Claim) -> None:
        raise error

    return fail


def _put(node: Node, effect_key: str = "effect", kind: str = "errand") -> None:
    with node.database.transaction() as session:
        node.outbox.put(session, kind, effect_key, {}, "B1")


def _only(node: Node) -> Message:
    [message] = node.outbox.messages()
    return message


@on_sqlite
def test_what_is_promised_of_each_kind_of_message_is_written_down(node: Node) -> None:
    promised = (ROOT / "docs" / "delivery-guarantees.md").read_text()
    assert [kind for kind in node.handlers() if f"`{kind}`" not in promised] == []
