"""A document is registered at WIPO, with its content there or in the office's own library."""

import hashlib
from datetime import date

import pytest

from office_node.library.accession import ContentDiffers, DocumentDiffers
from office_node.off_registrations.details import Details
from office_node.off_registrations.overview import OperationView
from office_node.off_registrations.refusals import AccessCodeMissing, NotInLibrary, RegistrationDiffers
from office_node.off_registrations.service import Asked
from office_node.rehearsal.operator import Wanted
from tests.library.inspection.packages import CORE, INDEX, archive, member
from tests.off_registrations.desk import Desk, document, paper
from tests.office import eventually, secrets_in

DETAILS = Details(application_number="US 98/012,357", application_filing_date=date(2023, 11, 2), file_reference="R1")


def test_a_document_is_registered_with_its_content_at_wipo(desk: Desk) -> None:
    content = paper(filler_bytes=300_000)
    view = desk.registered(content, details=DETAILS)
    digest = hashlib.sha256(content).hexdigest()
    [uploaded] = desk.effects("uploaded", str(view.file_id))
    assert (uploaded["key"], uploaded["sha256"], uploaded["bytes"]) == (view.file_id, digest, len(content))
    [registered] = desk.effects("registered")
    assert registered["key"] == desk.key
    assert (registered["times"], registered["fileId"], registered["sha256"]) == (1, view.file_id, digest)
    assert registered["requestAckId"] == view.wipo_acknowledgement_id
    [shown] = desk.node.overview.registrations(*desk.named)
    assert (shown.state, shown.file_id, shown.content_at) == ("registered", view.file_id, "wipo")
    assert shown.wipo_acknowledgement_id == view.wipo_acknowledgement_id


def test_a_document_is_registered_with_its_content_in_the_offices_library(desk: Desk) -> None:
    view = desk.registered(paper(), content_at="library", details=DETAILS)
    assert view.file_id is None
    [registered] = desk.effects("registered")
    assert (registered["key"], registered["times"], registered["fileId"]) == (desk.key, 1, None)


def test_a_document_of_the_library_is_registered_without_being_given_again(desk: Desk) -> None:
    content = desk.add(paper())
    view = desk.ended(desk.node.registrations.submit(document(desk.wanted), None, None, Details(), "wipo"))
    assert view.state == "done"
    [registered] = desk.effects("registered")
    assert registered["sha256"] == hashlib.sha256(content).hexdigest()


def test_registering_the_same_twice_has_one_effect(desk: Desk) -> None:
    content = paper()
    first = desk.submit(content)
    again = desk.submit(content)
    assert (first.is_new, again.is_new) == (True, False)
    assert first.operation_id == again.operation_id
    desk.ended(first)
    assert desk.submit(content).operation_id == first.operation_id
    [registered] = desk.effects("registered")
    assert registered["times"] == 1


def test_what_is_registered_is_not_registered_with_other_data_or_bytes(desk: Desk) -> None:
    content = paper()
    desk.registered(content, details=DETAILS)
    other_date = Wanted(desk.wanted.kind, desk.wanted.number, "2023-11-03", desk.wanted.access_code)
    other_code = Wanted(desk.wanted.kind, desk.wanted.number, desk.wanted.date, "AB22")
    with pytest.raises(ContentDiffers):
        desk.submit(paper("another"))
    with pytest.raises(DocumentDiffers):
        desk.submit(content, other_date)
    with pytest.raises(DocumentDiffers):
        desk.submit(content, other_code)
    with pytest.raises(RegistrationDiffers, match="who keeps the content"):
        desk.submit(content, content_at="library")
    with pytest.raises(RegistrationDiffers, match="application_number"):
        desk.submit(content, details=Details(application_number="US 98/012,358"))
    assert desk.kept().current.version == 1


def test_a_document_that_is_not_there_needs_a_file_and_a_code(desk: Desk) -> None:
    with pytest.raises(NotInLibrary):
        desk.submit(None)
    with pytest.raises(AccessCodeMissing):
        desk.node.registrations.submit(document(desk.wanted), None, None, Details(), "wipo")


def test_wipo_may_take_its_time_to_decide(desk: Desk) -> None:
    desk.pace(pending_seconds=1.0)
    asked = desk.submit(paper(), content_at="library")
    eventually(lambda: [one for one in desk.node.overview.registrations(*desk.named) if one.state == "submitted"])
    assert desk.ended(asked).state == "done"
    [registered] = desk.effects("registered")
    assert registered["times"] == 1


def test_a_file_may_be_checked_for_a_while(desk: Desk) -> None:
    desk.pace(file_check_seconds=1.5)
    view = desk.registered(paper())
    assert view.file_id


def test_row_21_an_upload_address_that_has_expired_is_renewed(desk: Desk) -> None:
    desk.pace(upload_url_seconds=0)  # expired as soon as it is given
    asked = desk.submit(paper())
    eventually(lambda: "store answered 403" in str(_now(desk, asked).reason))
    file_id = _now(desk, asked).file_id
    desk.pace(upload_url_seconds=60)
    view = desk.ended(asked)
    assert (view.state, view.file_id) == ("done", file_id), "the file id stays the same"


def test_row_21_an_address_called_expired_after_the_bytes_came_ends_well(desk: Desk) -> None:
    desk.pace(file_check_seconds=0)  # accepted as soon as it came
    desk.script("uploads", {"status": 403, "after_effect": True})
    view = desk.registered(paper())
    assert view.state == "done"
    [uploaded] = desk.effects("uploaded", str(view.file_id))
    assert uploaded["times"] == 1


def test_no_secret_stands_in_the_log(desk: Desk) -> None:
    desk.registered(paper(), details=DETAILS)
    text = desk.office.log_file.read_text()
    assert "content sent to WIPO's store" in text
    assert secrets_in(text) == []
    assert "/store/" not in text


def _now(desk: Desk, asked: Asked) -> OperationView:
    return desk.node.overview.operation(str(asked.operation_id))


def test_a_package_is_registered_as_the_zip_it_is(one_desk: Desk) -> None:
    content = archive(CORE, member("index.xml", INDEX))
    view = one_desk.registered(content)
    [requested] = one_desk.effects("file requested", str(view.file_id))
    assert requested["fileFormatCategory"] == "zip"
    [registered] = one_desk.effects("registered")
    assert registered["sha256"] == hashlib.sha256(content).hexdigest()
