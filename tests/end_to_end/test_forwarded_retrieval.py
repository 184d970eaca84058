"""From WIPO's call to WIPO's download, on real processes."""

import hashlib

from tests.conftest import MakeOffice
from tests.databases import postgresql_in_make_faults
from tests.office import WANTED, eventually


def test_a_document_travels_from_wipos_call_to_wipos_download(new_office: MakeOffice) -> None:
    office = new_office()
    office.start_central()
    office.start_web("serve")
    content = office.add_document()
    wipo = office.operator()

    forwarded = wipo.forward(WANTED, wipo_acknowledgement_id="A1")
    assert forwarded.status_code == 201
    acknowledgement_id = forwarded.json()["requestAckId"]
    [notified] = eventually(office.ledger)
    assert notified["notification"] == {
        "requestAckId": acknowledgement_id,
        "osfAckId": "A1",
        "requestStatusCategory": "success",
        "documentKindCategory": WANTED.kind,
        "documentNumber": WANTED.number,
        "documentDate": WANTED.date,
        "documentAvailabilityDate": notified["at"][:10],
    }

    located = wipo.locate(WANTED, "A1")
    digest, size = wipo.download(located.json()["fileDownloadUrl"], office.folder / "fetched.pdf")
    assert (digest, size) == (hashlib.sha256(content).hexdigest(), len(content))
    assert wipo.delete(acknowledgement_id).status_code == 204
    assert office.run("outbox", "list").stdout == "nothing waits\n"


@postgresql_in_make_faults
def test_every_log_line_of_one_exchange_carries_its_acknowledgement_id(new_office: MakeOffice) -> None:
    office = new_office()
    office.start_central()
    office.start_web("serve")
    office.add_document()
    wipo = office.operator()
    acknowledgement_id = wipo.forward(WANTED).json()["requestAckId"]
    eventually(office.ledger)
    url = wipo.locate(WANTED, acknowledgement_id).json()["fileDownloadUrl"]
    wipo.download(url, office.folder / "fetched.pdf")

    def events() -> set[str]:
        told = [line for line in office.log_lines() if line.get("acknowledgement_id") == acknowledgement_id]
        return {line["event"] for line in told}

    expected = {"retrieval accepted", "document prepared", "WIPO notified", "download link issued", "download ended"}
    eventually(lambda: expected <= events())
    answered = [line for line in office.log_lines() if line["event"] == "answered" and "/requests/" in line["path"]]
    assert {line.get("acknowledgement_id") for line in answered} == {acknowledgement_id}


@postgresql_in_make_faults
def test_wipo_uses_a_token_again_for_the_next_call(new_office: MakeOffice) -> None:
    office = new_office()
    office.start_central()
    office.start_web("serve")
    office.add_document()

    def exchange() -> None:
        forwarded = office.forward()
        eventually(lambda: forwarded in office.downloaded())

    def tokens_of(exchanges: int, token_seconds: float) -> int:
        office.pace_central(token_seconds=token_seconds)
        before = office.told("access token issued")
        for _ in range(exchanges):
            exchange()
        return office.told("access token issued") - before

    assert tokens_of(3, token_seconds=60) in (1, 2)  # one for each of its threads, if two call at the same time
    assert tokens_of(3, token_seconds=0) == 6
