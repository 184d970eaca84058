"""Offices of second filing, with a worker, web processes and a simulated WIPO beside them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from tests.conftest import MakeOffice
from tests.office import make_office
from tests.osf_retrievals.desk import Desk, make_desk

MakeDesk = Callable[..., Desk]
QUICK: dict[str, dict[str, Any]] = {
    "outbox": {"lease_seconds": 3, "first_retry_seconds": 0.05},
    "wipo": {"total_seconds": 2, "read_seconds": 1.9, "stall_seconds": 1.9},
    "osf": {"poll_seconds": 1},
}
UNHURRIED = {
    "prepare_seconds": 0,
    "notifications": 1,
    "download_url_seconds": 900,
    "merged": 0,
    "late_errors": 0,
    "cut_download_bytes": 0,
    "spoilt_downloads": 0,
    "without_etag": 0,
}


def _sections(overrides: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: {**QUICK.get(name, {}), **overrides.get(name, {})} for name in {*QUICK, *overrides}}


@pytest.fixture
def new_desk(new_office: MakeOffice) -> Iterator[MakeDesk]:
    """Makes desks: `new_desk("worker", "web", osf={...})`; simulated WIPO runs, and what is named."""
    made: list[Desk] = []

    def new(*processes: str, **overrides: dict[str, Any]) -> Desk:
        office = new_office(_sections(overrides))
        office.upgrade()
        office.start_central()
        for process in processes:
            office.start_web(process) if process != "worker" else office.start(process)
        made.append(make_desk(office).with_another_document())
        made[-1].pace(**UNHURRIED)
        return made[-1]

    yield new
    for desk in made:
        desk.node.database.close()
    structlog.contextvars.clear_contextvars()


@pytest.fixture(scope="session")
def shared_desk(tmp_path_factory: pytest.TempPathFactory, keys_folder: Any) -> Iterator[Desk]:
    """One office on SQLite for all tests, where everything runs: starting processes is what takes the time."""
    office = make_office(tmp_path_factory.mktemp("osf"), keys_folder, None, QUICK)
    office.upgrade()
    office.start_central()
    office.start_web("serve")
    desk = make_desk(office)
    yield desk
    desk.node.database.close()
    office.close()


@pytest.fixture
def desk(shared_desk: Desk) -> Iterator[Desk]:
    """The shared office, and a document of the test's own."""
    shared_desk.pace(**UNHURRIED)
    yield shared_desk.with_another_document()
    structlog.contextvars.clear_contextvars()
