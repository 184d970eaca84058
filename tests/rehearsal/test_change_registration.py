"""E7: an office corrects what simulated WIPO has registered, or replaces the content."""

import hashlib

from tests.rehearsal.wipo import DOCUMENT, Wipo, problems

KEY = "patent US 98/012,357"


def test_date_code_and_application_are_corrected(wipo: Wipo) -> None:
    first = wipo.register().json()
    answer = wipo.change(documentDate="2023-11-03", dasAccessCode="CD34", applicationNumber="77")
    told = answer.json()
    assert (answer.status_code, told) == (
        200,
        first | {"documentDate": "2023-11-03", "requestAckId": told["requestAckId"]},
    )
    assert problems(wipo.available()) == (400, [-12, -14])
    assert wipo.available(documentDate="2023-11-03", dasAccessCode="cd34").status_code == 200
    [entry] = wipo.ledger("corrected").values()
    assert (entry["documentDate"], entry["applicationNumber"]) == ("2023-11-03", "77")
    assert entry["key"].startswith(f"{KEY} ")
    assert wipo.times("registered") == {KEY: 1}


def test_the_same_correction_again_changes_nothing_but_its_count(wipo: Wipo) -> None:
    wipo.register()
    answers = [wipo.change(documentDate="2023-11-03").json() for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert [*wipo.times("corrected").values()] == [3]


def test_a_correction_back_is_an_effect_of_its_own(wipo: Wipo) -> None:
    wipo.register()
    for day in ("03", "04", "03", "03"):
        assert wipo.change(documentDate=f"2023-11-{day}").status_code == 200
    assert [*wipo.times("corrected").values()] == [1, 1, 2]


def test_a_correction_keeps_the_content(wipo: Wipo) -> None:
    file_id = wipo.deposit()
    wipo.register(fileId=file_id)
    wipo.change(documentDate="2023-11-03")
    wipo.change(documentDate="2023-11-04", fileId=file_id)
    assert wipo.ledger("replaced") == {}
    assert {entry["fileId"] for entry in wipo.ledger("corrected").values()} == {file_id}


def test_the_content_is_replaced_by_another_accepted_file(wipo: Wipo) -> None:
    wipo.register(fileId=wipo.deposit())
    better = b"%PDF-1.4 better %%EOF"
    file_id = wipo.deposit(better)
    assert [wipo.change(fileId=file_id).status_code for _ in range(2)] == [200, 200]
    [entry] = wipo.ledger("replaced").values()
    assert (entry["key"], entry["times"]) == (f"{KEY} {file_id}", 2)
    assert (entry["fileId"], entry["sha256"]) == (file_id, hashlib.sha256(better).hexdigest())
    assert wipo.ledger("corrected") == {}


def test_a_document_that_the_office_kept_gets_content(wipo: Wipo) -> None:
    wipo.register()
    file_id = wipo.deposit()
    assert wipo.change(fileId=file_id).status_code == 200
    assert wipo.times("replaced") == {f"{KEY} {file_id}": 1}


def test_every_version_is_kept_and_looked_up_by_its_acknowledgement(wipo: Wipo) -> None:
    first = wipo.register().json()
    second = wipo.change(documentDate="2023-11-03").json()
    assert first["requestAckId"] != second["requestAckId"]
    for told in (first, second):
        assert wipo.call("GET", f"registrations/{told['requestAckId']}").json() == told


def test_what_is_not_registered_cannot_be_changed(wipo: Wipo) -> None:
    assert problems(wipo.change()) == (400, [-7])
    wipo.register()
    assert problems(wipo.change(documentKindCategory="design")) == (400, [-7])
    assert wipo.ledger("corrected") == {}


def test_a_wrong_change_changes_nothing(wipo: Wipo) -> None:
    wipo.register()
    assert problems(wipo.change(documentDate="soon")) == (400, [-1])
    assert problems(wipo.change(fileId="unknown", documentDate="2023-11-03")) == (404, [-1])
    assert problems(wipo.change(fileId=wipo.announce()["fileId"])) == (409, [-1])
    other = wipo.deposit()
    wipo.register(documentKindCategory="design", fileId=other)
    assert problems(wipo.change(fileId=other)) == (409, [-1])
    assert wipo.available().json()["documentDate"] == DOCUMENT["documentDate"]
    assert wipo.ledger("corrected") == wipo.ledger("replaced") == {}
