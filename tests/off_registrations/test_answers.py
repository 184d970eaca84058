"""Whatever WIPO answers to a registration is sorted, kept and shown: once registered, refused, or tried again."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from office_node.off_registrations.details import Corrections
from office_node.rehearsal.operator import Wanted
from tests.off_registrations.desk import Desk, forget, paper
from tests.office import eventually

WRONG = {"code": "INVALID_INPUT_DATA", "message": None, "details": [{"code": -99, "message": "applicationNumber: odd"}]}

PASSING: dict[str, list[dict[str, Any]]] = {
    "500": [{"status": 500}, {"status": 500}],
    "502 as a page": [{"status": 502, "body": "<html>Bad Gateway</html>", "content_type": "text/html"}],
    "503 with Retry-After": [{"status": 503, "retry_after": 0}],
    "a page that says 200": [{"status": 200, "body": "<html>Maintenance</html>", "content_type": "text/html"}],
    "nothing at all": [{"hang_up": True}],
    "text": [{"status": 201, "body": "created", "content_type": "text/plain"}],
    "a list": [{"status": 201, "body": []}],
    "an empty body": [{"status": 201, "body": ""}],
    "404 of a gateway": [{"status": 404, "body": "not here", "content_type": "text/plain"}],
    "a status that nobody has seen": [{"status": 299, "body": {"status": "?"}}],
}
AFTER_THE_EFFECT: dict[str, dict[str, Any]] = {
    "silence": {"hang_up": True, "after_effect": True},
    "500": {"status": 500, "after_effect": True},
    "too late": {"hold_seconds": 4, "after_effect": True},
    "an empty body": {"status": 201, "body": "", "after_effect": True},
    "a page": {"status": 200, "body": "<html/>", "content_type": "text/html", "after_effect": True},
}
REFUSALS: dict[str, dict[str, Any]] = {
    "400 with details": {"status": 400, "body": WRONG},
    "400 in the older shape": {"status": 400, "body": {"error": WRONG}},
    "200 with an error in it": {"status": 200, "body": WRONG},
    "201 with an error status": {
        "status": 201,
        "body": {"requestAckId": "R", "requestStatusCategory": "error", "errorCode": -99, "statusMessage": "odd"},
    },
    "422 that says nothing": {"status": 422, "body": {}},
}


@pytest.mark.parametrize("answers", PASSING.values(), ids=PASSING)
def test_what_may_pass_is_tried_again_until_it_is_registered_once(
    one_desk: Desk, answers: list[dict[str, Any]]
) -> None:
    one_desk.script("registrations", *answers)
    assert one_desk.registered(paper(), content_at="library").state == "done"
    [registered] = one_desk.effects("registered")
    assert (registered["key"], registered["times"]) == (one_desk.key, 1)
    assert one_desk.office.told("message failed by a bug of ours") == 0


@pytest.mark.parametrize("answer", AFTER_THE_EFFECT.values(), ids=AFTER_THE_EFFECT)
def test_row_15_a_lost_answer_is_asked_for_and_the_registration_not_repeated(
    one_desk: Desk, answer: dict[str, Any]
) -> None:
    one_desk.script("registrations", answer)
    view = one_desk.registered(paper(), content_at="library")
    assert view.result == {"found": "registered, when asked before a repeat"}
    [registered] = one_desk.effects("registered")
    assert registered["times"] == 1


@pytest.mark.parametrize("answer", REFUSALS.values(), ids=REFUSALS)
def test_what_wipo_refuses_ends_with_wipos_reason(one_desk: Desk, answer: dict[str, Any]) -> None:
    one_desk.script("registrations", answer)
    view = one_desk.ended(one_desk.submit(paper(), content_at="library"))
    assert view.state == "refused"
    assert "WIPO answered" in str(view.reason)
    assert "odd" in str(view.reason) or answer["status"] == 422
    [shown] = one_desk.node.overview.registrations(*one_desk.named)
    assert (shown.state, shown.ended_because) == ("refused", view.reason)
    assert [message for message in one_desk.office.waiting() if message.acknowledgement_id == view.operation_id] == []


def test_what_was_refused_may_be_submitted_again(one_desk: Desk) -> None:
    content = paper()
    one_desk.script("registrations", {"status": 400, "body": WRONG})
    assert one_desk.ended(one_desk.submit(content, content_at="library")).state == "refused"
    assert one_desk.registered(content, content_at="library").state == "done"
    assert [one.state for one in one_desk.node.overview.registrations(*one_desk.named)] == ["registered", "refused"]


def test_a_status_never_seen_before_is_waited_for(one_desk: Desk) -> None:
    seen = {"requestAckId": "R-1", "requestStatusCategory": "quarantined", "statusMessage": "in a queue"}
    one_desk.script("registrations", {"status": 201, "body": seen, "after_effect": True})
    asked = one_desk.submit(paper(), content_at="library")
    assert one_desk.ended(asked).state == "done"
    [registered] = one_desk.effects("registered")
    assert registered["times"] == 1


def test_what_wipo_knows_already_with_these_data_is_taken_note_of(one_desk: Desk) -> None:
    content = paper()
    one_desk.registered(content, content_at="library")
    forget(one_desk)  # as after a move from an older system, whose registrations this node does not know
    view = one_desk.ended(one_desk.submit(content, content_at="library"))
    assert (view.state, view.result) == ("done", {"found": "WIPO knew it already, with these data"})


def test_what_wipo_knows_with_other_data_is_refused_and_says_which(one_desk: Desk) -> None:
    content = paper()
    one_desk.registered(content, content_at="library")
    forget(one_desk)
    one_desk.node.registrations.correct(*one_desk.named, Corrections(filing_date=date(2023, 11, 3)))
    other = Wanted(one_desk.wanted.kind, one_desk.wanted.number, "2023-11-03", one_desk.wanted.access_code)
    view = one_desk.ended(one_desk.submit(content, other, content_at="library"))
    assert (view.state, "-12" in str(view.reason)) == ("refused", True)


@pytest.mark.parametrize("place", ["url_uploads", "uploads", "file_status"])
@pytest.mark.parametrize(
    "answer",
    [
        {"status": 500},
        {"status": 503, "retry_after": 0},
        {"hang_up": True},
        {"status": 200, "body": "<html/>", "content_type": "text/html"},
    ],
    ids=["500", "503", "silence", "a page"],
)
def test_row_12_a_passing_trouble_on_the_way_costs_a_repeat(one_desk: Desk, place: str, answer: dict[str, Any]) -> None:
    one_desk.script(place, answer)
    assert one_desk.registered(paper()).state == "done"
    [registered] = one_desk.effects("registered")
    assert registered["times"] == 1


def test_a_file_that_wipo_rejects_ends_the_registration_with_the_reason(one_desk: Desk) -> None:
    rejected = {"fileStatusCategory": "REJECTED", "errorCode": -50, "statusMessage": "package not valid"}
    one_desk.script("file_status", {"status": 200, "body": rejected})
    view = one_desk.ended(one_desk.submit(paper()))
    assert (view.state, view.reason) == ("refused", "WIPO rejected the file: REJECTED: -50 package not valid")
    assert one_desk.effects("registered") == []


def test_a_file_that_wipo_has_forgotten_is_sent_anew(one_desk: Desk) -> None:
    forgotten = {"code": "NOT_FOUND", "message": None, "details": [{"code": -60, "message": "unknown fileId"}]}
    before = len(one_desk.effects("file requested"))
    one_desk.script("file_status", {"status": 404, "body": forgotten})
    assert one_desk.registered(paper()).state == "done"
    assert len(one_desk.effects("file requested")) == before + 2


def test_the_code_that_wipo_expected_stands_nowhere(one_desk: Desk) -> None:
    mismatch = {"code": -14, "message": "Mismatched access code: dasAccessCode: expected dasAccessCode=QX77"}
    body = {"code": "INVALID_INPUT_DATA", "message": None, "details": [mismatch]}
    one_desk.script("registrations", {"status": 400, "body": body})
    view = one_desk.ended(one_desk.submit(paper(), content_at="library"))
    assert view.reason == "WIPO answered 400: -14 Mismatched access code"
    eventually(lambda: one_desk.office.told("WIPO refused"))
    assert "QX77" not in one_desk.office.log_file.read_text()


def test_while_wipo_shows_a_pending_registration_nowhere_it_is_waited_for(one_desk: Desk) -> None:
    one_desk.pace(pending_seconds=2)
    unknown = {"code": "NOT_FOUND", "message": None, "details": [{"code": -60, "message": "no such path"}]}
    missing = {"code": "INVALID_INPUT_DATA", "message": None, "details": [{"code": -7, "message": "not registered"}]}
    one_desk.script("registrations", {"status": 201}, *({"status": 404, "body": unknown} for _ in range(2)))
    one_desk.script("registration_status", *({"status": 400, "body": missing} for _ in range(2)))
    assert one_desk.registered(paper(), content_at="library").state == "done"
    [registered] = one_desk.effects("registered")
    assert registered["times"] == 1


def test_a_question_that_wipo_does_not_take_ends_no_registration(one_desk: Desk) -> None:
    one_desk.script("registrations", {"hang_up": True, "after_effect": True})
    one_desk.script("registration_status", {"status": 405, "body": WRONG})
    view = one_desk.registered(paper(), content_at="library")
    assert view.result == {"found": "registered, when asked before a repeat"}
    [registered] = one_desk.effects("registered")
    assert registered["times"] == 1


def test_a_success_may_carry_members_that_look_like_an_error(one_desk: Desk) -> None:
    body = {"requestAckId": "R-OK", "requestStatusCategory": "success", "code": "OK", "details": []}
    one_desk.script("registrations", {"status": 201, "body": body, "after_effect": True})
    assert one_desk.registered(paper(), content_at="library").wipo_acknowledgement_id == "R-OK"


def test_a_file_that_is_still_checked_may_carry_an_error_code(one_desk: Desk) -> None:
    checked = {"fileStatusCategory": "PROCESSING", "errorCode": -3, "statusMessage": "in a queue"}
    one_desk.script("file_status", {"status": 200, "body": checked})
    assert one_desk.registered(paper()).state == "done"


@pytest.mark.parametrize("words", ["odd \x00 NUL", "odd \ud800 surrogate", "odd \x1b[31m escape", "odd " + "x" * 2000])
def test_odd_words_of_wipo_are_kept_as_far_as_they_can_be(desk: Desk, words: str) -> None:
    details = [{"code": -99, "message": words}]
    desk.script("registrations", {"status": 400, "body": {"code": "X", "message": None, "details": details}})
    view = desk.ended(desk.submit(paper(), content_at="library"))
    assert view.state == "refused"
    assert str(view.reason).startswith("WIPO answered 400: -99 odd ")
    assert str(view.reason).isprintable()


@pytest.mark.parametrize("file_id", ["x" * 10_000, "a\x00b", "\ud800", 7.5, None, "two\nlines"])
def test_a_file_id_that_cannot_be_kept_is_none(desk: Desk, file_id: Any) -> None:
    body = {"fileId": file_id, "fileUploadUrl": f"{desk.office.central_url}/store/uploads/x"}
    desk.script("url_uploads", {"status": 201, "body": body})
    assert desk.registered(paper()).state == "done"


def test_an_acknowledgement_id_that_cannot_be_kept_is_asked_for_otherwise(desk: Desk) -> None:
    body = {"requestAckId": "x" * 5000, "requestStatusCategory": "success"}
    desk.script("registrations", {"status": 201, "body": body, "after_effect": True})
    view = desk.registered(paper(), content_at="library")
    assert (view.result, view.wipo_acknowledgement_id) == ({"found": "registered, when asked before a repeat"}, None)


QUOTES = {
    "as WIPO does": [{"code": -14, "message": "Mismatched access code: dasAccessCode: expected dasAccessCode=QX77"}],
    "without a colon": [{"code": -99, "message": "Mismatched access code, expected QX77"}],
    "before the words": [{"code": -99, "message": "QX77 is not the access code"}],
    "with a hyphen": [{"code": -99, "message": "access-code QX77"}],
    "-14 in other words": [{"code": "-14", "message": "Expected: QX77"}],
}


@pytest.mark.parametrize("details", QUOTES.values(), ids=QUOTES)
def test_the_code_that_wipo_quotes_is_kept_nowhere(one_desk: Desk, details: list[dict[str, Any]]) -> None:
    one_desk.script("registrations", {"status": 400, "body": {"code": "X", "message": None, "details": details}})
    view = one_desk.ended(one_desk.submit(paper(), content_at="library"))
    assert view.state == "refused"
    assert "QX77" not in str(view.reason)
    assert "QX77" not in one_desk.office.log_file.read_text()


@pytest.mark.parametrize("said", ["{code}", "your {code} is odd", "odd: {lower}!"])
@pytest.mark.parametrize("place", ["message", "statusMessage", "code"])
def test_the_code_that_wipo_was_sent_is_kept_nowhere(one_desk: Desk, said: str, place: str) -> None:
    wanted = replace(one_desk.wanted, access_code="ZQ7X")
    words = said.format(code="ZQ7X", lower="zq7x")
    bodies: dict[str, dict[str, Any]] = {
        "message": {"code": "X", "message": words, "details": []},
        "code": {"code": words, "message": None, "details": []},
        "statusMessage": {"requestStatusCategory": "error", "errorCode": -9, "statusMessage": words},
    }
    one_desk.script("registrations", {"status": 200 if place == "statusMessage" else 400, "body": bodies[place]})
    view = one_desk.ended(one_desk.submit(paper(), wanted, content_at="library"))
    assert view.state == "refused"
    assert "ZQ7X" not in f"{view.reason} {one_desk.office.log_file.read_text()}".upper()
