"""Notifications as fast as they come: none is an error, each is written down, once."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select, update

from office_node.osf_retrievals.records import RequestRecord
from office_node.outbox.records import OutboxRecord
from tests.conftest import MakeOffice
from tests.databases import on_sqlite
from tests.office import Office
from tests.osf_retrievals.desk import Desk, make_desk

pytestmark = [pytest.mark.fault, pytest.mark.timeout(900)]
CALLERS = 8


@on_sqlite
@pytest.mark.parametrize("count", [200, pytest.param(10_000, marks=pytest.mark.long)])
def test_row_36_every_notification_is_heard_once(new_office: MakeOffice, record_property: Any, count: int) -> None:
    office = new_office(
        overrides={"ingress": {"rate_per_client": "100000/second", "rate_per_address": "100000/second"}}
    )
    office.upgrade()
    office.start_web()
    desk = make_desk(office)
    names = _asked(desk, count)
    began = time.monotonic()
    with ThreadPoolExecutor(CALLERS) as pool:
        took = sorted(
            seconds
            for each in pool.map(lambda n: _notify(office, names[n::CALLERS]), range(CALLERS))
            for seconds in each
        )
    seconds = time.monotonic() - began
    record_property("figure", f"{count / seconds:.0f}/s, p95 {took[int(0.95 * len(took))] * 1000:.0f} ms")
    with desk.node.database.reading() as session:
        heard = session.scalar(select(func.count()).where(RequestRecord.state == "available"))
    assert heard == count
    assert len(desk.node.outbox.messages()) == count
    desk.node.database.close()


def _asked(desk: Desk, count: int) -> list[str]:
    """So many requests that WIPO has acknowledged."""
    for _ in range(count):
        desk.with_another_document().ask()
    with desk.node.database.transaction() as session:
        ids = list(session.scalars(select(RequestRecord.id)))
        for number, request_id in enumerate(ids):
            session.execute(
                update(RequestRecord)
                .where(RequestRecord.id == request_id)
                .values(
                    state="acknowledged", acknowledgement_id=f"WIPO-{number}", first_sent_at=func.current_timestamp()
                )
            )
        session.execute(update(_messages()).values(state="settled"))
    return [f"WIPO-{number}" for number in range(count)]


def _messages() -> Any:

    return OutboxRecord


def _notify(office: Office, names: list[str]) -> list[float]:
    operator, took = office.operator(), []
    for name in names:
        began = time.monotonic()
        answer = operator.call("POST", "notifications", json={"requestAckId": name, "requestStatusCategory": "success"})
        took.append(time.monotonic() - began)
        assert answer.status_code == 204, answer.text
    return took
