"""What an administrator does with messages that WIPO refused: list, mend, retry."""

import json
from datetime import datetime

from tests.conftest import MakeOffice
from tests.databases import postgresql_in_make_faults
from tests.office import WANTED, eventually


@postgresql_in_make_faults
def test_a_refused_notification_is_parked_shown_and_sent_on_retry(new_office: MakeOffice) -> None:
    office = new_office()
    office.start_central()
    office.start_web("serve")
    office.add_document()
    office.script_central({"status": 400})
    acknowledgement_id = office.operator().forward(WANTED).json()["requestAckId"]

    eventually(lambda: [message for message in office.waiting() if message.state == "parked"])
    parked = json.loads(office.run("outbox", "list", "--parked", "--json").stdout)
    assert [message["acknowledgement_id"] for message in parked] == [acknowledgement_id]
    assert "WIPO answered 400: -1 scripted" in parked[0]["first_cause"]
    assert datetime.fromisoformat(parked[0]["due_at"]).tzinfo
    assert "T" in parked[0]["due_at"]
    assert office.ledger() == []

    rehearsed = office.run("outbox", "retry", "--all-parked", "--dry-run")
    assert rehearsed.stdout == f"would retry: {parked[0]['message_id']}\n"
    assert len(office.waiting()) == 1
    assert office.run("outbox", "retry", parked[0]["message_id"]).returncode == 0
    eventually(office.ledger)
    eventually(lambda: not office.waiting())
    assert office.run("outbox", "retry", parked[0]["message_id"]).returncode == 1
    assert office.run("outbox", "retry").returncode == 2
    unknown = office.run("outbox", "retry", "--dry-run", "no-such-id")
    assert (unknown.returncode, unknown.stderr[:4]) == (1, "N611")
    unreadable = office.run("outbox", "retry", "--dry-run", "\udcff")  # a byte that is no UTF-8
    assert (unreadable.returncode, unreadable.stderr[:4]) == (1, "N611")


@postgresql_in_make_faults
def test_a_peer_that_is_busy_is_asked_again_after_what_it_said(new_office: MakeOffice) -> None:
    office = new_office(overrides={"outbox": {"first_retry_seconds": 0.1}})
    office.start_central()
    office.start_web("serve")
    office.add_document()
    office.script_central({"status": 503, "retry_after": 1}, {"status": 500}, {"status": 204})
    acknowledgement_id = office.operator().forward(WANTED).json()["requestAckId"]
    [entry] = eventually(office.ledger)
    assert (entry["key"], entry["times"]) == (acknowledgement_id, 1)
    postponed = [line for line in office.log_lines() if line["event"] == "message postponed"]
    assert [line["reason"][:19] for line in postponed] == ["WIPO answered 503: ", "WIPO answered 500: "]
    assert all(line["code"] == "N601" and line["hint"] for line in postponed)
