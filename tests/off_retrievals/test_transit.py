"""A big document answers its retrieval through WIPO's transit zone (flow F4)."""

import hashlib

import pytest

from office_node.document_id import DocumentKind
from office_node.library import changes
from office_node.rehearsal.operator import Wanted
from office_node.storage.database import Database
from tests.conftest import MakeOffice
from tests.databases import postgresql_in_make_faults
from tests.office import WANTED, Office, eventually, pdf

SMALL_BOUND = {"off": {"big_document_bytes": 100_000}, "outbox": {"first_retry_seconds": 0.05}}
OTHER = Wanted("patent", "US 98/012,358", "2023-11-02", "AB21")


@pytest.fixture
def running(new_office: MakeOffice) -> Office:
    """An office for which 100,000 bytes are much."""
    office = new_office(SMALL_BOUND)
    office.start_central()
    office.start_web("serve")
    return office


def _downloaded(office: Office, acknowledgement_id: str) -> dict[str, object]:
    found = eventually(lambda: [entry for entry in office.ledger("downloaded") if entry["key"] == acknowledgement_id])
    return dict(found[0])


@postgresql_in_make_faults
def test_a_big_document_goes_through_transit_and_a_small_one_by_link(running: Office) -> None:
    big, small = running.add_document(pdf(300_000)), running.add_document(pdf(1_000), OTHER)
    through = {}
    for content, wanted in ((big, WANTED), (small, OTHER)):
        entry = _downloaded(running, running.forward(wanted))
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
        through[wanted.number] = entry["through"]
    assert through == {WANTED.number: "transit", OTHER.number: "link"}
    [uploaded] = running.ledger("uploaded")
    assert (uploaded["sha256"], uploaded["times"]) == (hashlib.sha256(big).hexdigest(), 1)
    notified = {entry["notification"]["documentNumber"]: entry["notification"] for entry in running.ledger("notified")}
    assert notified[WANTED.number]["fileId"] == uploaded["key"]
    assert "fileId" not in notified[OTHER.number]
    assert all(entry["times"] == 1 for entry in running.ledger("notified"))


@postgresql_in_make_faults
def test_a_document_may_have_a_bound_of_its_own(running: Office) -> None:
    running.add_document(pdf(1_000))
    running.add_document(pdf(300_000), OTHER)
    database = Database(running.settings().database.url)
    with database.transaction() as session:
        changes.bound_for_transit(session, DocumentKind.PATENT, WANTED.number, 0)
        changes.bound_for_transit(session, DocumentKind.PATENT, OTHER.number, 1_000_000)
    database.close()
    assert _downloaded(running, running.forward())["through"] == "transit"
    assert _downloaded(running, running.forward(OTHER))["through"] == "link"


@postgresql_in_make_faults
def test_while_it_is_on_its_way_wipo_is_told_that_it_is_pending(running: Office) -> None:
    running.add_document(pdf(300_000))
    running.pace_central(file_check_seconds=2)
    acknowledgement_id = running.forward()
    eventually(lambda: running.ledger("uploaded"))
    wipo = running.operator()
    [status] = wipo.status(acknowledgement_id).json()["documentRetrievalResponseBag"]
    assert status["requestStatusCategory"] == "pending"
    assert wipo.locate(WANTED, acknowledgement_id).status_code == 409
    assert _downloaded(running, acknowledgement_id)["through"] == "transit"
    assert wipo.locate(WANTED, acknowledgement_id).status_code == 200, "WIPO may fetch it here too"


@postgresql_in_make_faults
def test_a_big_document_that_wipo_rejects_ends_as_an_error_that_wipo_is_told(running: Office) -> None:
    running.add_document(pdf(300_000))
    running.script_central(
        {"place": "file_status", "status": 200, "body": {"fileStatusCategory": "REJECTED", "statusMessage": "odd"}}
    )
    acknowledgement_id = running.forward()
    [told] = eventually(lambda: running.ledger("notified"))
    assert (told["key"], told["notification"]["requestStatusCategory"]) == (acknowledgement_id, "error")
    [ended] = [line for line in running.log_lines() if line["event"] == "transit ended"]
    assert "odd" in ended["reason"]
