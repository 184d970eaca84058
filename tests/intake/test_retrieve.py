"""The office's own system asks for another office's document through the watched folder."""

from office_node.osf_retrievals.states import RequestState
from tests.intake.dropping import Bench

WANTED = {
    "operation": "retrieve",
    "kind": "patent",
    "number": "EP 16000312",
    "date": "2023-11-02",
    "access_code": "QX7Z",
    "application_number": "XX 2026/000123",
    "class": "highly_confidential",
}


def test_a_drop_asks_for_a_document_and_tells_where_it_will_come(bench: Bench) -> None:
    bench.drop(request=WANTED, content=None)
    bench.take_in()
    told = bench.result("done")
    [view] = bench.node.second_filing.requests.all()
    assert told["request"] == view.request_id
    assert (
        told["comes_as"] == f"patent-EP_16000312-{view.request_id[:12]}.json in collected/ of the node's [osf] folder"
    )
    assert (view.state, view.classification) == (RequestState.ASKED, "highly_confidential")
    assert view.application_number == "XX 2026/000123"
    assert "QX7Z" not in str(told)

    bench.drop("B", request=WANTED, content=None)
    bench.take_in()
    again = bench.result("done", "B")
    assert (again["request"], again["reasons"]) == (view.request_id, ["the same was asked for before; it is asked"])
    steps = [entry.step for entry in bench.node.timeline.histories.of(["EP 16000312"]).entries]
    assert steps.count("this office asked WIPO for it") == 1
    assert steps.count("taken from the watched folder") == 2


def test_what_it_lacks_or_does_not_take_is_named(bench: Bench) -> None:
    bench.drop(
        request={"operation": "retrieve", "kind": "patent", "number": "EP 16000312", "email": "a@b"}, content=None
    )
    bench.take_in()
    assert bench.result("refused")["reasons"] == [
        "email: does not belong to operation retrieve",
        "date: missing",
        "access_code: missing",
    ]


def test_a_file_beside_it_is_refused(bench: Bench) -> None:
    bench.drop(request=WANTED)
    bench.take_in()
    assert bench.result("refused")["code"] == "N364"
    assert bench.node.second_filing.requests.all() == []
