"""What was dropped reaches WIPO once, and comes back to done/ or refused/ with what became of it."""

import json
from collections.abc import Iterator
from datetime import date

import pytest
import requests

from office_node.document_id import DocumentKind
from office_node.off_registrations.states import RegistrationState
from tests.conftest import MakeOffice
from tests.intake.dropping import AT_ONCE, EVERYTHING, REQUEST, Bench, bench_of, numbered, pdf
from tests.office import Office, eventually

NAMED = {"kind": "patent", "number": "US 98/012,357"}


@pytest.fixture
def wipo(new_office: MakeOffice) -> Office:
    """An office on a watched folder, and simulated WIPO."""
    office = new_office(overrides=AT_ONCE)
    office.upgrade()
    office.start_central()
    return office


@pytest.fixture
def bench(wipo: Office) -> Iterator[Bench]:
    with bench_of(wipo) as made:
        yield made


def test_a_pair_is_registered_and_handed_back(bench: Bench, wipo: Office) -> None:
    bench.drop(request={**REQUEST, "application_number": "98012357", "email": "a@example.org", "file_reference": "F-1"})
    bench.take_in()
    assert (bench.names(), len(bench.names("taken")), bench.names("done")) == ([], 2, [])
    _finish(bench)
    result = bench.result("done")
    [entry] = wipo.ledger("registered")
    assert (entry["times"], entry["applicationNumber"]) == (1, "98012357")
    assert {key: result[key] for key in ("operation", "kind", "number", "date", "name", "kept_as")} == {
        **{key: REQUEST[key] for key in ("kind", "number", "date")},
        "operation": "register",
        "name": "A",
        "kept_as": "A",
    }
    assert {"requestAckId", "registered_at", "operation_id", "at"} <= result.keys()
    assert (result.get("code"), result["reasons"]) == (None, [])
    assert bench.names("done") == ["A.json", "A.pdf", "A.result.json"]
    assert bench.names("taken") == []
    assert "AB21" not in (bench.folder / "done" / "A.result.json").read_text()


def test_a_content_for_wipo_is_uploaded_and_its_file_id_handed_back(bench: Bench, wipo: Office) -> None:
    bench.drop(request={**REQUEST, "content": "wipo"}, extension="PDF")
    bench.take_in()
    _finish(bench)
    assert bench.result("done")["fileId"] == wipo.ledger("registered")[0]["fileId"]
    assert bench.names("done") == ["A.json", "A.pdf", "A.result.json"]


def test_what_wipo_refuses_comes_back_with_wipos_reason(bench: Bench, wipo: Office) -> None:
    pace = requests.post(
        f"{wipo.central_url}/rehearsal/pace", json={"registration_error": "no such office"}, timeout=30
    )
    pace.raise_for_status()
    bench.drop()
    bench.take_in()
    _finish(bench)
    result = bench.result("refused")
    assert result["code"] == "N367"
    assert "no such office" in result["reasons"][0]
    assert bench.names("refused") == ["A.json", "A.pdf", "A.result.json"]


def test_the_same_document_again_comes_back_at_once_with_the_first_operation(bench: Bench, wipo: Office) -> None:
    content = pdf()
    bench.drop("A", content=content)
    bench.take_in()
    bench.drop("B", content=content)
    bench.take_in()
    waiting = bench.result("done", "B")
    assert "which waits for WIPO" in waiting["reasons"][0]
    _finish(bench)
    assert bench.result("done")["operation_id"] == waiting["operation_id"]
    bench.drop("C", content=content)
    bench.take_in()
    assert bench.result("done", "C")["registered_at"] == bench.result("done")["registered_at"]
    assert [entry["times"] for entry in wipo.ledger("registered")] == [1]


def test_correct_replace_and_withdraw_reach_wipo_each_once(bench: Bench, wipo: Office) -> None:
    bench.drop("A", {**REQUEST, "content": "wipo"})
    bench.drop("B", {**NAMED, "operation": "correct", "new_date": "2023-11-03", "new_access_code": "CD34"}, None)
    _through(bench)
    bench.drop("C", {**NAMED, "operation": "replace"})
    _through(bench)
    bench.drop("D", {**NAMED, "operation": "withdraw"}, None)
    _through(bench)
    effects = ["registered", "corrected", "replaced", "withdrawn"]
    assert [(entry["effect"], entry["times"]) for entry in wipo.ledger("") if entry["effect"] in effects] == [
        (effect, 1) for effect in effects
    ]
    assert [bench.result("done", name)["operation"] for name in "ABCD"] == [
        "register",
        "correct",
        "replace",
        "withdraw",
    ]
    assert bench.result("done", "B")["date"] == "2023-11-03"
    assert bench.names("done") == sorted(
        [*(f"{n}.json" for n in "ABCD"), *(f"{n}.result.json" for n in "ABCD"), "A.pdf", "C.pdf"]
    )
    assert "CD34" not in json.dumps(bench.result("done", "B"))


def test_what_the_library_keeps_is_registered_without_its_file(bench: Bench, wipo: Office) -> None:
    wipo.add_document()
    bench.drop(request={**NAMED, "date": "2023-11-02", "in_library": True}, content=None)
    bench.take_in()
    _finish(bench)
    assert bench.result("done")["operation"] == "register"
    assert len(wipo.ledger("registered")) == 1


def test_what_was_withdrawn_before_wipo_heard_of_it_comes_back(bench: Bench, wipo: Office) -> None:
    bench.drop("A")
    bench.take_in()
    bench.drop("B", {**NAMED, "operation": "withdraw"}, None)
    bench.take_in()
    _finish(bench)
    assert "WIPO has no registration" in bench.result("done", "B")["reasons"][0]
    assert bench.result("refused", "A")["reasons"] == ["withdrawn before WIPO heard of it"]
    assert wipo.ledger("registered") == []


def test_a_correction_of_what_is_not_registered_is_done_in_the_library(bench: Bench, wipo: Office) -> None:
    wipo.add_document()
    bench.drop(request={**NAMED, "operation": "correct", "new_date": "2023-11-03"}, content=None)
    bench.take_in()
    assert "done in the library" in bench.result("done")["reasons"][0]
    entry = bench.node.library.find(DocumentKind.PATENT, NAMED["number"])
    assert entry
    assert entry.document.date == date(2023, 11, 3)


def test_a_name_that_lies_in_done_already_is_not_overwritten(bench: Bench) -> None:
    for number in (100, 200):
        bench.drop("A", numbered(number))
        _through(bench)
    kept = bench.names("done")
    assert len(kept) == 6
    [second] = [name for name in kept if name.startswith("A~") and name.endswith(".result.json")]
    stem = second.removesuffix(".result.json")
    assert {f"{stem}.json", f"{stem}.pdf", "A.json", "A.pdf", "A.result.json"} < {*kept}
    assert bench.result("done", "A")["number"] == "US 98/100,357"
    assert bench.result("done", stem) | {"name": "A", "kept_as": stem} == bench.result("done", stem)
    assert bench.result("done", stem)["number"] == "US 98/200,357"


def test_every_registration_of_a_pair_is_in_force(bench: Bench) -> None:
    for number in range(100, 105):
        bench.drop(f"N{number}", numbered(number))
    _through(bench)
    assert {view.state for view in bench.node.overview.registrations()} == {RegistrationState.REGISTERED}
    assert len(bench.names("done")) == 15


def _through(bench: Bench) -> None:
    bench.take_in()
    _finish(bench)


def _finish(bench: Bench) -> None:
    """Until nothing waits any more."""

    def is_done() -> bool:
        bench.work(*EVERYTHING)
        return not bench.node.outbox.messages()

    eventually(is_done)
