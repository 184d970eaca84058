"""WIPO says that a document is available, in any of the ways it may say it; or it is asked."""

import time
from typing import Any

import pytest
import requests

from tests.databases import on_sqlite
from tests.office import eventually
from tests.osf_retrievals.conftest import MakeDesk
from tests.osf_retrievals.desk import CODE, Desk, paper


@on_sqlite
def test_an_office_that_polls_hosts_nothing_and_hears_all(new_desk: MakeDesk) -> None:
    desk = new_desk("serve", osf={"mode": "polling"})
    content = desk.deposit(paper())
    assert desk.notify({"requestAckId": "a", "requestStatusCategory": "success"}).status_code == 404
    assert desk.collected(desk.ask())[1] == {"document": content}


@on_sqlite
def test_an_office_that_is_notified_does_not_ask(new_desk: MakeDesk) -> None:
    desk = new_desk("serve", osf={"mode": "notified"})
    desk.pace(notifications=0)
    desk.deposit(paper())
    asked = desk.ask()
    eventually(lambda: desk.view(asked).state == "acknowledged")
    time.sleep(2.5)  # two polls of a second each would have been by now
    visits = requests.get(f"{desk.office.central_url}/rehearsal/visits", timeout=30).json()
    assert visits["retrievals"] == 1, "only the question itself"
    name = desk.view(asked).acknowledgement_id
    assert desk.notify({"requestAckId": name, "requestStatusCategory": "success"}).status_code == 204
    desk.collected(asked)


def test_with_both_the_poll_is_the_net(desk: Desk) -> None:
    desk.pace(notifications=0)
    content = desk.deposit(paper())
    assert desk.collected(desk.ask())[1] == {"document": content}


def test_a_notification_that_comes_again_and_again_changes_nothing(desk: Desk) -> None:
    desk.pace(notifications=4)
    desk.deposit(paper())
    asked = desk.ask()
    desk.collected(asked)
    eventually(
        lambda: (
            sum(
                entry["times"]
                for entry in desk.office.ledger("told")
                if entry["key"] == desk.view(asked).acknowledgement_id
            )
            == 4
        )
    )
    message = {"requestAckId": desk.view(asked).acknowledgement_id, "requestStatusCategory": "error", "errorCode": -7}
    assert desk.notify(message).status_code == 204
    assert desk.view(asked).state == "collected"
    assert desk.steps().count("WIPO made it available") == 1


def held(desk: Desk) -> tuple[Any, str]:
    """A request that WIPO has acknowledged, and of which it says nothing by itself."""
    desk.pace(notifications=0, prepare_seconds=600)
    desk.deposit(paper())
    asked = desk.ask()
    eventually(lambda: desk.view(asked).state == "acknowledged")
    return asked, str(desk.view(asked).acknowledgement_id)


@pytest.mark.parametrize("name", ["requestAckId", "osfAckId", "offAckId", "ackId"])
@pytest.mark.parametrize("prefix", ["/das-api/v1", "/das/v1", ""])
def test_the_id_is_understood_under_every_name_and_path(desk: Desk, name: str, prefix: str) -> None:
    asked, acknowledgement_id = held(desk)
    answer = desk.notify({name: acknowledgement_id, "requestStatusCategory": "error", "errorCode": "-12"}, prefix)
    assert (answer.status_code, answer.content) == (204, b"")
    assert (desk.view(asked).state, desk.view(asked).error_code) == ("refused", -12)


@pytest.mark.parametrize("wrapper", ["documentNotificationRetrievalStatus", "DocumentAvailability"])
def test_a_wrapped_notification_is_understood(desk: Desk, wrapper: str) -> None:
    asked, acknowledgement_id = held(desk)
    message = {"requestAckId": acknowledgement_id, "requestStatusCategory": "error", "statusMessage": "it is gone"}
    assert desk.notify({wrapper: message}).status_code == 204
    assert desk.view(asked).reason == "WIPO: error: it is gone"


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ({"requestAckId": "nobodys", "requestStatusCategory": "success"}, 404),
        ({"requestStatusCategory": "success"}, 400),
        ({"requestAckId": {"a": 1}}, 400),
        ({"requestAckId": "x" * 5000}, 400),
        ([], 400),
        ("text", 400),
    ],
    ids=["unknown", "no id", "id is an object", "long id", "a list", "text"],
)
def test_what_is_no_notification_of_ours_is_refused(desk: Desk, message: Any, status: int) -> None:
    assert desk.notify(message).status_code == status


def test_without_a_token_nobody_notifies(desk: Desk) -> None:
    message = {"requestAckId": "nobodys", "requestStatusCategory": "success"}
    assert desk.office.stranger().call("POST", "notifications", json=message).status_code == 401


def test_row_17_a_notification_before_the_answer_to_the_question_finds_its_request(desk: Desk) -> None:
    """Out of order: the answer of E11 is held back, and meanwhile WIPO notifies."""
    content = desk.deposit(paper())
    desk.script("retrievals", {"hold_seconds": 1.5})
    asked = desk.ask()
    assert desk.collected(asked)[1] == {"document": content}
    assert desk.times_asked() == 1
    assert CODE not in str(desk.history())
