"""The office asks for a document: WIPO hears of it once, whatever is lost on the way."""

import io
from datetime import timedelta

import pytest

from office_node import clock
from office_node.das.retrieval_messages import RetrievalNews
from office_node.document_id import PriorityDocumentId
from office_node.library.access_codes import BadAccessCode
from office_node.library.accession import DocumentDiffers
from office_node.library.filing_dates import DateAhead
from office_node.off_registrations.details import Details
from office_node.off_registrations.refusals import NotInLibrary
from office_node.osf_retrievals.records import RequestRecord
from office_node.osf_retrievals.service import Wanted
from office_node.rehearsal.operator import Wanted as Theirs
from tests import command_line
from tests.databases import on_sqlite
from tests.office import eventually
from tests.osf_retrievals.conftest import MakeDesk
from tests.osf_retrievals.desk import CODE, Desk, paper


def test_a_document_travels_from_the_question_to_the_offices_systems(new_desk: MakeDesk) -> None:
    desk = new_desk("serve")
    content = desk.deposit(paper())
    asked = desk.ask(application="XX 2026/000123")
    told, files = desk.collected(asked)
    assert files == {"document": content}
    assert (told["number"], told["application"]["number"]) == (desk.document.number, "XX 2026/000123")
    assert told["kept_in_library"] is True
    assert desk.steps()[:7] == [
        "this office asked WIPO for it",
        "WIPO acknowledged the request",
        "WIPO made it available",
        "fetching it from WIPO",
        "taken into the library",
        "fetched from WIPO whole and checked",
        "handed over to the office's systems",
    ]
    eventually(lambda: "WIPO's copy cleared" in desk.steps())
    assert desk.history().open_matters == []
    assert desk.lies_in("collecting") == []
    entry = desk.node.library.find(desk.document.kind, desk.document.number)
    assert entry
    assert entry.is_collected
    with desk.node.library.open(entry.current) as kept:
        assert kept.read() == content
    assert CODE not in desk.office.log_file.read_text()


def test_asked_for_twice_it_is_one_request_until_it_came_to_nothing(desk: Desk) -> None:
    first = desk.ask()
    again = desk.ask()
    other = desk.ask(application="XX 2026/000123")
    assert (again.request_id, again.is_new) == (first.request_id, False)
    assert other.request_id != first.request_id
    view = desk.ended(first)
    assert (view.state, view.error_code) == ("refused", -7)
    desk.ended(other)
    assert desk.ask().is_new


def test_what_was_collected_is_asked_for_anew_only_when_that_is_said(desk: Desk) -> None:
    desk.deposit(paper())
    first = desk.ask()
    desk.collected(first)
    assert desk.ask().request_id == first.request_id
    second = desk.ask(again=True)
    assert second.is_new
    desk.collected(second)
    assert desk.times_asked() == 2


@pytest.mark.parametrize("lost", [{"hang_up": True, "after_effect": True}, {"status": 500, "after_effect": True}])
def test_an_answer_that_was_lost_asks_wipo_before_it_asks_again(desk: Desk, lost: dict[str, object]) -> None:
    desk.pace(prepare_seconds=0.5)
    content = desk.deposit(paper())
    desk.script("retrievals", lost)
    assert desk.collected(desk.ask())[1] == {"document": content}
    assert desk.times_asked() == 1


def test_a_question_that_never_arrived_is_asked_again(desk: Desk) -> None:
    content = desk.deposit(paper())
    desk.script("retrievals", {"hang_up": True})
    assert desk.collected(desk.ask())[1] == {"document": content}
    assert desk.times_asked() == 1


@pytest.mark.parametrize("late", [0, 1], ids=["at once", "later"])
def test_what_wipo_refuses_ends_with_its_number_and_no_access_code(desk: Desk, late: int) -> None:
    desk.pace(late_errors=late)
    desk.deposit(paper())
    asked = desk.ask(access_code="ZZ99")
    view = desk.ended(asked)
    assert (view.state, view.error_code) == ("refused", -14)
    assert "access code" in str(view.reason)
    assert not [code for code in (CODE, "ZZ99") if code in f"{view.reason} {desk.history()}"]
    assert desk.steps()[-1] == "WIPO could not supply it"


@on_sqlite
@pytest.mark.parametrize("point", ["asking: noted as sent, before it is", "asking: answered, not recorded"])
def test_a_worker_that_is_killed_while_it_asks_leaves_one_request_at_wipo(new_desk: MakeDesk, point: str) -> None:
    desk = new_desk()
    content = desk.deposit(paper())
    asked = desk.ask()
    killed = desk.office.start("worker", OFFICE_NODE_CRASH_AT=point)
    killed.wait(timeout=30)
    desk.office.start("worker")
    assert desk.collected(asked)[1] == {"document": content}
    assert desk.times_asked() == 1


@on_sqlite
def test_what_makes_no_sense_is_refused_before_anything_is_written(new_desk: MakeDesk) -> None:
    desk = new_desk()
    ahead = PriorityDocumentId(desk.document.kind, desk.document.number, clock.now().date() + timedelta(days=3))
    with pytest.raises(DateAhead):
        desk.node.second_filing.retrievals.ask(Wanted(ahead, CODE))
    with pytest.raises(BadAccessCode):
        desk.ask(access_code="x")
    assert desk.node.second_filing.requests.all() == []


@on_sqlite
def test_the_commands_ask_list_and_show(new_desk: MakeDesk) -> None:
    desk = new_desk()
    file = desk.office.settings_file
    named = ["--kind", "patent", "--number", desk.document.number, "--date", "2023-11-02", "--access-code", CODE]
    first = command_line.run(file, "retrievals", "ask", *named, "--for", "XX 1", "--for", "XX 2")
    assert first.exit_code == 0, first.output
    assert [line.split(":")[0] for line in first.stdout.splitlines()] == ["asked", "asked"]
    again = command_line.run(file, "retrievals", "ask", *named, "--for", "XX 2")
    assert again.stdout.startswith("asked before: ")
    listed = command_line.run(file, "retrievals", "list", "--open").stdout
    assert len(listed.splitlines()) == 2
    request_id = listed.split()[0]
    assert command_line.run(file, "retrievals", "show", request_id).stdout == listed.splitlines()[0] + "\n"
    missing = command_line.run(file, "retrievals", "show", "nothing")
    assert (missing.exit_code, missing.stderr[:20]) == (1, "N400 no request noth")
    assert CODE not in first.stdout + listed


def test_another_offices_document_is_neither_served_nor_registered(desk: Desk) -> None:
    content = desk.deposit(paper())
    desk.collected(desk.ask())
    document = desk.document
    wanted = Theirs(document.kind.value, document.number, document.date.isoformat(), CODE)
    answer = desk.office.operator().forward(wanted)
    assert (answer.status_code, [detail["code"] for detail in answer.json()["details"]]) == (400, [-7])
    with pytest.raises(NotInLibrary, match="another office's"):
        desk.node.registrations.submit(document, None, CODE, Details(), "library")
    with pytest.raises(DocumentDiffers, match="collected from WIPO"):
        desk.node.accession.add(io.BytesIO(content), document, CODE)


@on_sqlite
def test_two_applications_requests_under_one_id_both_hear_of_it(new_desk: MakeDesk) -> None:
    desk = new_desk()
    asked = [desk.ask(application=f"XX {number}") for number in (1, 2)]
    with desk.node.database.transaction() as session:
        for one in asked:
            request = session.get_one(RequestRecord, one.request_id)
            request.state, request.acknowledgement_id = "acknowledged", "A1"
    assert desk.node.second_filing.availability.note(RetrievalNews(("A1",), "error", "gone", -7))
    assert [desk.view(one).error_code for one in asked] == [-7, -7]
