"""Workers killed with -9 while they take and hand back: no pair is lost, none stays, none has two effects."""

import json
import time
from pathlib import Path

import pytest

from office_node.crash_points import CRASH_POINTS
from tests.conftest import MakeOffice
from tests.databases import postgresql_in_make_faults
from tests.intake.dropping import AT_ONCE, REQUEST, bench_of, drop, numbered
from tests.office import Office, eventually

pytestmark = pytest.mark.fault

QUICK = {
    **AT_ONCE,
    "wipo": {"total_seconds": 1.5, "read_seconds": 1.4},
    "outbox": {"lease_seconds": 2},
    "off": {"content": "wipo"},
}
POINTS = [point for point in CRASH_POINTS if point.startswith("intake:")]
CORRECTION = {"operation": "correct", "kind": "patent", "number": REQUEST["number"], "new_date": "2023-11-03"}


def _wipo(new_office: MakeOffice) -> Office:
    office = new_office(overrides=QUICK)
    office.upgrade()
    office.start_central()
    return office


def _intake(office: Office) -> Path:
    return office.folder / "var" / "intake"


def _has(office: Office, *results: str) -> bool:
    return all((_intake(office) / f"{result}.result.json").exists() for result in results)


def _places(office: Office) -> dict[str, list[str]]:
    """Files by place, but for those a kill leaves half written under a hidden name: housekeeping has a day for them
    (tests/intake/test_left_alone.py)."""
    places = {"": _intake(office), **{name: _intake(office) / name for name in ("taken", "done", "refused")}}
    return {name: _visible(place) for name, place in places.items()}


def _visible(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir() if path.is_file() and not path.name.startswith("."))


@postgresql_in_make_faults
@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_anywhere_leaves_one_effect_and_every_pair_in_its_place(
    new_office: MakeOffice, point: str
) -> None:
    office = _wipo(new_office)
    drop(_intake(office), "good", REQUEST)
    drop(_intake(office), "bad", {"kind": "poem"})
    assert office.run("worker", OFFICE_NODE_CRASH_AT=point).returncode == -9
    office.start("worker")
    eventually(lambda: _has(office, "done/good", "refused/bad") and not office.waiting())
    assert _places(office) == {
        "": [],
        "taken": [],
        "done": ["good.json", "good.pdf", "good.result.json"],
        "refused": ["bad.json", "bad.pdf", "bad.result.json"],
    }
    assert [entry["times"] for entry in office.ledger("registered")] == [1]
    with bench_of(office) as bench:
        [registration] = bench.node.overview.registrations()
    assert json.loads((_intake(office) / "done" / "good.result.json").read_text())["fileId"] == registration.file_id


@postgresql_in_make_faults
@pytest.mark.parametrize("point", ["intake: taken, nothing asked for", "intake: asked for, not settled"])
def test_a_worker_killed_while_it_asks_for_a_correction_asks_once(new_office: MakeOffice, point: str) -> None:
    office = _wipo(new_office)
    drop(_intake(office), "A", REQUEST)
    worker = office.start("worker")
    eventually(lambda: _has(office, "done/A"))
    worker.terminate()
    worker.wait()
    drop(_intake(office), "B", CORRECTION, None)
    assert office.run("worker", OFFICE_NODE_CRASH_AT=point).returncode == -9
    office.start("worker")
    eventually(lambda: _has(office, "done/B") and not office.waiting())
    assert [entry["times"] for entry in office.ledger("corrected")] == [1]
    assert not _has(office, "refused/B")


@postgresql_in_make_faults
def test_workers_killed_at_any_moment_take_every_pair_once(new_office: MakeOffice) -> None:
    office = _wipo(new_office)
    for number in range(100, 130):
        drop(_intake(office), f"N{number}", numbered(number))
    for started in range(1, 6):
        worker = office.start("worker")
        eventually(lambda: office.told("worker started") == started)  # noqa: B023
        time.sleep(0.25 * started)
        worker.kill()
        worker.wait()
    office.start("worker")
    eventually(lambda: len(_places(office)["done"]) == 90 and not office.waiting(), 250)
    assert {name: len(files) for name, files in _places(office).items()} == {
        "": 0,
        "taken": 0,
        "done": 90,
        "refused": 0,
    }
    assert [entry["times"] for entry in office.ledger("registered")] == [1] * 30
