"""Requests that WIPO did not finish end by age; WIPO is told of those that were never supplied."""

from datetime import timedelta

import pytest
import time_machine

from office_node import clock
from office_node.off_retrievals.announcements import NOTIFY
from office_node.off_retrievals.records import locked
from office_node.off_retrievals.states import RetrievalState
from tests.off_retrievals.bench import Bench, das_codes
from tests.off_retrievals.conftest import MakeBench

OLD = timedelta(days=7)
MOMENT = timedelta(seconds=1)


@pytest.fixture
def own(new_bench: MakeBench) -> Bench:
    """An office of the test's own: age ends every request there is."""
    return new_bench({})


def _expire_after(bench: Bench, age: timedelta) -> int:
    with time_machine.travel(clock.now() + age, tick=False):
        return bench.node.endings.expire_old()


def test_a_request_that_was_never_prepared_is_refused_and_wipo_is_told(own: Bench) -> None:
    wanted = own.keep().wanted
    acknowledgement_id = own.caller().forward(wanted, osfAckId="A1")
    assert _expire_after(own, OLD + MOMENT) == 1
    record = own.record(acknowledgement_id)
    assert (record.state, record.open_key) == ("refused", None)
    [_, notify] = own.messages(acknowledgement_id)
    assert (notify.kind, notify.state) == ("notify_wipo", "due")
    assert notify.payload == {
        "requestAckId": acknowledgement_id,
        "osfAckId": "A1",
        "requestStatusCategory": "error",
        "documentKindCategory": wanted.kind,
        "documentNumber": wanted.number,
        "documentDate": wanted.date,
        "errorCode": -1000,
        "statusMessage": "The office of first filing could not supply the document",
    }


@pytest.mark.parametrize("supplied", [RetrievalState.NOTIFIED, RetrievalState.DOWNLOADED])
def test_a_request_that_was_supplied_expires_and_nobody_is_told(own: Bench, supplied: RetrievalState) -> None:
    acknowledgement_id, link = own.offer(own.keep())
    with own.node.database.transaction() as session:
        locked(session, acknowledgement_id).move(supplied)
    before = [entry.kind for entry in own.messages(acknowledgement_id)]
    assert _expire_after(own, OLD + MOMENT) == 1
    assert own.state(acknowledgement_id) == "expired"
    assert [entry.kind for entry in own.messages(acknowledgement_id)] == before
    assert own.http.get(link).status_code == 410


def test_wipo_is_told_that_it_cannot_fetch_what_it_never_heard_it_could(own: Bench) -> None:
    acknowledgement_id, link = own.offer(own.keep())
    assert _expire_after(own, OLD + MOMENT) == 1
    assert own.state(acknowledgement_id) == "refused"
    categories = [entry.payload.get("requestStatusCategory") for entry in own.messages(acknowledgement_id)]
    assert categories == [None, "success", "error"]
    assert own.http.get(link).status_code == 410
    # The success that nobody heard of is not true any more: it is settled without a word to WIPO.
    claims = {claim.payload["requestStatusCategory"]: claim for claim in own.node.outbox.claim(NOTIFY, 10)}
    own.node.retrievals.announce(claims["success"])
    assert [entry.state for entry in own.messages(acknowledgement_id)][1] == "settled"


def test_a_request_has_all_of_its_days(own: Bench) -> None:
    waiting = own.caller().forward(own.keep().wanted)
    ready, _ = own.offer(own.keep())
    assert _expire_after(own, OLD - timedelta(minutes=1)) == 0
    assert (own.state(waiting), own.state(ready)) == ("received", "prepared")


def test_what_has_ended_ends_only_once(own: Bench) -> None:
    acknowledgement_id = own.caller().forward(own.keep().wanted)
    assert _expire_after(own, OLD + MOMENT) == 1
    ended_at = own.record(acknowledgement_id).ended_at
    assert _expire_after(own, 2 * OLD) == 0
    assert own.record(acknowledgement_id).ended_at == ended_at
    assert len(own.messages(acknowledgement_id)) == 2


def test_a_refused_request_reads_as_an_error_and_is_gone(own: Bench) -> None:
    wanted, caller = own.keep().wanted, own.caller()
    acknowledgement_id = caller.forward(wanted)
    _expire_after(own, OLD + MOMENT)
    [entry] = caller.statuses(requestAckId=acknowledgement_id)
    assert entry["requestStatusCategory"] == "error"
    assert entry["errorCode"] == -1000
    located = caller.locate(wanted, osfAckId=acknowledgement_id)
    assert located.status_code == 410
    assert das_codes(located) == [-1000]


def test_preparing_a_refused_request_changes_nothing(own: Bench) -> None:
    acknowledgement_id = own.caller().forward(own.keep().wanted)
    _expire_after(own, OLD + MOMENT)
    own.prepare(acknowledgement_id)
    assert own.state(acknowledgement_id) == "refused"
    assert [entry.kind for entry in own.messages(acknowledgement_id)] == ["prepare_retrieval", "notify_wipo"]


def test_the_same_words_after_the_end_are_a_new_request(own: Bench) -> None:
    wanted, caller = own.keep().wanted, own.caller()
    first = caller.forward(wanted)
    _expire_after(own, OLD + MOMENT)
    assert caller.forward(wanted) != first


def test_the_days_are_those_of_the_settings(new_bench: MakeBench) -> None:
    bench = new_bench({"off": {"request_days": 1}})
    acknowledgement_id = bench.caller().forward(bench.keep().wanted)
    assert _expire_after(bench, timedelta(days=1) + MOMENT) == 1
    assert bench.state(acknowledgement_id) == "refused"
