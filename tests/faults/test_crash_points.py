"""Every named point at which a process may die, one after the other, while exchanges of every kind run.

Whoever gets to the point first, a worker or a web process, kills itself with -9 there; `serve` starts it again. At the
end WIPO's ledger equals what was intended, and nothing waits. Rows 1, 2, 3, 5 and 6 of reliability.md 2.
"""

import json
from pathlib import Path

import pytest

from office_node.crash_points import CRASH_POINTS
from office_node.storage import schema
from office_node.storage.database import Database
from tests.conftest import MakeOffice
from tests.databases import postgresql_in_make_faults
from tests.faults.exchanges import QUICK, Exchanges, assert_sound, exchanging
from tests.intake.dropping import AT_ONCE, drop, numbered
from tests.office import Office, eventually

pytestmark = pytest.mark.fault

ELSEWHERE = ("migration: a step is done", "rewrapping: a batch is wrapped anew")
"""No exchange comes to them: the one is tried below, the other in tests/library/test_storage_key_rotation.py."""
ONCE = ("backup: written, not named",)
"""Points that are passed once only."""
IN_MAKE_TEST = (
    "retrieval: written down, not answered",
    "accession: kept, not catalogued",
    "backup: written, not named",
)
"""Most others have tests of their own that are quicker; `make faults` tries them all."""


def _cases() -> list[object]:
    cases: list[object] = []
    for point in CRASH_POINTS:
        for seed in (1, 2, 3) if point not in ELSEWHERE else ():
            in_make_test = point in IN_MAKE_TEST and seed == 1
            marks = [] if in_make_test else [pytest.mark.long]
            cases.append(pytest.param(point, seed, marks=marks, id=f"{point}-{seed}"))
    return cases


@postgresql_in_make_faults
@pytest.mark.parametrize(("point", "seed"), _cases())
def test_row_03_a_process_that_dies_at_a_point_leaves_what_was_intended(
    new_office: MakeOffice, tmp_path: Path, point: str, seed: int
) -> None:
    office = new_office(overrides={**QUICK, **AT_ONCE, "backup": {"folder": str(tmp_path / "backups")}})
    office.upgrade()
    office.start_central()
    marker = tmp_path / "killed"
    passing = "1" if point in ONCE else str(1 + seed % 2)
    office.start_web(
        "serve", OFFICE_NODE_CRASH_AT=point, OFFICE_NODE_CRASH_PASS=passing, OFFICE_NODE_CRASH_ONCE=str(marker)
    )
    with exchanging(office, seed) as exchanges:
        _exchange(exchanges)
        eventually(marker.exists)
        assert exchanges.differences() == []
    assert_sound(office)
    _drops_are_done(office)
    assert len(list((tmp_path / "backups").glob("backup-*"))) == 1


def _exchange(exchanges: Exchanges) -> None:
    intake = exchanges.office.settings().intake
    assert intake
    for number in range(3):
        drop(intake.folder, f"drop{number}", numbered(500 + number))
    drop(intake.folder, "bad", {"kind": "poem"})
    daily = exchanges.registry.node.daily_backup()
    assert daily
    daily.ask()
    exchanges.begin(14)
    exchanges.end(250)


def _drops_are_done(office: Office) -> None:
    intake = office.settings().intake
    assert intake
    for number in range(3):
        result = json.loads((intake.folder / "done" / f"drop{number}.result.json").read_text())
        assert result["outcome"] == "done"
        [entry] = [one for one in office.ledger("registered") if one["key"].endswith(f"98/{500 + number},357")]
        assert entry["times"] == 1
    assert (intake.folder / "refused" / "bad.result.json").exists()


@pytest.mark.parametrize("passing", [1, 3, 7])
def test_row_06_a_migration_that_dies_at_a_step_is_done_by_the_next(new_office: MakeOffice, passing: int) -> None:
    office = new_office()
    database = Database(office.settings().database.url)
    schema.upgrade(database)
    schema.downgrade(database, "base")
    died = office.run(
        "db", "upgrade", OFFICE_NODE_CRASH_AT="migration: a step is done", OFFICE_NODE_CRASH_PASS=str(passing)
    )
    assert died.returncode == -9
    assert schema.current(database) is None, "all of it or nothing"
    assert office.run("db", "upgrade").returncode == 0
    schema.check(database)
    database.close()
