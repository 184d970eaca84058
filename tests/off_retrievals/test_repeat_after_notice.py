"""WIPO asks again for what it was told already: its answer was lost, and with it the id it was told under."""

from datetime import timedelta

import time_machine

from office_node import clock
from tests.off_retrievals.bench import Bench

NOTIFY = "notify_wipo"


def told(bench: Bench, acknowledgement_id: str) -> int:
    return sum(message.kind == NOTIFY for message in bench.messages(acknowledgement_id))


def settle_notice(bench: Bench, acknowledgement_id: str) -> None:
    """WIPO takes the notification, as far as the node can see."""
    claim = bench.claim(acknowledgement_id, NOTIFY)
    with bench.node.database.transaction() as session:
        bench.node.outbox.settle(session, claim)


def test_it_is_told_again_under_the_id_that_it_now_has(bench: Bench) -> None:
    kept, caller = bench.keep(), bench.caller()
    acknowledgement_id = caller.forward(kept.wanted, osfAckId="A1")
    assert caller.forward(kept.wanted, osfAckId="A1") == acknowledgement_id
    assert told(bench, acknowledgement_id) == 0, "nothing was told yet"
    bench.prepare(acknowledgement_id)
    assert caller.forward(kept.wanted, osfAckId="A1") == acknowledgement_id
    assert told(bench, acknowledgement_id) == 1, "it is still to be told: once is enough"
    settle_notice(bench, acknowledgement_id)
    for _ in range(3):
        assert caller.forward(kept.wanted, osfAckId="A1") == acknowledgement_id
    assert told(bench, acknowledgement_id) == 2, "once a minute, however often WIPO asks"
    first, again = [message for message in bench.messages(acknowledgement_id) if message.kind == NOTIFY]
    assert again.payload == first.payload
    settle_notice(bench, acknowledgement_id)
    with time_machine.travel(clock.now() + timedelta(minutes=2), tick=False):
        assert caller.forward(kept.wanted, osfAckId="A1") == acknowledgement_id
    assert told(bench, acknowledgement_id) == 3
