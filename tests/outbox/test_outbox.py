"""Messages: written with what made them true, claimed by one, settled once, never dropped."""

import threading
from datetime import timedelta

import pytest
import time_machine

from office_node import clock
from office_node.errors import NotYet, PeerRefused, PeerUnavailable
from office_node.outbox.outbox import Claim, LeaseLost, NotParked
from office_node.outbox.records import MessageState
from office_node.wiring.node import Node
from tests.plans import plans_of

KIND = "notify_wipo"
NOT_ITS_TURN = NotYet("not its turn", seconds=900, is_ours=True)


def test_a_message_is_written_only_if_its_transaction_is(node: Node) -> None:
    def put_and_fail() -> None:
        with node.database.transaction() as session:
            node.outbox.put(session, KIND, "effect", {}, "B1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        put_and_fail()
    assert node.outbox.messages() == []


def test_the_same_effect_is_never_written_twice_not_even_after_it_was_settled(node: Node) -> None:
    _put(node, "effect")
    _put(node, "effect")
    [claim] = node.outbox.claim(KIND, 10)
    with node.database.transaction() as session:
        node.outbox.settle(session, claim)
    _put(node, "effect")
    assert node.outbox.claim(KIND, 10) == []


def test_a_message_is_claimed_once_by_many_workers_at_the_same_instant(node: Node) -> None:
    for number in range(20):
        _put(node, f"effect {number}")
    claimed: list[Claim] = []
    start = threading.Barrier(6)

    def work() -> None:
        start.wait()
        for _ in range(20):
            claimed.extend(node.outbox.claim(KIND, 3))

    workers = [threading.Thread(target=work) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(claimed) == 20
    assert len({claim.message_id for claim in claimed}) == 20


def test_only_the_asked_kind_is_claimed_and_no_more_than_asked(node: Node) -> None:
    for number in range(5):
        _put(node, f"effect {number}")
    assert node.outbox.claim("prepare_retrieval", 10) == []
    assert len(node.outbox.claim(KIND, 2)) == 2


def test_a_dead_workers_message_falls_due_when_its_lease_ends(node: Node) -> None:
    _put(node)
    [first] = node.outbox.claim(KIND, 1)
    assert node.outbox.claim(KIND, 1) == []
    with time_machine.travel(clock.now() + timedelta(seconds=node.outbox.lease_seconds + 1)):
        [second] = node.outbox.claim(KIND, 1)
    assert (second.message_id, second.fencing, second.attempts) == (first.message_id, first.fencing + 1, 2)


def test_a_renewed_lease_does_not_end(node: Node) -> None:
    _put(node)
    [claim] = node.outbox.claim(KIND, 1)
    with time_machine.travel(clock.now() + timedelta(seconds=node.outbox.lease_seconds - 1)):
        node.outbox.renew([claim])
    with time_machine.travel(clock.now() + timedelta(seconds=node.outbox.lease_seconds + 1)):
        assert node.outbox.claim(KIND, 1) == []


def test_a_worker_that_lost_its_lease_can_record_nothing(node: Node) -> None:
    _put(node)
    [zombie] = node.outbox.claim(KIND, 1)
    with time_machine.travel(clock.now() + timedelta(seconds=node.outbox.lease_seconds + 1)):
        [heir] = node.outbox.claim(KIND, 1)
    with pytest.raises(LeaseLost), node.database.transaction() as session:
        node.outbox.settle(session, zombie)
    with pytest.raises(LeaseLost):
        node.outbox.postpone(zombie, PeerUnavailable("late"))
    with pytest.raises(LeaseLost):
        node.outbox.park(zombie, PeerRefused("late"))
    with node.database.transaction() as session:
        node.outbox.settle(session, heir)
    assert node.outbox.messages() == []


def test_a_postponed_message_is_due_again_later_and_keeps_its_first_cause(node: Node) -> None:
    _put(node)
    [claim] = node.outbox.claim(KIND, 1)
    due_at = node.outbox.postpone(claim, PeerUnavailable("the first cause"))
    assert due_at is not None
    assert node.outbox.claim(KIND, 1) == []
    with time_machine.travel(due_at + timedelta(seconds=1)):
        [again] = node.outbox.claim(KIND, 1)
        node.outbox.postpone(again, PeerUnavailable("its echo"))
    [message] = node.outbox.messages()
    assert "the first cause" in str(message.first_cause)
    assert "its echo" in str(message.last_cause)
    assert (message.state, message.attempts) == (MessageState.DUE, 2)


def test_the_peers_retry_after_is_waited_for(node: Node) -> None:
    _put(node)
    [claim] = node.outbox.claim(KIND, 1)
    before = clock.now()
    due_at = node.outbox.postpone(claim, PeerUnavailable("busy", retry_after_seconds=900))
    assert due_at is not None
    assert due_at >= before + timedelta(seconds=900)


def test_what_came_while_its_message_was_looked_at_makes_it_due_at_once(node: Node) -> None:
    _put(node)
    [claim] = node.outbox.claim(KIND, 1)
    _wake(node)
    assert node.outbox.claim(KIND, 1) == [], "it is held still"
    node.outbox.look_again(claim, NOT_ITS_TURN)
    [claim] = node.outbox.claim(KIND, 1)
    node.outbox.look_again(claim, NOT_ITS_TURN)
    assert node.outbox.claim(KIND, 1) == [], "it was woken once"
    _wake(node)
    assert len(node.outbox.claim(KIND, 1)) == 1


def test_a_message_put_back_to_wait_in_the_instant_it_is_woken_does_not_oversleep(node: Node) -> None:
    for number in range(20):
        _put(node, f"effect {number}")
        [claim] = node.outbox.claim(KIND, 1)
        at_once = threading.Barrier(2)
        waking = threading.Thread(target=_wake, args=(node, at_once))
        waking.start()
        at_once.wait()
        node.outbox.look_again(claim, NOT_ITS_TURN)
        waking.join()
        [claim] = node.outbox.claim(KIND, 1)
        with node.database.transaction() as session:
            node.outbox.settle(session, claim)


def test_after_72_hours_a_message_is_parked_and_waits_for_a_human_for_ever(node: Node) -> None:
    _put(node)
    tries = 0
    moment = clock.now()
    while True:
        with time_machine.travel(moment, tick=False):
            [claim] = node.outbox.claim(KIND, 1)
            tries += 1
            due_at = node.outbox.postpone(claim, PeerUnavailable("the line is dead"))
            if due_at is None:
                break
            moment = due_at
    assert 37 <= tries <= 46
    with time_machine.travel(moment + timedelta(days=3650)):
        assert node.outbox.claim(KIND, 1) == []
        [message] = node.outbox.messages(parked_only=True)
    assert message.state is MessageState.PARKED


def test_a_retried_message_is_due_at_once_with_all_its_tries_before_it(node: Node) -> None:
    _put(node)
    [claim] = node.outbox.claim(KIND, 1)
    node.outbox.park(claim, PeerRefused("no"))
    node.outbox.retry([claim.message_id])
    [again] = node.outbox.claim(KIND, 1)
    assert (again.message_id, again.attempts) == (claim.message_id, 1)


def test_a_retry_of_what_is_not_parked_is_refused_and_changes_nothing(node: Node) -> None:
    _put(node, "parked")
    [claim] = node.outbox.claim(KIND, 1)
    node.outbox.park(claim, PeerRefused("no"))
    _put(node, "due")
    [due] = [message for message in node.outbox.messages() if message.state is MessageState.DUE]
    with pytest.raises(NotParked):
        node.outbox.retry([claim.message_id, due.message_id])
    assert len(node.outbox.messages(parked_only=True)) == 1


def test_a_cause_is_kept_without_the_secrets_in_it(node: Node) -> None:
    _put(node)
    [claim] = node.outbox.claim(KIND, 1)
    node.outbox.park(claim, PeerRefused("Bearer abcdefghij0123 for https://x/?signature=abcdefghij dasAccessCode=AB21"))
    [message] = node.outbox.messages()
    for secret in ("abcdefghij", "AB21"):
        assert secret not in str(message)


@pytest.mark.parametrize("oddity", ["\0", "\ud800", "\U0001f4c4", "x" * 10_000, ""])
def test_whatever_a_peer_says_its_message_is_parked(node: Node, oddity: str) -> None:
    _put(node)
    [claim] = node.outbox.claim(KIND, 1)
    node.outbox.park(claim, PeerRefused(f"WIPO answered 400: {oddity}"))
    [message] = node.outbox.messages(parked_only=True)
    assert str(message.first_cause).startswith("N602 WIPO answered 400: ")


def test_a_look_for_due_messages_goes_through_the_index_and_reads_no_settled_ones(node: Node) -> None:
    with plans_of(node.database) as plans:
        assert node.outbox.claim(KIND, 10) == []
    assert ["ix_outbox_open" in plan for plan in plans] == [True]


def _put(node: Node, effect_key: str = "effect") -> None:
    with node.database.transaction() as session:
        node.outbox.put(session, KIND, effect_key, {"requestAckId": "B1"}, "B1")


def _wake(node: Node, at_once: threading.Barrier | None = None) -> None:
    if at_once:
        at_once.wait()
    with node.database.transaction() as session:
        node.outbox.make_due(session, "B1")
