"""POST retrievals (E11): a request is taken on once, under whatever path and in whatever spelling it comes."""

from collections.abc import Callable
from typing import Any

import pytest

from office_node.rehearsal.operator import Wanted
from tests.off_retrievals.bench import ID_NAMES, OTHER, PREFIXES, Bench, das_codes, message

SPELLINGS: dict[str, Callable[[str], str]] = {
    "lower case": str.lower,
    "no blank after the office": lambda number: number.replace(" ", ""),
    "blanks around": lambda number: f"  {number} ",
    "several blanks": lambda number: number.replace(" ", "   "),
}


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_path_gives_an_id_and_a_location_that_answers(bench: Bench, prefix: str, slash: str) -> None:
    wanted, caller = bench.keep().wanted, bench.caller(prefix=prefix)
    answer = caller.call("POST", f"retrievals{slash}", json=message(wanted))
    assert answer.status_code == 201
    acknowledgement_id = answer.get_json()["requestAckId"]
    assert answer.get_json() == {"requestAckId": acknowledgement_id, "requestStatusCategory": "pending"}

    location = answer.headers["Location"]
    assert location == f"{bench.office.url}{prefix}/requests/retrievals/{acknowledgement_id}"
    shown = bench.http.get(location, headers={"Authorization": f"Bearer {caller.token}"})
    assert shown.status_code == 200
    assert shown.get_json() == {
        "requestAckId": acknowledgement_id,
        "requestStatusCategory": "pending",
        "documentKindCategory": wanted.kind,
        "documentNumber": wanted.number,
        "documentDate": wanted.date,
    }


def test_a_request_and_the_work_it_asks_for_are_written_together(bench: Bench) -> None:
    acknowledgement_id = bench.caller().forward(bench.keep().wanted, osfAckId="A-17")
    record = bench.record(acknowledgement_id)
    assert (record.state, record.wipo_acknowledgement_id, record.client_id) == ("received", "A-17", "wipo-das")
    [prepare] = bench.messages(acknowledgement_id)
    assert (prepare.kind, prepare.state, prepare.payload) == ("prepare_retrieval", "due", {})


def test_the_access_code_is_compared_and_forgotten(bench: Bench) -> None:
    acknowledgement_id = bench.caller().forward(bench.keep(access_code="Q7ZX").wanted)
    record, [prepare] = bench.record(acknowledgement_id), bench.messages(acknowledgement_id)
    written = [str(getattr(row, column.name)) for row in (record, prepare) for column in row.__table__.columns]
    assert acknowledgement_id in written
    assert not [value for value in written if "Q7ZX" in value.upper()]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_number_written_otherwise_finds_the_document(bench: Bench, spelling: str) -> None:
    wanted, caller = bench.keep().wanted, bench.caller()
    as_kept = caller.forward(wanted)
    assert caller.forward(wanted, documentNumber=SPELLINGS[spelling](wanted.number)) == as_kept


@pytest.mark.parametrize(("kept", "sent"), [("AB21", "ab21"), ("xY9z", "Xy9Z"), ("1234", 1234)])
def test_an_access_code_has_no_case_and_may_be_a_number(bench: Bench, kept: str, sent: str | int) -> None:
    bench.caller().forward(bench.keep(access_code=kept).wanted, dasAccessCode=sent)


@pytest.mark.parametrize("time", ["T00:00:00", "T23:59:59Z", "T00:00:00.000+0200", "T10:15:30.123456+02:00"])
def test_a_date_may_carry_a_time(bench: Bench, time: str) -> None:
    wanted, caller = bench.keep().wanted, bench.caller()
    assert caller.forward(wanted, documentDate=wanted.date + time) == caller.forward(wanted)


@pytest.mark.parametrize("category", ["priority document", "patent", "design", "trademark", "utility model", None])
def test_any_application_category_is_accepted(bench: Bench, category: str | None) -> None:
    bench.caller().forward(bench.keep().wanted, applicationCategory=category)


def test_a_kind_has_no_case(bench: Bench) -> None:
    bench.caller().forward(bench.keep().wanted, documentKindCategory="  Patent")


@pytest.mark.parametrize("value", [None, 0, "x" * 5000, [[1], {"a": None}], {"documentNumber": 7}])
def test_members_that_nobody_knows_are_passed_over(bench: Bench, value: Any) -> None:
    wanted, caller = bench.keep().wanted, bench.caller()
    assert caller.forward(wanted, zone=value, DocumentNumber=value) == caller.forward(wanted)


def test_absent_is_the_same_as_null(bench: Bench) -> None:
    wanted, caller = bench.keep().wanted, bench.caller()
    with_nulls = message(wanted, **dict.fromkeys(ID_NAMES))
    without = {name: value for name, value in with_nulls.items() if value is not None}
    answers = [caller.call("POST", "retrievals", json=body).get_json() for body in (with_nulls, without)]
    assert answers[0] == answers[1]


@pytest.mark.parametrize("name", ID_NAMES)
def test_wipos_id_is_kept_under_whatever_name_it_comes(bench: Bench, name: str) -> None:
    wanted, caller = bench.keep().wanted, bench.caller()
    acknowledgement_id = caller.forward(wanted, **{name: 4711})
    assert bench.record(acknowledgement_id).wipo_acknowledgement_id == "4711"
    assert caller.forward(wanted, requestAckId="4711") == acknowledgement_id


def test_a_repeat_of_an_open_request_gets_the_same_id(bench: Bench) -> None:
    wanted, caller = bench.keep().wanted, bench.caller()
    first = caller.forward(wanted)
    assert caller.forward(wanted) == first
    bench.prepare(first)
    assert caller.forward(wanted) == first
    assert [entry.kind for entry in bench.messages(first)] == ["prepare_retrieval", "notify_wipo"]


@pytest.mark.parametrize(
    "members",
    [
        {"osfAckId": "another"},
        {"applicationNumber": "EP 16000313"},
        {"applicationFilingDate": "2024-11-01"},
    ],
)
def test_another_id_of_wipo_or_another_application_is_another_request(bench: Bench, members: dict[str, str]) -> None:
    wanted, caller = bench.keep().wanted, bench.caller()
    about = {"osfAckId": "one", "applicationNumber": "EP 16000312", "applicationFilingDate": "2024-10-31"}
    one, another = caller.forward(wanted, **about), caller.forward(wanted, **{**about, **members})
    assert one != another
    assert caller.forward(wanted, **about) == one


def test_another_client_with_the_same_words_makes_another_request(bench: Bench) -> None:
    wanted = bench.keep().wanted
    assert bench.caller().forward(wanted) != bench.caller(OTHER).forward(wanted)


def test_a_request_after_the_download_is_a_new_one(bench: Bench) -> None:
    kept = bench.keep()
    first, link = bench.offer(kept)
    with bench.http.get(link) as download:
        assert download.data == kept.content
    assert bench.state(first) == "downloaded"
    assert bench.caller().forward(kept.wanted) != first


def test_a_request_after_the_end_of_another_is_a_new_one(bench: Bench) -> None:
    wanted, caller = bench.keep().wanted, bench.caller()
    first = caller.forward(wanted)
    assert caller.call("DELETE", "files", query_string={"requestAckId": first}).status_code == 204
    assert caller.forward(wanted) != first


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "retrievals"),
        ("GET", "retrievals"),
        ("GET", "retrievals/statuses"),
        ("GET", "retrievals/some-id"),
        ("POST", "files/url-downloads"),
        ("GET", "files/url-downloads"),
        ("POST", "url-downloads"),
        ("GET", "url-downloads"),
        ("DELETE", "files"),
    ],
)
def test_no_call_is_answered_without_a_token(sqlite_bench: Bench, prefix: str, method: str, path: str) -> None:
    wanted = Wanted("patent", "US 98/012,357", "2023-11-02", "AB21")
    answer = sqlite_bench.http.open(f"{prefix}/requests/{path}", method=method, json=message(wanted))
    assert answer.status_code == 401
    assert das_codes(answer) == [-1000]
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
