"""The worker is killed with -9 at each named step of telling WIPO: WIPO ends with one registration, one change."""

import hashlib
import io
from collections.abc import Callable
from datetime import date

import pytest

from office_node.crash_points import CRASH_POINTS
from office_node.off_registrations.details import Corrections
from office_node.off_registrations.service import Asked
from tests.conftest import MakeOffice
from tests.databases import on_sqlite, postgresql_in_make_faults
from tests.off_registrations.conftest import QUICK
from tests.off_registrations.desk import Desk, make_desk, paper
from tests.office import eventually

pytestmark = pytest.mark.fault

STEPS = [point for point in CRASH_POINTS if point.startswith(("upload", "registration"))]


def _desk(new_office: MakeOffice) -> Desk:
    office = new_office(QUICK)
    office.upgrade()
    office.start_central()
    return make_desk(office)


@postgresql_in_make_faults
@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_at_a_step_leaves_one_registration(new_office: MakeOffice, step: str) -> None:
    desk = _desk(new_office)
    content = paper(filler_bytes=3_000_000)
    asked = desk.submit(content)
    dying = desk.office.start("worker", OFFICE_NODE_CRASH_AT=step)
    assert dying.wait(timeout=60) == -9, "it did not come to that step"
    assert desk.node.overview.operation(str(asked.operation_id)).state == "waiting"

    desk.office.start("worker")
    assert desk.ended(asked).state == "done"
    [registered] = desk.effects("registered")
    assert (registered["key"], registered["times"]) == (desk.key, 1)
    assert registered["sha256"] == hashlib.sha256(content).hexdigest()
    assert desk.state() == "registered"
    eventually(lambda: not desk.office.waiting())
    desk.node.database.close()


CHANGES: dict[str, Callable[[Desk], Asked]] = {
    "corrected": lambda desk: desk.node.registrations.correct(*desk.named, Corrections(filing_date=date(2023, 11, 3))),
    "replaced": lambda desk: desk.node.registrations.replace(*desk.named, io.BytesIO(paper("new"))),
    "withdrawn": lambda desk: desk.node.registrations.withdraw(*desk.named),
}


@postgresql_in_make_faults
@pytest.mark.parametrize("step", [point for point in CRASH_POINTS if point.startswith("registration")])
@pytest.mark.parametrize("effect", CHANGES)
def test_a_worker_killed_while_it_tells_of_a_change_leaves_one_change(
    new_office: MakeOffice, effect: str, step: str
) -> None:
    desk = _desk(new_office)
    worker = desk.office.start("worker")
    desk.registered(paper("old"))
    worker.terminate()
    worker.wait()
    asked = CHANGES[effect](desk)
    dying = desk.office.start("worker", OFFICE_NODE_CRASH_AT=step)
    assert dying.wait(timeout=60) == -9, "it did not come to that step"

    desk.office.start("worker")
    assert desk.ended(asked).state == "done"
    assert [entry["effect"] for entry in desk.effects("") if entry["key"].startswith(desk.key)] == [
        "registered",
        effect,
    ]
    assert desk.state() == ("withdrawn" if effect == "withdrawn" else "corrected")
    eventually(lambda: not desk.office.waiting())
    desk.node.database.close()


@on_sqlite
def test_a_worker_killed_while_wipo_holds_its_answer_leaves_one_registration(new_office: MakeOffice) -> None:
    desk = _desk(new_office)
    desk.script("registrations", {"hold_seconds": 60, "after_effect": True})
    asked = desk.submit(paper(), content_at="library")
    worker = desk.office.start("worker")
    eventually(lambda: desk.effects("registered"))
    worker.kill()
    worker.wait()

    desk.office.start("worker")
    view = desk.ended(asked)
    assert (view.state, view.result) == ("done", {"found": "registered, when asked before a repeat"})
    [registered] = desk.effects("registered")
    assert registered["times"] == 1
    desk.node.database.close()
