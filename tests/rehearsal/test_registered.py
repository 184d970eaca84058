"""E10 and E17: what simulated WIPO certifies and tells of a registered document, and to whom it does not."""

import hashlib
from datetime import UTC, datetime

import pytest

from tests.rehearsal.wipo import CONTENT, DOCUMENT, Wipo, problems


@pytest.mark.parametrize("prefix", ["/das-api/v1", "/das/v1"])
def test_a_registered_document_is_available_since_that_day(wipo: Wipo, prefix: str) -> None:
    wipo.prefix = prefix
    wipo.register()
    answer = wipo.available(documentNumber="us 98/012,357", documentDate="2023-11-02T00:00:00Z", dasAccessCode="ab21")
    today = datetime.now(UTC).date().isoformat()
    told = {**DOCUMENT, "requestStatusCategory": "success", "documentAvailabilityDate": today}
    assert (answer.status_code, answer.json()) == (200, told)


def test_a_mismatch_is_told_in_wipos_words(wipo: Wipo) -> None:
    wipo.register()
    answer = wipo.available(documentDate="2023-11-03", dasAccessCode="ZZ99")
    assert answer.status_code == 400
    assert answer.json() == {
        "code": "INVALID_INPUT_DATA",
        "message": None,
        "details": [
            {
                "code": -12,
                "message": "Mismatched priority filing date: documentDate: expected documentDate=2023-11-02",
            },
            {"code": -14, "message": "Mismatched access code: dasAccessCode: expected dasAccessCode=AB21"},
        ],
    }
    unknown = wipo.available(documentNumber="PCT/II2021/057271")
    said = "The requested document is not registered in the system: "
    said += "documentNumber=PCT/II2021/057271, documentKindCategory=patent"
    assert unknown.json()["details"] == [{"code": -7, "message": said}]


@pytest.mark.parametrize("ask", ["available", "certificate"])
def test_each_mismatch_has_its_number(wipo: Wipo, ask: str) -> None:
    wipo.register()
    for members, codes in (
        ({"documentDate": "2023-11-03"}, [-12]),
        ({"documentDate": "soon"}, [-12]),
        ({"dasAccessCode": "ZZ99"}, [-14]),
        ({"documentDate": "2023-11-03", "dasAccessCode": "ZZ9"}, [-12, -14]),
        ({"documentNumber": "US 98/012,358", "dasAccessCode": "ZZ99"}, [-7]),
        ({"documentNumber": "no number"}, [-7]),
        ({"documentKindCategory": "design"}, [-7]),
        ({"documentKindCategory": "song"}, [-7]),
        ({"documentDate": ""}, [-1]),
    ):
        assert problems(getattr(wipo, ask)(**members)) == (400, codes), members
    assert wipo.ledger("certified") == {}


def test_a_certificate_names_office_document_version_and_digest(wipo: Wipo) -> None:
    wipo.register(fileId=wipo.deposit())
    answer = wipo.certificate()
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/pdf")
    assert answer.content.startswith(b"%PDF-")
    for line in (
        b"Office: das-xx-office",
        b"Kind: patent",
        b"Number: US 98/012,357",
        b"Date: 2023-11-02",
        b"Version: 1 of ",
        b"SHA-256: " + hashlib.sha256(CONTENT).hexdigest().encode(),
    ):
        assert line in answer.content
    assert wipo.times("certified") == {"patent US 98/012,357 v1": 1}


def test_a_certificate_is_about_the_present_version(wipo: Wipo) -> None:
    wipo.register()
    assert b"SHA-256: the content is kept by the office" in wipo.certificate().content
    wipo.change(documentDate="2023-11-03")
    later = [wipo.certificate(documentDate="2023-11-03").content for _ in range(2)]
    assert all(b"Version: 2 of " in content and b"Date: 2023-11-03" in content for content in later)
    assert wipo.times("certified") == {"patent US 98/012,357 v1": 1, "patent US 98/012,357 v2": 2}
