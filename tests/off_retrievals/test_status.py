"""GET retrievals (E12): how far the caller's own requests are."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import insert

from office_node import clock
from office_node.auth.token_verifier import VerifiedClaims
from office_node.das.messages import DocumentFilter
from office_node.off_retrievals.records import ForwardedRetrievalRecord, locked
from tests.off_retrievals.bench import ID_NAMES, OTHER, PREFIXES, Bench, das_codes


@pytest.mark.parametrize("path", ["retrievals", "retrievals/", "retrievals/statuses", "retrievals/statuses/"])
@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_path_lists_the_requests(sqlite_bench: Bench, prefix: str, path: str) -> None:
    caller = sqlite_bench.caller(prefix=prefix)
    acknowledgement_id = caller.forward(sqlite_bench.keep().wanted)
    answer = caller.call("GET", path, query_string={"requestAckId": acknowledgement_id})
    assert answer.status_code == 200
    [entry] = answer.get_json()["documentRetrievalResponseBag"]
    assert entry["requestAckId"] == acknowledgement_id


@pytest.mark.parametrize("name", [*ID_NAMES, "fileId"])
@pytest.mark.parametrize("whose", ["ours", "WIPO's"])
def test_a_request_is_found_by_either_id_under_any_name(bench: Bench, name: str, whose: str) -> None:
    wanted, caller = bench.keep().wanted, bench.caller()
    wipo_id = f"A-{uuid4().hex}"
    ours = caller.forward(wanted, osfAckId=wipo_id)
    caller.forward(wanted, osfAckId=f"{wipo_id}-other")
    [entry] = caller.statuses(**{name: ours if whose == "ours" else wipo_id})
    assert entry["requestAckId"] == ours


@pytest.mark.parametrize("prefix", PREFIXES)
def test_one_request_is_shown_at_its_location(sqlite_bench: Bench, prefix: str) -> None:
    caller = sqlite_bench.caller(prefix=prefix)
    acknowledgement_id = caller.forward(sqlite_bench.keep().wanted)
    [listed] = caller.statuses(requestAckId=acknowledgement_id)
    for path in (f"retrievals/{acknowledgement_id}", f"retrievals/{acknowledgement_id}/"):
        assert caller.call("GET", path).get_json() == listed


def test_a_request_tells_how_far_it_is_until_its_end(bench: Bench) -> None:
    wanted, caller = bench.keep().wanted, bench.caller()
    acknowledgement_id = caller.forward(wanted)
    about = {
        "documentKindCategory": wanted.kind,
        "documentNumber": wanted.number,
        "documentDate": wanted.date,
    }
    assert caller.statuses(requestAckId=acknowledgement_id) == [
        {"requestAckId": acknowledgement_id, "requestStatusCategory": "pending", **about}
    ]
    bench.prepare(acknowledgement_id)
    prepared_at = bench.record(acknowledgement_id).prepared_at
    assert prepared_at
    assert caller.statuses(requestAckId=acknowledgement_id) == [
        {
            "requestAckId": acknowledgement_id,
            "requestStatusCategory": "success",
            **about,
            "documentAvailabilityDate": prepared_at.date().isoformat(),
        }
    ]
    caller.call("DELETE", "files", query_string={"requestAckId": acknowledgement_id})
    assert caller.statuses(requestAckId=acknowledgement_id) == [
        {
            "requestAckId": acknowledgement_id,
            "requestStatusCategory": "error",
            **about,
            "errorCode": -1000,
            "statusMessage": "deleted by WIPO",
        }
    ]


def test_everything_that_is_asked_for_must_fit(bench: Bench) -> None:
    wanted, caller = bench.keep(filed="2020-02-29").wanted, bench.caller()
    acknowledgement_id = caller.forward(wanted)
    fitting = {**wanted.members(), "documentNumber": wanted.number.lower().replace(" ", "")}
    for left_out in (None, *fitting):
        asked = {name: value for name, value in fitting.items() if name != left_out}
        found = caller.statuses(**asked, requestAckId=acknowledgement_id)
        assert [entry["requestAckId"] for entry in found] == [acknowledgement_id]
    for wrong in (
        {"documentKindCategory": "design"},
        {"documentNumber": "US 99/999,999"},
        {"documentNumber": "no number"},
        {"documentDate": "2020-02-28"},
        {"requestAckId": "no-such-id"},
    ):
        assert caller.statuses(**{**fitting, "requestAckId": acknowledgement_id, **wrong}) == []


def test_a_document_is_found_by_its_number_alone(bench: Bench) -> None:
    wanted, caller = bench.keep(kind="design").wanted, bench.caller()
    acknowledgement_id = caller.forward(wanted)
    [entry] = caller.statuses(documentNumber=wanted.number)
    assert entry["requestAckId"] == acknowledgement_id


def test_the_newest_comes_first(bench: Bench) -> None:
    wanted, caller = bench.keep().wanted, bench.caller()
    given = [caller.forward(wanted, applicationNumber=f"EP {number}") for number in range(5)]
    assert [entry["requestAckId"] for entry in caller.statuses(**wanted.members())] == given[::-1]


def test_without_a_filter_all_requests_of_the_caller_are_listed(bench: Bench) -> None:
    caller = bench.caller()
    given = {caller.forward(bench.keep().wanted) for _ in range(3)}
    assert given <= {entry["requestAckId"] for entry in caller.statuses()}


def test_a_filter_with_nothing_in_it_is_no_filter(bench: Bench) -> None:
    caller = bench.caller()
    acknowledgement_id = caller.forward(bench.keep().wanted)
    found = caller.statuses(requestAckId=acknowledgement_id, documentNumber="", osfAckId="", documentDate="")
    assert [entry["requestAckId"] for entry in found] == [acknowledgement_id]


def test_the_query_of_the_original_document_is_accepted(bench: Bench) -> None:
    caller = bench.caller()
    acknowledgement_id = caller.forward(bench.keep().wanted)
    for value in ("true", "false"):
        [entry] = caller.statuses(requestAckId=acknowledgement_id, originalDocumentIndicator=value)
        assert entry["requestAckId"] == acknowledgement_id


def test_at_most_a_thousand_are_told_at_once(bench: Bench) -> None:
    row = {"kind": "patent", "number": "US 11/111,111", "date": clock.now().date(), "state": "received"}
    many = [
        {**row, "acknowledgement_id": str(uuid4()), "client_id": "busy", "received_at": clock.now()}
        for _ in range(1001)
    ]
    with bench.node.database.transaction() as session:
        session.execute(insert(ForwardedRetrievalRecord), many)
    statuses = bench.node.handover.statuses(VerifiedClaims("busy", frozenset(), "own"), DocumentFilter())
    assert len(statuses) == 1000


def test_an_open_request_is_not_hidden_by_any_number_of_ended_ones(bench: Bench) -> None:
    ended = {"state": "expired", "ended_at": clock.now(), "received_at": clock.now()}
    long_ago = clock.now() - timedelta(days=3)
    open_one = {"state": "received", "ended_at": None, "received_at": long_ago}
    row = {"kind": "patent", "number": "US 11/111,111", "date": clock.now().date(), "client_id": "crowded"}
    rows = [{**row, **ended, "acknowledgement_id": str(uuid4())} for _ in range(1001)]
    with bench.node.database.transaction() as session:
        session.execute(insert(ForwardedRetrievalRecord), [*rows, {**row, **open_one, "acknowledgement_id": "open"}])
    statuses = bench.node.handover.statuses(VerifiedClaims("crowded", frozenset(), "own"), DocumentFilter())
    assert statuses[0].acknowledgement_id == "open"


def test_what_ended_long_ago_is_told_only_when_asked_for(bench: Bench) -> None:
    caller = bench.caller()
    acknowledgement_id = caller.forward(bench.keep().wanted)
    caller.call("DELETE", "files", query_string={"requestAckId": acknowledgement_id})
    assert acknowledgement_id in {entry["requestAckId"] for entry in caller.statuses()}
    with bench.node.database.transaction() as session:
        locked(session, acknowledgement_id).ended_at = clock.now() - timedelta(days=2)
    assert acknowledgement_id not in {entry["requestAckId"] for entry in caller.statuses()}
    [entry] = caller.statuses(requestAckId=acknowledgement_id)
    assert entry["requestStatusCategory"] == "error"


@pytest.mark.parametrize("path", ["retrievals/no-such-id", "retrievals/00000000-0000-0000-0000-000000000000"])
def test_a_request_that_is_not_there_is_not_found(bench: Bench, path: str) -> None:
    answer = bench.caller().call("GET", path)
    assert answer.status_code == 404
    assert das_codes(answer) == [-1000]


def test_another_clients_requests_are_not_to_be_seen(bench: Bench) -> None:
    kept, stranger = bench.keep(), bench.caller(OTHER)
    caller = bench.caller()
    acknowledgement_id = caller.forward(kept.wanted, osfAckId=f"A-{uuid4().hex}")
    wipo_id = str(bench.record(acknowledgement_id).wipo_acknowledgement_id)
    bench.prepare(acknowledgement_id)
    for known in (acknowledgement_id, wipo_id):
        assert stranger.statuses(requestAckId=known) == []
        assert stranger.call("GET", f"retrievals/{known}").status_code == 404
        assert stranger.locate(kept.wanted, osfAckId=known).status_code == 404
        assert stranger.call("DELETE", "files", query_string={"requestAckId": known}).status_code == 404
    assert stranger.statuses(**kept.wanted.members()) == []
    assert stranger.locate(kept.wanted).status_code == 404
    assert bench.state(acknowledgement_id) == "prepared"
    assert caller.locate(kept.wanted, osfAckId=wipo_id).status_code == 200
