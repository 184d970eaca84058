"""A request is prepared and announced: one content read whole, one notification, both written together."""

from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine

from office_node import clock
from office_node.off_retrievals.announcements import NOTIFY
from office_node.off_retrievals.service import PREPARE
from office_node.outbox.outbox import LeaseLost
from tests.off_retrievals.bench import Bench
from tests.off_retrievals.conftest import MakeBench


def test_a_prepared_request_holds_its_content_and_one_notification(bench: Bench) -> None:
    wanted = bench.keep().wanted
    acknowledgement_id = bench.caller().forward(wanted)
    bench.prepare(acknowledgement_id)
    record = bench.record(acknowledgement_id)
    assert record.state == "prepared"
    assert record.prepared_at
    assert bench.kept_file(acknowledgement_id).name == record.version_id
    prepare, notify = bench.messages(acknowledgement_id)
    assert (prepare.kind, prepare.state) == (PREPARE, "settled")
    assert (notify.kind, notify.state) == (NOTIFY, "due")
    assert notify.payload == {
        "requestAckId": acknowledgement_id,
        "requestStatusCategory": "success",
        "documentKindCategory": wanted.kind,
        "documentNumber": wanted.number,
        "documentDate": wanted.date,
        "documentAvailabilityDate": record.prepared_at.date().isoformat(),
    }


def test_a_notification_names_wipos_id_beside_ours(bench: Bench) -> None:
    wipo_id = f"A-{uuid4().hex}"
    acknowledgement_id = bench.caller().forward(bench.keep().wanted, offAckId=wipo_id)
    bench.prepare(acknowledgement_id)
    [notify] = [entry for entry in bench.messages(acknowledgement_id) if entry.kind == NOTIFY]
    assert (notify.payload["requestAckId"], notify.payload["osfAckId"]) == (acknowledgement_id, wipo_id)
    assert "offAckId" not in notify.payload


def test_a_notification_may_lead_with_wipos_id(new_bench: MakeBench) -> None:
    bench = new_bench({"wipo": {"notification_ack_id": "wipo"}})
    wanted, caller = bench.keep().wanted, bench.caller()
    given = {wipo_id: caller.forward(wanted, osfAckId=wipo_id) for wipo_id in ("A1", None)}
    leads = {}
    for wipo_id, acknowledgement_id in given.items():
        bench.prepare(acknowledgement_id)
        [notify] = [entry for entry in bench.messages(acknowledgement_id) if entry.kind == NOTIFY]
        leads[wipo_id] = (notify.payload["requestAckId"], notify.payload.get("offAckId"))
    assert leads == {"A1": ("A1", given["A1"]), None: (given[None], None)}


def test_who_lost_the_lease_prepares_nothing(bench: Bench) -> None:
    acknowledgement_id = bench.caller().forward(bench.keep().wanted)
    slow = bench.claim(acknowledgement_id)
    with time_machine.travel(clock.now() + timedelta(minutes=10)):
        quick = bench.claim(acknowledgement_id)
        with pytest.raises(LeaseLost):
            bench.node.retrievals.prepare(slow)
        assert bench.state(acknowledgement_id) == "received"
        assert [entry.kind for entry in bench.messages(acknowledgement_id)] == [PREPARE]
        bench.node.retrievals.prepare(quick)
    assert [entry.kind for entry in bench.messages(acknowledgement_id)] == [PREPARE, NOTIFY]


def test_a_request_that_ended_is_neither_prepared_nor_announced(bench: Bench) -> None:
    caller = bench.caller()
    acknowledgement_id = caller.forward(bench.keep().wanted)
    claim = bench.claim(acknowledgement_id)
    caller.call("DELETE", "files", query_string={"requestAckId": acknowledgement_id})
    bench.node.retrievals.prepare(claim)
    assert bench.record(acknowledgement_id).version_id is None
    assert [(entry.kind, entry.state) for entry in bench.messages(acknowledgement_id)] == [(PREPARE, "settled")]


def test_wipo_is_told_once_and_the_request_remembers_it(new_bench: MakeBench) -> None:
    bench = new_bench({})
    bench.office.start_central()
    kept = bench.keep()
    plain, _ = bench.offer(kept)
    ended = bench.caller().forward(kept.wanted, osfAckId="ended")
    bench.prepare(ended)
    quick, link = bench.offer(bench.keep())
    bench.http.get(link).close()  # before we have recorded that WIPO took the notification
    for claim in bench.node.outbox.claim(NOTIFY, 10):
        if claim.acknowledgement_id == ended:
            bench.caller().call("DELETE", "files", query_string={"requestAckId": ended})
        bench.node.retrievals.announce(claim)
    states = {request: bench.state(request) for request in (plain, quick, ended)}
    assert states == {plain: "notified", quick: "downloaded", ended: "expired"}
    assert bench.record(plain).notified_at
    assert {entry.state for request in states for entry in bench.messages(request)} == {"settled"}
    told = [entry["notification"]["requestAckId"] for entry in bench.office.ledger()]
    assert (told.count(plain), told.count(quick)) == (1, 1)


def test_what_ended_before_wipo_heard_of_it_is_not_announced(new_bench: MakeBench) -> None:
    bench = new_bench({})
    caller = bench.caller()
    acknowledgement_id = caller.forward(bench.keep().wanted)
    bench.prepare(acknowledgement_id)
    assert caller.call("DELETE", f"files?requestAckId={acknowledgement_id}").status_code == 204
    [claim] = bench.node.outbox.claim(NOTIFY, 10)
    bench.node.retrievals.announce(claim)  # raises if it calls out: nobody listens where WIPO should be
    assert {message.state for message in bench.messages(acknowledgement_id)} == {"settled"}
