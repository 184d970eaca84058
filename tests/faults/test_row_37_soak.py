"""Twenty exchanges a second with two faults in a hundred, for ten minutes: memory and handles stay flat."""

import threading
import time
from collections import defaultdict
from typing import Any

import psutil
import pytest
import requests

from tests.conftest import MakeOffice
from tests.databases import postgresql_in_make_faults
from tests.faults.exchanges import QUICK, uncoded_errors
from tests.office import WANTED, Office, eventually, pdf

pytestmark = [pytest.mark.fault, pytest.mark.timeout(1500)]
PER_SECOND = 20


@postgresql_in_make_faults
@pytest.mark.parametrize("seconds", [5, pytest.param(600, marks=pytest.mark.long)])
def test_row_37_memory_and_handles_stay_flat(new_office: MakeOffice, record_property: Any, seconds: float) -> None:
    # By link, as most documents travel; uploads have rows of their own, and are as slow as the store.
    office = new_office(overrides={**QUICK, "off": {}})
    office.upgrade()
    office.start("rehearsal", "serve", "--hostile", "0.02", "--seed", "37")
    eventually(lambda: requests.get(f"{office.central_url}/rehearsal/alive", timeout=30).ok)
    office.pace_central(silence_seconds=3, drip_seconds=0.05, token_seconds=60)
    serve = office.start_web("serve")
    office.add_document(pdf(20_000))
    # Whatever threads and connections it may have exist before it is watched: a slow moment of the machine is no leak.
    warmed_up, _ = _exchange(office, seconds / 60, 5 * PER_SECOND)
    eventually(lambda: office.downloaded() >= warmed_up, 300)
    names, late = _exchange(office, seconds, PER_SECOND, watch := Watch(psutil.Process(serve.pid)))
    eventually(lambda: office.downloaded() >= names, 600)
    eventually(lambda: not office.waiting(), 250)
    assert list(uncoded_errors(office)) == []
    slope = watch.slope_mb_per_10_minutes()
    record_property("figure", f"{len(names)} exchanges, {slope:.2f} MB per 10 min, {watch.handles[-1]} handles")
    if seconds >= 600:
        assert slope < 5, "\n".join(f"{name}: {held[::30]}" for name, held in watch.held_by.items())
        assert max(watch.handles[len(watch.handles) // 2 :]) <= max(watch.handles[: len(watch.handles) // 2]) + 20
        assert late < 0.2 * seconds * PER_SECOND, "the load was really laid on"


class Watch:
    """What the processes of a node hold, second by second."""

    def __init__(self, serve: psutil.Process) -> None:
        self._serve = serve
        self.memory: list[float] = []
        self.handles: list[int] = []
        self.held_by: defaultdict[str, list[int]] = defaultdict(list)
        """MB of each process."""

    def look(self) -> None:
        processes = [self._serve, *self._serve.children(recursive=True)]
        held = [
            (process, process.memory_info().rss, process.num_fds()) for process in processes if process.is_running()
        ]
        self.memory.append(sum(rss for _, rss, _ in held) / 1e6)
        self.handles.append(sum(handles for _, _, handles in held))
        for process, rss, _ in held:
            self.held_by[f"{process.cmdline()[-1]} {process.pid}"].append(rss // 1_000_000)

    def slope_mb_per_10_minutes(self) -> float:
        """By least squares over the second half: what caches fill at first is no leak."""
        values = self.memory[len(self.memory) // 2 :]
        middle, mean = (len(values) - 1) / 2, sum(values) / len(values)
        above = sum((at - middle) * (value - mean) for at, value in enumerate(values))
        return 600 * above / max(1e-9, sum((at - middle) ** 2 for at in range(len(values))))


def _exchange(office: Office, seconds: float, per_second: int, watch: Watch | None = None) -> tuple[set[str], int]:
    """Forward retrievals at the rate; their ids, and how many were begun late."""
    names: set[str] = set()
    lock, late = threading.Lock(), 0
    asked = {"kind": WANTED.kind, "number": WANTED.number, "date": WANTED.date, "access_code": WANTED.access_code}

    def forward() -> None:
        url = f"{office.central_url}/rehearsal/retrievals"
        said = requests.post(url, json={**asked, "is_patient": True}, timeout=60).json()
        with lock:
            names.add(str(said["requestAckId"]))

    threads: list[threading.Thread] = []
    began = time.monotonic()
    for number in range(int(seconds * per_second)):
        wait = began + number / per_second - time.monotonic()
        late += wait < -1
        time.sleep(max(0.0, wait))
        threads.append(threading.Thread(target=forward))
        threads[-1].start()
        if number % per_second == 0 and watch:
            watch.look()
    for thread in threads:
        thread.join()
    return names, late
