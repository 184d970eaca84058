"""DELETE files (E16): WIPO has what it needs; the request ends and its links with it."""

from uuid import uuid4

import pytest

from tests.off_retrievals.bench import ID_NAMES, OTHER, PREFIXES, Bench, das_codes


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_path_ends_the_request(sqlite_bench: Bench, prefix: str, slash: str) -> None:
    caller = sqlite_bench.caller(prefix=prefix)
    acknowledgement_id = caller.forward(sqlite_bench.keep().wanted)
    answer = caller.call("DELETE", f"files{slash}", query_string={"requestAckId": acknowledgement_id})
    assert (answer.status_code, answer.data) == (204, b"")
    assert sqlite_bench.state(acknowledgement_id) == "expired"


@pytest.mark.parametrize("whose", ["ours", "WIPO's"])
@pytest.mark.parametrize("name", [*ID_NAMES, "fileId"])
def test_a_request_is_named_by_either_id_under_any_name(bench: Bench, name: str, whose: str) -> None:
    wanted, caller, wipo_id = bench.keep().wanted, bench.caller(), f"A-{uuid4().hex}"
    ours = caller.forward(wanted, osfAckId=wipo_id)
    other = caller.forward(wanted, osfAckId=f"{wipo_id}-other")
    named = {name: ours if whose == "ours" else wipo_id}
    assert caller.call("DELETE", "files", query_string=named).status_code == 204
    assert bench.state(ours) == "expired"
    assert bench.state(other) == "received"


def test_kind_and_number_end_every_open_request_for_the_document(bench: Bench) -> None:
    kept, caller = bench.keep(), bench.caller()
    unready = caller.forward(kept.wanted, osfAckId="one")
    ready = caller.forward(kept.wanted, osfAckId="two")
    bench.prepare(ready)
    other = caller.forward(bench.keep().wanted)
    named = {
        "documentKindCategory": kept.wanted.kind,
        "documentNumber": kept.wanted.number.lower().replace(" ", ""),
    }
    assert caller.call("DELETE", "files", query_string=named).status_code == 204
    assert [bench.state(request) for request in (unready, ready, other)] == ["expired", "expired", "received"]
    record = bench.record(ready)
    assert record.ended_at
    assert (record.ended_because, record.open_key) == ("deleted by WIPO", None)


@pytest.mark.parametrize("by", ["id", "kind and number"])
def test_the_second_time_there_is_nothing_to_end(bench: Bench, by: str) -> None:
    wanted, caller = bench.keep().wanted, bench.caller()
    acknowledgement_id = caller.forward(wanted)
    named = wanted.members() if by == "kind and number" else {"fileId": acknowledgement_id}
    assert caller.call("DELETE", "files", query_string=named).status_code == 204
    ended_at = bench.record(acknowledgement_id).ended_at
    again = caller.call("DELETE", "files", query_string=named)
    assert again.status_code == 404
    assert das_codes(again) == [-1000]
    assert bench.record(acknowledgement_id).ended_at == ended_at


@pytest.mark.parametrize(
    "left_in",
    [
        (),
        ("documentKindCategory",),
        ("documentNumber",),
        ("documentDate",),
        ("documentKindCategory", "documentDate"),
        ("documentNumber", "documentDate"),
    ],
)
def test_too_little_named_ends_nothing(bench: Bench, left_in: tuple[str, ...]) -> None:
    wanted, caller = bench.keep().wanted, bench.caller()
    acknowledgement_id = caller.forward(wanted)
    named = {name: wanted.members()[name] for name in left_in}
    answer = caller.call("DELETE", "files", query_string={**named, "reason": "none", "osfAckId": ""})
    assert answer.status_code == 400
    assert das_codes(answer) == [-1000]
    assert bench.state(acknowledgement_id) == "received"


@pytest.mark.parametrize(
    "wrong",
    [
        {"requestAckId": "no-such-id"},
        {"documentDate": "2001-01-01"},
        {"documentKindCategory": "design"},
        {"documentNumber": "US 99/999,999"},
    ],
)
def test_only_what_fits_everything_that_is_named_ends(bench: Bench, wrong: dict[str, str]) -> None:
    wanted, caller = bench.keep().wanted, bench.caller()
    acknowledgement_id = caller.forward(wanted)
    named = {**wanted.members(), "requestAckId": acknowledgement_id, **wrong}
    assert caller.call("DELETE", "files", query_string=named).status_code == 404
    assert bench.state(acknowledgement_id) == "received"


def test_another_client_ends_nothing_of_ours(bench: Bench) -> None:
    wanted = bench.keep().wanted
    ours, theirs = bench.caller().forward(wanted), bench.caller(OTHER).forward(wanted)
    assert bench.caller(OTHER).call("DELETE", "files", query_string=wanted.members()).status_code == 204
    assert (bench.state(ours), bench.state(theirs)) == ("received", "expired")


def test_a_downloaded_document_is_dropped(bench: Bench) -> None:
    kept = bench.keep()
    acknowledgement_id, link = bench.offer(kept)
    bench.http.get(link).close()
    assert bench.caller().call("DELETE", "files", query_string={"fileId": acknowledgement_id}).status_code == 204
    assert bench.state(acknowledgement_id) == "expired"
    assert bench.http.get(link).status_code == 410


def test_nobody_is_told_of_an_end_that_wipo_asked_for(bench: Bench) -> None:
    wanted, caller = bench.keep().wanted, bench.caller()
    acknowledgement_id = caller.forward(wanted)
    caller.call("DELETE", "files", query_string={"requestAckId": acknowledgement_id})
    bench.prepare(acknowledgement_id)
    [prepare] = bench.messages(acknowledgement_id)
    assert (prepare.kind, prepare.state) == ("prepare_retrieval", "settled")
    assert bench.state(acknowledgement_id) == "expired"
