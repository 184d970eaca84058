"""Three outcomes: done, not done, uncertain. What may have happened is known as such until it is settled."""

from datetime import timedelta

import pytest
import time_machine

from office_node import clock
from office_node.errors import PeerUnavailable, Postponed
from office_node.outbox.outbox import Claim, Message, StaleMessage
from office_node.outbox.records import MessageState
from office_node.wiring.node import Node

KIND = "notify_wipo"
LOST = PeerUnavailable("the answer was lost", may_have_happened=True)
AWAY = PeerUnavailable("nobody there")


def put(node: Node) -> None:
    with node.database.transaction() as session:
        node.outbox.put(session, KIND, "effect", {}, "B1")


def claimed(node: Node) -> Claim:
    [claim] = node.outbox.claim(KIND, 1)
    return claim


def later(hours: float) -> time_machine.travel:
    return time_machine.travel(clock.now() + timedelta(hours=hours), tick=False)


def only(node: Node) -> Message:
    [message] = node.outbox.messages()
    return message


def test_a_call_that_did_not_happen_leaves_the_message_due(node: Node) -> None:
    put(node)
    node.outbox.postpone(claimed(node), AWAY)
    assert only(node).state is MessageState.DUE


def test_a_lost_answer_makes_it_uncertain_until_it_is_settled(node: Node) -> None:
    put(node)
    first = claimed(node)
    assert not first.is_uncertain
    node.outbox.postpone(first, LOST)
    assert only(node).state is MessageState.UNCERTAIN
    with later(1):
        second = claimed(node)
        assert second.is_uncertain
        node.outbox.postpone(second, AWAY)
        assert only(node).state is MessageState.UNCERTAIN, "that the next call did not happen says nothing of the first"
    with later(2):
        third = claimed(node)
        with node.database.transaction() as session:
            node.outbox.settle(session, third)
    assert node.outbox.messages() == []


def test_what_a_dead_worker_left_behind_is_uncertain(node: Node) -> None:
    put(node)
    claimed(node)
    with later(1):
        assert claimed(node).is_uncertain


def test_the_first_cause_is_never_overwritten(node: Node) -> None:
    put(node)
    for hours, error in enumerate((LOST, AWAY, Postponed("resting", retry_after_seconds=60))):
        with later(hours * 3):
            node.outbox.postpone(claimed(node), error)
    assert "the answer was lost" in str(only(node).first_cause)
    assert "resting" in str(only(node).last_cause)


def test_what_was_put_off_cost_no_try_however_often(node: Node) -> None:
    put(node)
    resting = Postponed("the peer is left alone", retry_after_seconds=60)
    for hours in range(0, 400, 40):
        with later(hours):
            due_at = node.outbox.postpone(claimed(node), resting)
            assert due_at
            assert (due_at - clock.now()).total_seconds() == pytest.approx(60)
            message = only(node)
            assert (message.state, message.attempts, message.first_cause) == (MessageState.DUE, 0, None)
    with later(500):
        node.outbox.postpone(claimed(node), AWAY)
        assert only(node).state is MessageState.DUE, "its first try was this one: it is not given up"


def test_what_was_due_for_days_without_a_worker_waits_for_a_human(node: Node) -> None:
    put(node)
    with later(95):
        fresh = claimed(node)
        node.outbox.refuse_stale(fresh)
    with later(95 + 1 + 96):
        stale = claimed(node)
        with pytest.raises(StaleMessage, match=r"N615 nobody worked on it for 9[67] hours"):
            node.outbox.refuse_stale(stale)
        node.outbox.park(stale, StaleMessage("nobody worked on it"))
    with later(300):
        node.outbox.retry([only(node).message_id])
        node.outbox.refuse_stale(claimed(node))
