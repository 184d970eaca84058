"""E2, E3 and E5: an office announces a file to simulated WIPO and asks what became of it."""

import hashlib
from typing import Any

import pytest
import requests

from tests.rehearsal.wipo import CONTENT, TIMEOUT, Wipo, problems, put

CHECKSUM = hashlib.sha256(CONTENT).hexdigest()
NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize("prefix", ["/das-api/v1", "/das/v1"])
@pytest.mark.parametrize("path", ["files/url-uploads", "url-uploads"])
def test_a_file_is_announced_renewed_and_looked_up_on_every_path(wipo: Wipo, prefix: str, path: str) -> None:
    wipo.prefix = prefix
    asked = {"fileReference": "ours 7", "fileFormatCategory": "PDF", "fileChecksum": CHECKSUM.upper()}
    announced = wipo.call("POST", path, json=asked)
    assert (announced.status_code, {*announced.json()}) == (201, {"fileId", "fileUploadUrl"})
    file_id = announced.json()["fileId"]
    renewed = wipo.call("PUT", path, json={"fileId": file_id})
    assert (renewed.status_code, renewed.json()["fileId"]) == (200, file_id)
    assert put(renewed.json()["fileUploadUrl"]).status_code == 200
    assert wipo.outcome(file_id) == {
        "fileId": file_id,
        "fileReference": "ours 7",
        "fileFormatCategory": "pdf",
        "fileStatusCategory": "ACCEPTED",
        "fileSizeQuantity": len(CONTENT),
    }
    for status_path in (path, "files"):
        looked_up = wipo.call("GET", status_path, params={"fileId": file_id})
        assert (looked_up.status_code, looked_up.json()["fileStatusCategory"]) == (200, "ACCEPTED")
    assert wipo.times("file requested") == {file_id: 1}


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"fileChecksum": None}, "fileChecksum: missing"),
        ({"fileChecksum": "ab" * 31}, "fileChecksum: is not 64 hexadecimal digits"),
        ({"fileFormatCategory": "tiff"}, "fileFormatCategory: is none of pdf, zip, xml"),
        ({"fileReference": ["x"]}, "fileReference: is no text"),
    ],
    ids=str,
)
def test_a_wrong_announcement_is_refused_member_by_member(wipo: Wipo, members: dict[str, Any], said: str) -> None:
    answer = wipo.call("POST", "url-uploads", json={"fileFormatCategory": "pdf", "fileChecksum": CHECKSUM, **members})
    assert problems(answer) == (400, [-1])
    assert answer.json()["details"][0]["message"] == said
    assert wipo.ledger("file requested") == {}


def test_everything_that_is_wrong_comes_in_one_refusal(wipo: Wipo) -> None:
    assert problems(wipo.call("POST", "url-uploads", json={})) == (400, [-1, -1])
    assert problems(wipo.call("POST", "url-uploads", json=["x"])) == (400, [-1])
    assert problems(wipo.call("POST", "url-uploads", data=b"{")) == (400, [-1])


def test_an_unknown_file_is_told_as_unknown(wipo: Wipo) -> None:
    assert problems(wipo.call("PUT", "url-uploads", json={"fileId": NOWHERE})) == (404, [-1])
    assert problems(wipo.file_status(NOWHERE)) == (404, [-1])
    assert problems(wipo.call("GET", "files")) == (400, [-1])


def test_an_accepted_file_gets_no_other_url(wipo: Wipo) -> None:
    file_id = wipo.deposit()
    assert problems(wipo.call("PUT", "url-uploads", json={"fileId": file_id})) == (409, [-1])


def test_a_file_is_processing_until_it_arrived_and_was_checked(wipo: Wipo) -> None:
    wipo.say("pace", {"file_check_seconds": 0.5})
    announced = wipo.announce()
    waiting = {"fileId": announced["fileId"], "fileStatusCategory": "PROCESSING"}
    assert wipo.file_status(announced["fileId"]).json() == waiting
    put(announced["fileUploadUrl"])
    assert wipo.file_status(announced["fileId"]).json() == waiting
    assert wipo.outcome(announced["fileId"])["fileStatusCategory"] == "ACCEPTED"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "files/url-uploads"),
        ("PUT", "url-uploads"),
        ("GET", "files"),
        ("POST", "registrations"),
        ("PUT", "registrations"),
        ("DELETE", "registrations"),
        ("GET", "registrations/REG-1"),
        ("GET", "registrations/statuses"),
        ("GET", "registrations/certificates"),
        ("GET", "../documents/registrations/statuses"),
    ],
    ids=str,
)
def test_no_place_is_open_without_a_token(wipo: Wipo, method: str, path: str) -> None:
    url = f"{wipo.url}/das-api/v1/requests/{path}"
    for headers in ({}, {"Authorization": "Bearer eyJ.x.y"}):
        answer = requests.request(method, url, headers=headers, json={}, timeout=TIMEOUT)
        assert (*problems(answer), answer.json()["code"]) == (401, [-1], "UNAUTHORIZED")
