"""F4: the office sends a document through simulated WIPO's transit zone instead of by a link of its own."""

import hashlib
from typing import Any

from tests.office import eventually
from tests.peer import Peer, Says, listening_peer
from tests.rehearsal.wipo import CONTENT, DOCUMENT, Wipo, problems, running

WANTED = {"kind": "patent", "number": "US 98/012,357", "date": "2023-11-02", "access_code": "AB21"}


def notify(wipo: Wipo, **members: Any) -> Any:
    message = {"requestAckId": "B1", "requestStatusCategory": "success", **DOCUMENT, **members}
    return wipo.call("POST", "notifications", json=message)


def forwarded(wipo: Wipo, office: Peer) -> None:
    office.will_say(Says(201, {"requestAckId": "B1"}))
    wipo.say("retrievals", WANTED).raise_for_status()
    assert len(office.heard) == 1


def test_a_document_in_transit_is_fetched_from_there_and_not_from_the_office() -> None:
    with listening_peer() as office, running(office.url, setups=("wipo",)) as wipo:
        forwarded(wipo, office)
        file_id = wipo.deposit()
        for _ in range(2):
            assert notify(wipo, fileId=file_id).status_code == 204
        [entry] = eventually(lambda: [*wipo.ledger("downloaded").values()])
        assert (entry["key"], entry["through"], entry["times"]) == ("B1", "transit", 1)
        assert (entry["sha256"], entry["bytes"]) == (hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))
        assert wipo.times("notified") == {"B1": 2}
        assert len(office.heard) == 1


def test_a_file_that_is_not_accepted_is_no_document() -> None:
    with listening_peer() as office, running(office.url, setups=("wipo",)) as wipo:
        forwarded(wipo, office)
        assert problems(notify(wipo, fileId="unknown")) == (400, [-1])
        assert problems(notify(wipo, fileId=wipo.announce()["fileId"])) == (400, [-1])
        assert wipo.ledger("notified") == {}


def test_without_a_file_the_document_is_asked_for_at_the_office() -> None:
    with listening_peer() as office, running(office.url, setups=("wipo",)) as wipo:
        forwarded(wipo, office)
        office.will_say(Says(200, {"fileDownloadUrl": f"{office.url}/there"}), Says(200, CONTENT))
        assert notify(wipo).status_code == 204
        [entry] = eventually(lambda: [*wipo.ledger("downloaded").values()])
        assert (entry["through"], entry["sha256"]) == ("link", hashlib.sha256(CONTENT).hexdigest())
