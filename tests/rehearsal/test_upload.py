"""E4: the bytes go to simulated WIPO's object store by a presigned URL, as they would to S3."""

import http.client
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from tests.office import eventually
from tests.rehearsal.wipo import CONTENT, TIMEOUT, Wipo, put


def shelf(wipo: Wipo) -> list[str]:
    """The names in the store's folder."""
    folder: Path = wipo.central.store.file("x").parent
    return sorted(file.name for file in folder.iterdir())


def test_what_arrived_whole_is_in_the_ledger_once(wipo: Wipo) -> None:
    announced = wipo.announce()
    for _ in range(2):
        answer = put(announced["fileUploadUrl"])
        assert (answer.status_code, answer.content) == (200, b"")
    [entry] = wipo.ledger("uploaded").values()
    assert (entry["key"], entry["bytes"], entry["times"]) == (announced["fileId"], len(CONTENT), 2)
    assert shelf(wipo) == [announced["fileId"]]


def test_an_expired_url_is_forbidden_until_another_one_is_asked_for(wipo: Wipo) -> None:
    wipo.say("pace", {"upload_url_seconds": 0})
    announced = wipo.announce()
    late = put(announced["fileUploadUrl"])
    assert (late.status_code, late.headers["Content-Type"]) == (403, "application/xml; charset=utf-8")
    assert "<Code>AccessDenied</Code><Message>Request has expired</Message>" in late.text
    wipo.say("pace", {"upload_url_seconds": 60})
    renewed = wipo.call("PUT", "files/url-uploads", json={"fileId": announced["fileId"]}).json()
    assert put(renewed["fileUploadUrl"]).status_code == 200
    assert wipo.outcome(announced["fileId"])["fileStatusCategory"] == "ACCEPTED"


def test_a_changed_url_is_forbidden(wipo: Wipo) -> None:
    ours, other = wipo.announce(), wipo.announce(b"another")
    url = ours["fileUploadUrl"]
    for changed in (
        url[:-1] + ("A" if url[-1] != "A" else "E"),
        url.replace("expires=1", "expires=2"),
        url.replace("expires=", "expires=x"),
        url.split("?")[0],
        url.replace(ours["fileId"], other["fileId"]),
    ):
        answer = put(changed)
        assert (answer.status_code, "<Code>SignatureDoesNotMatch</Code>" in answer.text) == (403, True)
    nowhere = put(url.replace(ours["fileId"], "nowhere"))
    assert (nowhere.status_code, "<Code>NoSuchKey</Code>" in nowhere.text) == (404, True)
    assert wipo.ledger("uploaded") == {}


@pytest.mark.parametrize("sent", ["application/zip", "application/pdf; charset=utf-8", "application/octet-stream"])
def test_another_content_type_than_the_announced_one_is_forbidden(wipo: Wipo, sent: str) -> None:
    answer = put(wipo.announce()["fileUploadUrl"], CONTENT, **{"Content-Type": sent})
    assert (answer.status_code, "<Code>SignatureDoesNotMatch</Code>" in answer.text) == (403, True)


def test_a_zip_is_sent_as_a_zip(wipo: Wipo) -> None:
    announced = wipo.announce(fileFormatCategory="zip")
    assert put(announced["fileUploadUrl"], CONTENT).status_code == 403
    assert put(announced["fileUploadUrl"], CONTENT, **{"Content-Type": "application/zip"}).status_code == 200


def test_a_bearer_token_has_no_business_there(wipo: Wipo) -> None:
    answer = put(wipo.announce()["fileUploadUrl"], CONTENT, Authorization="Bearer x")
    assert (answer.status_code, "<Code>InvalidArgument</Code>" in answer.text) == (400, True)


def test_a_body_without_its_length_is_refused(wipo: Wipo) -> None:
    def pieces() -> Iterator[bytes]:
        yield CONTENT

    answer = put(wipo.announce()["fileUploadUrl"], pieces())
    assert (answer.status_code, "<Code>MissingContentLength</Code>" in answer.text) == (411, True)


def test_a_refusal_is_heard_though_a_large_body_is_on_its_way(wipo: Wipo) -> None:
    def slowly() -> Iterator[bytes]:
        for _ in range(64):
            yield bytes(1 << 18)

    url = wipo.announce()["fileUploadUrl"]
    headers = {"Content-Type": "application/zip", "Content-Length": str(64 << 18)}
    refused = requests.Request("PUT", url, data=slowly(), headers=headers).prepare()
    del refused.headers["Transfer-Encoding"]
    with requests.Session() as session:
        assert session.send(refused, timeout=TIMEOUT).status_code == 403


def test_bytes_that_are_not_the_announced_ones_are_rejected_and_may_be_sent_again(wipo: Wipo) -> None:
    announced = wipo.announce()
    assert put(announced["fileUploadUrl"], b"%PDF-1.4 spoilt").status_code == 200
    assert wipo.outcome(announced["fileId"]) == {
        "fileId": announced["fileId"],
        "fileStatusCategory": "REJECTED",
        "errorCode": -1,
        "statusMessage": "checksum mismatch",
    }
    assert put(announced["fileUploadUrl"]).status_code == 200
    assert wipo.outcome(announced["fileId"])["fileStatusCategory"] == "ACCEPTED"
    assert wipo.times("uploaded") == {announced["fileId"]: 1, f"{announced['fileId']} #2": 1}


def test_an_accepted_file_cannot_be_overwritten(wipo: Wipo) -> None:
    announced = wipo.announce()
    put(announced["fileUploadUrl"])
    assert wipo.outcome(announced["fileId"])["fileStatusCategory"] == "ACCEPTED"
    assert put(announced["fileUploadUrl"], b"something else").status_code == 403
    assert put(announced["fileUploadUrl"]).status_code == 200
    assert wipo.file_status(announced["fileId"]).json()["fileSizeQuantity"] == len(CONTENT)
    assert shelf(wipo) == [announced["fileId"]]


def test_a_body_that_is_cut_short_leaves_nothing(wipo: Wipo) -> None:
    announced = wipo.announce()
    url = urlsplit(announced["fileUploadUrl"])
    line = http.client.HTTPConnection(url.netloc, timeout=TIMEOUT)
    line.putrequest("PUT", f"{url.path}?{url.query}")
    line.putheader("Content-Type", "application/pdf")
    line.putheader("Content-Length", str(8 << 20))
    line.endheaders(bytes(3 << 20))
    eventually(lambda: shelf(wipo))
    line.sock.shutdown(socket.SHUT_WR)
    answer = line.getresponse()
    assert (answer.status, b"<Code>IncompleteBody</Code>" in answer.read()) == (400, True)
    line.close()
    assert shelf(wipo) == []
    assert wipo.ledger("uploaded") == {}
    assert put(announced["fileUploadUrl"]).status_code == 200


def test_the_files_are_gone_when_it_is_closed(wipo: Wipo) -> None:
    folder = wipo.central.store.file(wipo.deposit()).parent
    wipo.central.store.close()
    assert not folder.exists()


def test_a_stored_object_is_fetched_whole_and_by_range(wipo: Wipo) -> None:
    url = wipo.central.download_url(wipo.deposit())
    whole = requests.get(url, timeout=TIMEOUT)
    assert (whole.status_code, whole.content, whole.headers["Content-Type"]) == (200, CONTENT, "application/pdf")
    part = requests.get(url, headers={"Range": "bytes=9-"}, timeout=TIMEOUT)
    assert (part.status_code, part.content) == (206, CONTENT[9:])
    assert part.headers["Content-Range"] == f"bytes 9-{len(CONTENT) - 1}/{len(CONTENT)}"
    beyond = requests.get(url, headers={"Range": f"bytes={len(CONTENT)}-"}, timeout=TIMEOUT)
    assert (beyond.status_code, "<Code>InvalidRange</Code>" in beyond.text) == (416, True)


def test_a_stored_object_is_fetched_by_a_good_url_alone(wipo: Wipo) -> None:
    file_id = wipo.deposit()
    late = requests.get(wipo.central.download_url(file_id, 0), timeout=TIMEOUT)
    assert (late.status_code, "Request has expired" in late.text) == (403, True)
    url = wipo.central.download_url(file_id)
    assert requests.get(url + "x", timeout=TIMEOUT).status_code == 403
    assert put(url.replace("/objects/", "/uploads/")).status_code == 403
    absent = wipo.central.download_url(wipo.announce(b"never sent")["fileId"])
    assert requests.get(absent, timeout=TIMEOUT).status_code == 404
