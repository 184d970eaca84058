"""What is registered is corrected, replaced and withdrawn; the catalogue and what is served follow."""

import io
from datetime import date

import pytest

from office_node.library.filing_dates import DateAhead
from office_node.off_registrations.details import Corrections, Details
from office_node.off_registrations.refusals import (
    BeingWithdrawn,
    NothingToCorrect,
    NothingToReplace,
    NotInLibrary,
    NotRegistered,
)
from office_node.off_registrations.service import Asked
from office_node.off_registrations.states import Verb
from tests.off_registrations.desk import Desk, MakeDesk, paper
from tests.office import eventually


def _correct(desk: Desk, **corrections: object) -> Asked:
    return desk.node.registrations.correct(*desk.named, Corrections(**corrections))  # type: ignore[arg-type]


def _replace(desk: Desk, content: bytes) -> Asked:
    return desk.node.registrations.replace(*desk.named, io.BytesIO(content))


def test_a_corrected_date_and_code_reach_wipo_and_then_count_here(desk: Desk) -> None:
    desk.registered(paper(), details=Details(application_number="US 1"))
    asked = _correct(desk, filing_date=date(2023, 11, 3), access_code="cd34", application_number="US 2")
    assert desk.ended(asked).state == "done"
    [corrected] = desk.effects("corrected")
    assert (corrected["times"], corrected["documentDate"], corrected["applicationNumber"]) == (1, "2023-11-03", "US 2")
    assert desk.kept().document.date == date(2023, 11, 3)
    assert desk.node.library.access_code_matches(desk.kept(), "CD34")
    [shown] = desk.node.overview.registrations(*desk.named)
    assert (shown.state, shown.date, shown.application_number) == ("corrected", date(2023, 11, 3), "US 2")
    with pytest.raises(NothingToCorrect):
        _correct(desk, filing_date=date(2023, 11, 3), access_code="CD34")


def test_until_wipo_has_taken_a_correction_the_old_data_count(desk: Desk) -> None:
    desk.registered(paper())
    desk.script("registrations", *({"status": 503} for _ in range(2)))
    asked = _correct(desk, filing_date=date(2023, 11, 3))
    assert desk.kept().document.date == date(2023, 11, 2)
    assert desk.ended(asked).state == "done"
    assert desk.kept().document.date == date(2023, 11, 3)


def test_a_refused_correction_changes_nothing(desk: Desk) -> None:
    desk.registered(paper())
    desk.script("registrations", {"status": 400})
    view = desk.ended(_correct(desk, filing_date=date(2023, 11, 3)))
    assert (view.state, "scripted" in str(view.reason)) == ("refused", True)
    assert desk.kept().document.date == date(2023, 11, 2)
    [shown] = desk.node.overview.registrations(*desk.named)
    assert shown.state == "registered"


def test_what_is_not_registered_is_corrected_in_the_catalogue_at_once(desk: Desk) -> None:
    desk.add(paper())
    assert _correct(desk, filing_date=date(2023, 11, 3), access_code="CD34") == Asked(None, is_new=True)
    assert desk.kept().document.date == date(2023, 11, 3)
    assert desk.node.library.access_code_matches(desk.kept(), "CD34")
    with pytest.raises(NotRegistered):
        _correct(desk, email="a@example.org")
    with pytest.raises(DateAhead):
        _correct(desk, filing_date=date(2999, 1, 1))
    assert desk.kept().document.date == date(2023, 11, 3)


def test_a_replaced_content_is_a_new_version_and_the_old_one_is_kept(desk: Desk) -> None:
    old, new = paper("old"), paper("new", filler_bytes=100_000)
    desk.registered(old)
    first = desk.kept().current
    view = desk.ended(_replace(desk, new))
    assert view.state == "done"
    [replaced] = desk.effects("replaced")
    assert (replaced["times"], replaced["fileId"], replaced["sha256"]) == (1, view.file_id, desk.kept().current.sha256)
    assert desk.kept().current.version == 2
    with desk.node.library.open(first) as file:
        assert file.read() == old
    with pytest.raises(NothingToReplace):
        _replace(desk, new)


def test_a_content_that_the_office_keeps_is_replaced_without_an_upload(desk: Desk) -> None:
    desk.registered(paper("old"), content_at="library")
    view = desk.ended(_replace(desk, paper("new")))
    assert (view.state, view.file_id) == ("done", None)
    assert desk.kept().current.version == 2


def test_what_is_not_registered_is_not_replaced(desk: Desk) -> None:
    with pytest.raises(NotInLibrary):
        _replace(desk, paper())
    desk.add(paper("old"))
    with pytest.raises(NotRegistered):
        _replace(desk, paper("new"))
    assert desk.kept().current.version == 1


def test_a_withdrawn_document_is_withdrawn_at_wipo_and_no_longer_served_here(desk: Desk) -> None:
    desk.registered(paper(), content_at="library")
    wipo = desk.office.operator()
    acknowledgement_id = wipo.forward(desk.wanted).json()["requestAckId"]
    eventually(lambda: desk.effects("notified", acknowledgement_id))
    url = wipo.locate(desk.wanted, acknowledgement_id).json()["fileDownloadUrl"]
    assert wipo.fetch(url).status_code == 200

    asked = desk.node.registrations.withdraw(*desk.named)
    assert wipo.fetch(url).status_code == 410, "at once, whenever WIPO hears of it"
    refused = wipo.forward(desk.wanted)
    assert (refused.status_code, refused.json()["details"][0]["code"]) == (400, -7)
    assert desk.ended(asked).state == "done"
    [withdrawn] = desk.effects("withdrawn")
    assert (withdrawn["key"], withdrawn["times"]) == (desk.key, 1)
    assert desk.node.overview.registrations(*desk.named)[0].state == "withdrawn"
    assert desk.node.registrations.withdraw(*desk.named) == Asked(None, is_new=True), "nothing is left to withdraw"


def test_who_waits_for_a_document_that_is_withdrawn_is_told(new_desk: MakeDesk) -> None:
    desk = new_desk(worker=False)
    desk.office.start_web()
    desk.add(paper())
    acknowledgement_id = desk.office.operator().forward(desk.wanted).json()["requestAckId"]
    desk.node.registrations.withdraw(*desk.named)
    desk.office.start("worker")
    [told] = eventually(lambda: desk.effects("notified"))
    assert (told["key"], told["notification"]["requestStatusCategory"]) == (acknowledgement_id, "error")


def test_a_document_withdrawn_before_wipo_heard_of_it_is_never_told(new_desk: MakeDesk) -> None:
    desk = new_desk(worker=False)
    first = desk.submit(paper("old"))
    later = [_replace(desk, paper("new")), _correct(desk, filing_date=date(2023, 11, 3))]
    assert desk.node.registrations.withdraw(*desk.named) == Asked(None, is_new=True)
    for asked in (first, *later):
        view = desk.ended(asked)
        assert (view.state, view.reason) == ("refused", "withdrawn before WIPO heard of it")
    desk.office.start("worker")
    eventually(lambda: not desk.office.waiting())
    assert desk.effects("") == []


def test_a_withdrawn_document_may_be_registered_anew(desk: Desk) -> None:
    content = paper()
    desk.registered(content)
    desk.ended(desk.node.registrations.withdraw(*desk.named))
    desk.registered(content)
    assert {entry["key"]: entry["times"] for entry in desk.effects("registered")} == {desk.key: 1, f"{desk.key} #2": 1}
    assert desk.kept().withdrawn_at is None


def test_what_is_asked_about_one_document_is_told_in_turn(desk: Desk) -> None:
    desk.script("file_status", *({"status": 503, "retry_after": 0} for _ in range(3)))
    asked = [
        desk.submit(paper("old")),
        _replace(desk, paper("new")),
        _correct(desk, filing_date=date(2023, 11, 3)),
        desk.node.registrations.ask(Verb.STATUS, *desk.named),
    ]
    assert [desk.ended(one).state for one in asked] == ["done"] * 4
    effects = [entry["effect"] for entry in desk.office.ledger("") if entry["key"].startswith(desk.key)]
    assert effects == ["registered", "replaced", "corrected"]


def test_a_correction_that_wipo_has_not_decided_is_waited_for(desk: Desk) -> None:
    desk.registered(paper())
    pending = {"requestAckId": "R-PENDING", "requestStatusCategory": "pending"}
    decided = {"requestAckId": "R-PENDING", "requestStatusCategory": "error", "errorCode": -9, "statusMessage": "no"}
    desk.script("registrations", {"status": 200, "body": pending}, {"status": 200, "body": decided})
    view = desk.ended(_correct(desk, filing_date=date(2023, 11, 3)))
    assert (view.state, view.reason) == ("refused", "WIPO answered error: -9 no")
    assert desk.kept().document.date == date(2023, 11, 2)


def test_a_correction_is_taken_back_though_the_first_still_waits(new_desk: MakeDesk) -> None:
    desk = new_desk(worker=False)
    desk.submit(paper())
    _correct(desk, filing_date=date(2023, 11, 3), access_code="CD34")
    back = _correct(desk, filing_date=date(2023, 11, 2), access_code="AB21")
    again = _correct(desk, filing_date=date(2023, 11, 2), access_code="ab21")
    assert (again.operation_id, again.is_new) == (back.operation_id, False)
    desk.office.start("worker")
    assert desk.ended(back).state == "done"
    assert desk.kept().document.date == date(2023, 11, 2)
    assert desk.node.library.access_code_matches(desk.kept(), "AB21")


def test_a_withdrawal_overtakes_what_wipo_has_not_been_told_yet(new_desk: MakeDesk) -> None:
    desk = new_desk()
    desk.registered(paper("old"))
    desk.office.processes[-1].terminate()
    desk.office.processes[-1].wait()
    replaced, withdrawn = _replace(desk, paper("new")), desk.node.registrations.withdraw(*desk.named)
    assert desk.ended(replaced).reason == "overtaken by the withdrawal"
    with pytest.raises(BeingWithdrawn):
        desk.submit(None)
    desk.office.start("worker")
    assert desk.ended(withdrawn).state == "done"
    assert desk.effects("replaced") == []


def test_what_wipo_does_not_let_withdraw_may_be_served_again(desk: Desk) -> None:
    content = paper()
    desk.registered(content)
    desk.script("registrations", {"status": 400})
    assert desk.ended(desk.node.registrations.withdraw(*desk.named)).state == "refused"
    assert desk.kept().withdrawn_at
    assert desk.submit(content).is_new is False
    assert desk.kept().withdrawn_at is None


def test_what_is_submitted_anew_is_served_once_wipo_has_registered_it(desk: Desk) -> None:
    content = paper()
    desk.registered(content)
    desk.ended(desk.node.registrations.withdraw(*desk.named))
    desk.script("registrations", {"status": 400})
    assert desk.ended(desk.submit(content)).state == "refused"
    assert desk.kept().withdrawn_at


def test_a_replaced_content_is_what_wipo_gets_from_then_on(desk: Desk) -> None:
    desk.registered(paper("old"), content_at="library")
    wipo = desk.office.operator()
    acknowledgement_id = wipo.forward(desk.wanted).json()["requestAckId"]
    eventually(lambda: desk.effects("notified", acknowledgement_id))
    old_link = wipo.locate(desk.wanted, acknowledgement_id).json()["fileDownloadUrl"]
    new = paper("new")
    desk.ended(_replace(desk, new))
    assert wipo.fetch(old_link).status_code == 410
    link = wipo.locate(desk.wanted, acknowledgement_id).json()["fileDownloadUrl"]
    assert wipo.fetch(link).content == new
