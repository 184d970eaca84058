"""The switch [off] wrap_errors (C-7): refusals in `error`, as before 2024-03-04, wherever they come from."""

from urllib.parse import urlsplit

import pytest

from tests.off_retrievals.bench import Bench, message
from tests.off_retrievals.conftest import MakeBench
from tests.off_retrievals.wire import head, say


@pytest.fixture
def wrapping(new_bench: MakeBench) -> Bench:
    return new_bench({"off": {"wrap_errors": True}})


def test_a_refusal_is_wrapped(wrapping: Bench) -> None:
    wanted = wrapping.keep().wanted
    answer = wrapping.caller().call("POST", "retrievals", json=message(wanted, dasAccessCode="ZZZZ"))
    assert answer.status_code == 400
    details = [{"code": -14, "message": "Mismatched access code"}]
    assert answer.get_json() == {"error": {"code": "INVALID_INPUT_DATA", "message": None, "details": details}}


def test_refusals_of_every_part_are_wrapped(wrapping: Bench) -> None:
    _, link = wrapping.offer(wrapping.keep())
    answers = {
        "no token": wrapping.http.get("/das/v1/requests/retrievals"),
        "no place": wrapping.http.get("/nowhere"),
        "no method": wrapping.http.put("/das/v1/requests/retrievals"),
        "no message": wrapping.caller().call("POST", "retrievals", json=[]),
        "no link": wrapping.http.get(f"{link}x"),
        "no range": wrapping.http.get(link, headers={"Range": "bytes=99999999-"}),
    }
    assert {what: list(answer.get_json()) for what, answer in answers.items()} == {what: ["error"] for what in answers}


def test_a_success_is_not_wrapped(wrapping: Bench) -> None:
    acknowledgement_id = wrapping.caller().forward(wrapping.keep().wanted)
    assert wrapping.caller().statuses(requestAckId=acknowledgement_id)


def test_a_refusal_before_the_application_is_wrapped_too(wrapping: Bench) -> None:
    wrapping.serve()
    url = wrapping.office.url
    answer = say(url, [head("GET", "/das/v1/requests/retrievals", urlsplit(url).netloc, "X-A: " + "a" * 65_536)])
    assert answer.status_code == 431
    assert answer.content.startswith(b'{"error": {"code": "REQUEST_HEADER_FIELDS_TOO_LARGE"')
