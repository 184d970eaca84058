"""WIPO is asked for the status and the certificate of a document."""

import pytest

from office_node.library.damage import FileMissing
from office_node.off_registrations.refusals import NotInLibrary
from office_node.off_registrations.states import Verb
from tests.off_registrations.desk import Desk, paper


def test_the_status_is_what_wipo_says_of_the_document_and_of_the_registration(desk: Desk) -> None:
    registered = desk.registered(paper())
    view = desk.ended(desk.node.registrations.ask(Verb.STATUS, *desk.named))
    assert view.result == {
        "document": {"registered": True, "numbers": [], "said": "success"},
        "registration": {
            "wipo_acknowledgement_id": registered.wipo_acknowledgement_id,
            "status": "success",
            "said": "success",
        },
    }


def test_a_document_that_wipo_does_not_know_has_a_status_too(desk: Desk) -> None:
    desk.add(paper())
    view = desk.ended(desk.node.registrations.ask(Verb.STATUS, *desk.named))
    assert view.state == "done"
    assert view.result
    assert (view.result["document"]["registered"], view.result["document"]["numbers"]) == (False, [-7])


def test_a_certificate_is_fetched_once_and_kept(desk: Desk) -> None:
    desk.registered(paper())
    view = desk.ended(desk.node.registrations.ask(Verb.CERTIFICATE, *desk.named))
    assert view.result
    with desk.node.certificates.open(view.operation_id) as file:
        content = file.read()
    assert content.startswith(b"%PDF-")
    assert len(content) == view.result["bytes"]


def test_there_is_no_certificate_of_what_is_not_registered(desk: Desk) -> None:
    desk.add(paper())
    view = desk.ended(desk.node.registrations.ask(Verb.CERTIFICATE, *desk.named))
    assert (view.state, "-7" in str(view.reason)) == ("refused", True)
    with pytest.raises(FileMissing):
        desk.node.certificates.open(view.operation_id)


def test_nothing_is_asked_about_what_is_not_in_the_library(desk: Desk) -> None:
    with pytest.raises(NotInLibrary):
        desk.node.registrations.ask(Verb.STATUS, *desk.named)
