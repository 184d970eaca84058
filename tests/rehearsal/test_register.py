"""E6 and E9: an office registers a document at simulated WIPO; flow F1, both kinds of it."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.office import eventually
from tests.rehearsal.wipo import CONTENT, DOCUMENT, NAMED, Wipo, problems

KEY = "patent US 98/012,357"


@pytest.mark.parametrize("prefix", ["/das-api/v1", "/das/v1"])
def test_a_document_is_registered_with_its_content(wipo: Wipo, prefix: str) -> None:
    wipo.prefix = prefix
    file_id = wipo.deposit()
    answer = wipo.register(fileId=file_id, applicationNumber="98/012357", applicationFilingDate="2023-11-03")
    told = answer.json()
    assert answer.status_code == 201
    assert told == {"requestAckId": told["requestAckId"], "requestStatusCategory": "success", **DOCUMENT}
    assert answer.headers["Location"] == f"{wipo.url}{prefix}/requests/registrations/{told['requestAckId']}"
    [entry] = wipo.ledger("registered").values()
    assert entry | {"at": ""} == {
        "effect": "registered",
        "key": KEY,
        "at": "",
        "times": 1,
        "requestAckId": told["requestAckId"],
        "documentDate": "2023-11-02",
        "fileId": file_id,
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "applicationCategory": "priority document",
        "applicationNumber": "98/012357",
        "applicationFilingDate": "2023-11-03",
    }
    assert wipo.certificate().status_code == wipo.available().status_code == 200


def test_a_document_is_registered_that_the_office_keeps(wipo: Wipo) -> None:
    assert wipo.register(email="clerk@example.org", fileId=None).status_code == 201
    [entry] = wipo.ledger("registered").values()
    assert (entry["fileId"], entry["sha256"]) == (None, None)
    assert wipo.available().status_code == 200


def test_of_many_at_once_one_is_registered(wipo: Wipo) -> None:
    with ThreadPoolExecutor(8) as pool:
        statuses = [answer.status_code for answer in pool.map(lambda _: wipo.register(), range(16))]
    assert sorted(statuses) == [201] + [409] * 15
    assert wipo.times("registered") == {KEY: 16}


def test_the_number_is_understood_in_its_variants(wipo: Wipo) -> None:
    told = wipo.register(documentKindCategory="Utility  Model", documentNumber="cz 202542519u").json()
    assert (told["documentKindCategory"], told["documentNumber"]) == ("utility model", "CZ 2025-42519 U")


def test_a_repeat_is_refused_and_counted(wipo: Wipo) -> None:
    file_id = wipo.deposit()
    wipo.register(fileId=file_id)
    for _ in range(2):
        assert problems(wipo.register(fileId=file_id)) == (409, [-1])
    assert wipo.times("registered") == {KEY: 3}
    assert wipo.register(documentKindCategory="design").status_code == 201
    assert wipo.times("registered") == {KEY: 3, "design US 98/012,357": 1}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("operationCategory", "retrieval"),
        ("operationCategory", None),
        ("documentKindCategory", "song"),
        ("documentNumber", "US 98012357"),
        ("documentNumber", None),
        ("documentDate", "2023-02-30"),
        ("documentDate", "11/02/2023"),
        ("dasAccessCode", "unregister"),
        ("dasAccessCode", "AB2"),
        ("dasAccessCode", None),
        ("applicationCategory", "thing"),
        ("applicationNumber", ["x"]),
        ("applicationFilingDate", "soon"),
        ("email", "nobody"),
        ("fileId", True),
    ],
    ids=str,
)
def test_each_wrong_member_is_refused_by_name(wipo: Wipo, name: str, value: Any) -> None:
    answer = wipo.register(**{name: value})
    assert problems(answer) == (400, [-1])
    assert answer.json()["details"][0]["message"].startswith(f"{name}: ")
    assert wipo.ledger("registered") == {}


def test_everything_that_is_wrong_comes_in_one_refusal(wipo: Wipo) -> None:
    assert problems(wipo.call("POST", "registrations", json={})) == (400, [-1] * 5)
    assert problems(wipo.call("POST", "registrations", data=b"no json")) == (400, [-1])


def test_only_an_accepted_file_that_nobody_else_uses_can_be_content(wipo: Wipo) -> None:
    assert problems(wipo.register(fileId="unknown")) == (404, [-1])
    assert problems(wipo.register(fileId=wipo.announce()["fileId"])) == (409, [-1])
    used = wipo.deposit()
    assert wipo.register(documentKindCategory="design", fileId=used).status_code == 201
    assert problems(wipo.register(fileId=used)) == (409, [-1])
    assert wipo.register(fileId=wipo.deposit()).status_code == 201


def test_a_registration_is_looked_up_by_its_acknowledgement(wipo: Wipo) -> None:
    told = wipo.register().json()
    for path, params in (
        (f"registrations/{told['requestAckId']}", {}),
        ("registrations/statuses", {"requestAckId": told["requestAckId"]}),
    ):
        answer = wipo.call("GET", path, params=params)
        assert (answer.status_code, answer.json()) == (200, told)
    assert problems(wipo.call("GET", "registrations/REG-0")) == (404, [-1])
    assert problems(wipo.call("GET", "registrations/statuses")) == (400, [-1])


def test_a_registration_is_pending_first_if_it_was_told_so(wipo: Wipo) -> None:
    wipo.say("pace", {"pending_seconds": 0.6})
    told = wipo.register().json()
    assert told["requestStatusCategory"] == "pending"
    assert wipo.available().json() == {**DOCUMENT, "requestStatusCategory": "pending"}
    assert problems(wipo.certificate()) == (409, [-1])
    eventually(lambda: status(wipo, told) == told | {"requestStatusCategory": "success"})
    assert wipo.certificate().status_code == 200


def test_a_registration_ends_in_error_if_it_was_told_so_and_may_be_asked_for_again(wipo: Wipo) -> None:
    wipo.say("pace", {"pending_seconds": 0.2, "registration_error": "no such office"})
    told = wipo.register().json()
    assert told["requestStatusCategory"] == "pending"
    failed = {"requestStatusCategory": "error", "errorCode": -1, "statusMessage": "no such office"}
    eventually(lambda: status(wipo, told) == told | failed)
    assert problems(wipo.available()) == (400, [-7])
    wipo.say("pace", {"registration_error": "", "pending_seconds": 0})
    assert wipo.register().status_code == 201
    assert wipo.times("registered") == {KEY: 1, f"{KEY} #2": 1}


def test_the_ledger_never_holds_an_access_code(wipo: Wipo) -> None:
    wipo.register(dasAccessCode="QX7Z")
    wipo.change(dasAccessCode="QX8Z", documentDate="2023-11-03")
    wipo.withdraw(dasAccessCode="QX8Z", documentDate="2023-11-03")
    entries = repr(wipo.central.ledger.entries())
    assert ("corrected" in entries, "withdrawn" in entries) == (True, True)
    assert not any(code in entries.upper() for code in ("QX7Z", "QX8Z"))
    assert NAMED["dasAccessCode"] not in entries


def status(wipo: Wipo, told: dict[str, Any]) -> Any:
    return wipo.call("GET", f"registrations/{told['requestAckId']}").json()
