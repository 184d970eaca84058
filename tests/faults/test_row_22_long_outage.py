"""WIPO is away for 72 hours and 5,000 messages wait: they drain evenly, the stale ones wait for a human."""

import time
from collections import Counter
from datetime import timedelta

import pytest
import time_machine

from office_node import clock
from office_node.errors import PeerUnavailable
from office_node.outbox.delivery import Delivery, Handler
from office_node.outbox.outbox import Claim
from office_node.outbox.pace import Pace
from office_node.outbox.records import MessageState
from office_node.wiring.node import Node
from tests.databases import on_sqlite

pytestmark = pytest.mark.fault
PER_SECOND = 40


@on_sqlite
@pytest.mark.parametrize("items", [200, pytest.param(5000, marks=pytest.mark.long)])
@pytest.mark.timeout(400)
def test_row_22_a_backlog_drains_evenly_and_what_is_stale_waits_for_a_human(node: Node, items: int) -> None:
    stale = items // 10
    with time_machine.travel(clock.now() - timedelta(hours=100), tick=False):
        _put(node, range(stale))
    with time_machine.travel(clock.now() - timedelta(hours=72), tick=False):
        _put(node, range(stale, items))
    sent: list[float] = []

    def work(claim: Claim) -> None:
        sent.append(time.monotonic())
        with node.database.transaction() as session:
            node.outbox.settle(session, claim)

    handler = {"errand": Handler(work, threads=16, tells_wipo=True)}
    workers = [Delivery(node.outbox, handler, Pace(node.counters, PER_SECOND).allow) for _ in range(2)]
    deadline = time.monotonic() + 20 + 3 * items / PER_SECOND
    while len(sent) < items - stale:
        for worker in workers:
            worker.tick()
        time.sleep(0.02)
        assert time.monotonic() < deadline, f"{len(sent)} of {items}"
    for worker in workers:
        assert worker.drain(10)
    waiting = node.outbox.messages()
    assert len(waiting) == stale
    assert {message.state for message in waiting} == {MessageState.PARKED}
    windows = Counter(int(moment - sent[0]) for moment in sent)
    # The windows of the counter begin with its first hit; two of ours may lie across one of them.
    assert max(windows.values()) <= 2 * PER_SECOND
    assert len(sent) <= PER_SECOND * (sent[-1] - sent[0] + 2) * 1.1, "the rate over the whole is the limit's"


@on_sqlite
def test_row_22_after_72_hours_of_tries_a_message_is_parked_and_none_is_lost(node: Node) -> None:
    _put(node, range(20))

    def away(_claim: Claim) -> None:
        raise PeerUnavailable("nobody there")

    for hours in (0, 71, 74):
        with time_machine.travel(clock.now() + timedelta(hours=hours), tick=True):
            delivery = Delivery(node.outbox, {"errand": Handler(away, threads=4, tells_wipo=True)})
            for _ in range(20):
                delivery.tick()
                time.sleep(0.02)
            assert delivery.drain(10)
    assert Counter(message.state for message in node.outbox.messages()) == {MessageState.PARKED: 20}


def _put(node: Node, numbers: range) -> None:
    with node.database.transaction() as session:
        for number in numbers:
            node.outbox.put(session, "errand", f"effect {number}", {}, None)
