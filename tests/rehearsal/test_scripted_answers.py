"""Simulated WIPO answers what it was told to, place by place; and each place of registrations can fall ill."""

import http.client
import time
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.rehearsal.wipo import CONTENT, NAMED, REGISTRATION, TIMEOUT, Wipo, problems, put

KEY = "patent US 98/012,357"
PLACES = ("url_uploads", "uploads", "file_status", "registrations", "certificates", "registration_status")


def ask(wipo: Wipo, place: str) -> requests.Response:
    """One good request at a place."""
    match place:
        case "url_uploads":
            return wipo.call("POST", "files/url-uploads", json={"fileFormatCategory": "pdf", "fileChecksum": "ab" * 32})
        case "uploads":
            return put(wipo.central.files.announce("", "pdf", "ab" * 32)["fileUploadUrl"])
        case "file_status":
            return wipo.file_status(wipo.central.files.announce("", "pdf", "ab" * 32)["fileId"])
        case "registrations":
            return wipo.call("GET", "registrations/statuses", params={"requestAckId": "REG-1"})
        case "certificates":
            return wipo.certificate()
        case _:
            return wipo.available()


@pytest.mark.parametrize("place", PLACES)
def test_each_place_fails_in_every_way_and_gets_well(wipo: Wipo, place: str) -> None:
    well = ask(wipo, place).status_code
    wipo.say("faults", {place: "500"})
    assert ask(wipo, place).status_code == 500
    wipo.say("faults", {place: "html"})
    answer = ask(wipo, place)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    wipo.say("faults", {place: "empty"})
    assert ask(wipo, place).json() == {}
    wipo.say("faults", {place: "down"})
    with pytest.raises(requests.ConnectionError):
        ask(wipo, place)
    assert wipo.say("faults", {place: "ok"}).json()[place] == "ok"
    assert ask(wipo, place).status_code == well
    assert requests.get(f"{wipo.url}/rehearsal/visits", timeout=TIMEOUT).json()[place] == 6


def test_a_place_that_hangs_keeps_still(wipo: Wipo) -> None:
    wipo.say("faults", {"registrations": "hang"})
    with pytest.raises(requests.ReadTimeout):
        requests.get(
            f"{wipo.url}/das-api/v1/requests/registrations/x", headers={"Authorization": "Bearer x"}, timeout=0.3
        )
    wipo.say("faults", {"registrations": "ok"})


@pytest.mark.parametrize("place", PLACES)
def test_every_place_answers_as_scripted_and_then_as_usual(wipo: Wipo, place: str) -> None:
    usual = ask(wipo, place)
    script = {"place": place, "status": 429, "retry_after": 3, "body": {"odd": None}, "content_type": "text/x-odd"}
    assert wipo.say("next-answers", [script, {"place": "notifications", "status": 500}]).status_code == 204
    answer = ask(wipo, place)
    assert (answer.status_code, answer.json()) == (429, {"odd": None})
    assert (answer.headers["Retry-After"], answer.headers["Content-Type"]) == ("3", "text/x-odd")
    assert ask(wipo, place).status_code == usual.status_code


def test_a_scripted_refusal_has_the_shape_of_its_place(wipo: Wipo) -> None:
    scripts = [{"place": place, "status": 503} for place in ("uploads", "registrations")]
    wrapped = {"place": "registrations", "status": 400, "wrapped": True}
    wipo.say("next-answers", [*scripts, wrapped, {"place": "registrations", "wrapped": True}])
    refused = ask(wipo, "uploads")
    assert (refused.status_code, "<Code>Scripted</Code>" in refused.text) == (503, True)
    assert problems(wipo.register()) == (503, [-1])
    assert wipo.register().json()["error"]["details"] == [{"code": -1, "message": "scripted"}]
    assert wipo.change().json()["error"]["details"][0]["code"] == -7
    assert wipo.ledger("registered") == wipo.ledger("uploaded") == {}


def test_it_happens_before_a_refusal_if_it_was_told_so(wipo: Wipo) -> None:
    wipo.say("next-answers", [{"place": "registrations", "status": 500, "after_effect": True}])
    assert wipo.register().status_code == 500
    assert problems(wipo.register()) == (409, [-1])
    assert wipo.times("registered") == {KEY: 2}


def test_a_scripted_success_lets_it_happen_and_changes_the_status_alone(wipo: Wipo) -> None:
    wipo.say("next-answers", [{"place": "registrations", "status": 200}, {"place": "registrations", "status": 204}])
    answer = wipo.register()
    assert (answer.status_code, answer.json()["requestStatusCategory"]) == (200, "success")
    empty = wipo.change(documentDate="2023-11-03")
    assert (empty.status_code, empty.content) == (204, b"")


@pytest.mark.parametrize(
    ("body", "sent", "kind"),
    [("<html>", b"<html>", "text/plain; charset=utf-8"), ([1], b"[1]", "application/json"), (None, b"null", None)],
    ids=str,
)
def test_any_body_can_be_scripted(wipo: Wipo, body: Any, sent: bytes, kind: str | None) -> None:
    wipo.say("next-answers", [{"place": "registrations", "body": body}])
    answer = wipo.register()
    assert (answer.status_code, answer.content) == (200, sent)
    assert answer.headers["Content-Type"] == (kind or "application/json")
    assert wipo.times("registered") == {KEY: 1}


@pytest.mark.parametrize("after_effect", [False, True])
def test_an_answer_can_be_lost_before_or_after_it_happened(wipo: Wipo, after_effect: bool) -> None:
    wipo.say("next-answers", [{"place": "registrations", "hang_up": True, "after_effect": after_effect}])
    with pytest.raises(requests.ConnectionError):
        wipo.register()
    assert wipo.times("registered") == ({KEY: 1} if after_effect else {})
    assert wipo.register().status_code == (409 if after_effect else 201)


def test_an_upload_can_be_lost_after_it_arrived(wipo: Wipo) -> None:
    announced = wipo.announce()
    wipo.say("next-answers", [{"place": "uploads", "hang_up": True, "after_effect": True}])
    with pytest.raises(requests.ConnectionError):
        put(announced["fileUploadUrl"])
    assert wipo.outcome(announced["fileId"])["fileStatusCategory"] == "ACCEPTED"
    assert put(announced["fileUploadUrl"]).status_code == 200
    assert wipo.times("uploaded") == {announced["fileId"]: 2}


def test_an_upload_can_be_cut_in_the_middle(wipo: Wipo) -> None:
    content = CONTENT + bytes(64 << 20)
    announced = wipo.announce(content)
    wipo.say("next-answers", [{"place": "uploads", "cut_after_bytes": 300_000}])
    with pytest.raises(requests.ConnectionError):
        put(announced["fileUploadUrl"], content)
    assert wipo.ledger("uploaded") == {}
    assert wipo.file_status(announced["fileId"]).json()["fileStatusCategory"] == "PROCESSING"
    assert put(announced["fileUploadUrl"], content).status_code == 200
    assert wipo.outcome(announced["fileId"])["fileSizeQuantity"] == len(content)


def test_the_line_is_cut_while_the_peer_still_sends(wipo: Wipo) -> None:
    url = urlsplit(wipo.announce()["fileUploadUrl"])
    wipo.say("next-answers", [{"place": "uploads", "cut_after_bytes": 1000}])
    line = http.client.HTTPConnection(url.netloc, timeout=TIMEOUT)
    line.putrequest("PUT", f"{url.path}?{url.query}")
    line.putheader("Content-Type", "application/pdf")
    line.putheader("Content-Length", str(1 << 40))
    line.endheaders()
    with closing(line), pytest.raises(ConnectionError):
        send_for_ever(line)


def send_for_ever(line: http.client.HTTPConnection) -> None:
    while True:
        line.send(bytes(1 << 20))


def test_an_answer_can_be_held_back(wipo: Wipo) -> None:
    wipo.say("next-answers", [{"place": "registrations", "hold_seconds": 0.4}])
    begin = time.monotonic()
    assert wipo.register().status_code == 201
    assert time.monotonic() - begin >= 0.4


def test_who_brings_no_token_spends_no_script(wipo: Wipo) -> None:
    wipo.say("next-answers", [{"place": "registrations", "status": 503}])
    url = f"{wipo.url}/das-api/v1/requests/registrations"
    assert requests.post(url, json=REGISTRATION, timeout=TIMEOUT).status_code == 401
    assert wipo.register().status_code == 503


@pytest.mark.parametrize("script", [{"place": "kitchen"}, {"stauts": 500}], ids=str)
def test_an_unknown_script_is_refused_with_all_that_came_along(wipo: Wipo, script: dict[str, Any]) -> None:
    answer = wipo.say("next-answers", [{"place": "registrations", "status": 503}, script])
    assert answer.status_code == 400
    assert next(iter(script)) in answer.json()["unknown"]
    assert wipo.register().status_code == 201


@pytest.mark.parametrize(
    "pace", [{"speed": 1}, {"pending_seconds": -1}, {"pending_seconds": "1"}, {"registration_error": 1}], ids=str
)
def test_an_unknown_pace_changes_nothing(wipo: Wipo, pace: dict[str, Any]) -> None:
    before = wipo.say("pace", {}).json()
    answer = wipo.say("pace", {"file_check_seconds": 5, **pace})
    assert (answer.status_code, next(iter(pace)) in answer.json()["unknown"]) == (400, True)
    assert wipo.say("pace", {}).json() == before


def test_a_withdrawal_can_be_lost_after_it_happened(wipo: Wipo) -> None:
    wipo.register()
    wipo.say("next-answers", [{"place": "registrations", "hang_up": True, "after_effect": True}])
    with pytest.raises(requests.ConnectionError):
        wipo.withdraw()
    assert problems(wipo.withdraw()) == (400, [-7])
    assert wipo.times("withdrawn") == {KEY: 2}
    assert problems(wipo.call("DELETE", "registrations", json=NAMED)) == (400, [-7])
