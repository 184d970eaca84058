"""Processes killed with -9 at the worst moments: what was acknowledged is done, and its effect happens once."""

import hashlib
import os
import signal
import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import requests

from tests.conftest import MakeOffice
from tests.databases import postgresql_in_make_faults
from tests.office import WANTED, Office, eventually, pdf

pytestmark = pytest.mark.fault

QUICK_LEASE = {"wipo": {"total_seconds": 2, "read_seconds": 1.9}, "outbox": {"lease_seconds": 3}}


@postgresql_in_make_faults
def test_row_02_a_worker_killed_between_claim_and_answer_leaves_one_effect(new_office: MakeOffice) -> None:
    office = new_office(overrides=QUICK_LEASE)
    office.start_central()
    office.start_web("serve")
    office.add_document()
    # The effect happens, then the answer is held back: the worker dies without having heard it.
    office.script_central({"hold_seconds": 60, "after_effect": True})
    acknowledgement_id = office.operator().forward(WANTED).json()["requestAckId"]
    eventually(office.ledger)
    assert [(message.kind, message.state) for message in office.waiting()] == [("notify_wipo", "claimed")]

    _child_running(office, "worker").kill()

    [entry] = eventually(lambda: [entry for entry in office.ledger() if entry["times"] == 2])
    assert entry["key"] == acknowledgement_id
    eventually(lambda: not office.waiting())
    assert [entry["key"] for entry in office.ledger()] == [acknowledgement_id]
    status = office.operator().status(acknowledgement_id).json()["documentRetrievalResponseBag"]
    assert [one["requestStatusCategory"] for one in status] == ["success"]


@postgresql_in_make_faults
def test_row_01_a_worker_killed_before_it_began_leaves_one_effect(new_office: MakeOffice) -> None:
    office = new_office(overrides=QUICK_LEASE)
    office.upgrade()
    office.start_central()
    office.start_web()
    office.add_document()
    ids = [office.operator().forward(WANTED, wipo_acknowledgement_id=f"A{n}").json()["requestAckId"] for n in range(10)]
    for number in range(1, 5):
        worker = office.start("worker")
        eventually(partial(_has_told, office, "worker started", number))
        time.sleep(0.15)  # some messages are on their way by now, which ones is left to chance
        worker.kill()
        worker.wait()
    office.start("worker")
    eventually(lambda: len(office.ledger()) == 10)
    assert sorted(entry["key"] for entry in office.ledger()) == sorted(ids)
    eventually(lambda: not office.waiting())


@postgresql_in_make_faults
def test_row_04_a_web_worker_killed_in_the_middle_of_a_download_costs_a_range_request(new_office: MakeOffice) -> None:
    office = new_office(overrides={"web": {"workers": 1}})
    office.start_central()
    office.start_web("serve")
    content = office.add_document(pdf(60_000_000))
    wipo = office.operator()
    acknowledgement_id = wipo.forward(WANTED).json()["requestAckId"]
    eventually(office.ledger)
    url = wipo.locate(WANTED, acknowledgement_id).json()["fileDownloadUrl"]

    target = office.folder / "fetched.pdf"
    got = _download_until_cut(url, target, kill=lambda: _kill_web_workers(office))
    assert 0 < got < len(content)

    eventually(lambda: requests.get(f"{office.url}/oauth2/jwks", timeout=30).ok)
    digest, size = wipo.download(url, target)
    assert (digest, size) == (hashlib.sha256(content).hexdigest(), len(content))
    eventually(lambda: office.told("download ended"))
    [ended] = [line for line in office.log_lines() if line["event"] == "download ended"]
    assert ended["first_byte"] == got, "the second part went on where the first was cut"


def test_row_09_a_frozen_worker_that_wakes_after_its_lease_records_nothing(new_office: MakeOffice) -> None:
    office = new_office(overrides=QUICK_LEASE)
    office.upgrade()
    office.start_central()
    office.start_web()
    office.add_document()
    frozen = office.start("worker")
    office.script_central({"hold_seconds": 1.5})
    acknowledgement_id = office.operator().forward(WANTED).json()["requestAckId"]
    eventually(office.ledger)
    frozen.send_signal(signal.SIGSTOP)
    office.start("worker")
    eventually(lambda: [entry for entry in office.ledger() if entry["times"] == 2])
    eventually(lambda: not office.waiting())
    frozen.send_signal(signal.SIGCONT)
    eventually(lambda: office.told("result not recorded"))
    assert [entry["key"] for entry in office.ledger()] == [acknowledgement_id]


@pytest.mark.parametrize(("workers", "items"), [(2, 60), pytest.param(4, 500, marks=pytest.mark.long)])
def test_row_10_several_workers_by_mistake_send_everything_once(
    new_office: MakeOffice, workers: int, items: int
) -> None:
    office = new_office(overrides={"worker": {"messages_per_second": 1000}})
    office.upgrade()
    office.start_central()
    office.start_web()
    office.add_document()
    for _ in range(workers):
        office.start("worker")
    wipo = office.operator()
    ids = {wipo.forward(WANTED, wipo_acknowledgement_id=f"A{number}").json()["requestAckId"] for number in range(items)}
    eventually(lambda: len(office.ledger()) == items, 250)
    eventually(lambda: not office.waiting())
    assert {entry["key"] for entry in office.ledger()} == ids
    assert {entry["times"] for entry in office.ledger()} == {1}


@postgresql_in_make_faults
def test_a_killed_serve_leaves_nothing_running(new_office: MakeOffice) -> None:
    office = new_office()
    serve = office.start_web("serve")
    children = psutil.Process(serve.pid).children(recursive=True)
    assert len(children) >= 4
    serve.kill()
    serve.wait()
    eventually(lambda: not any(child.is_running() and child.status() != "zombie" for child in children))


def _has_told(office: Office, event: str, times: int) -> bool:
    return office.told(event) == times


def _child_running(office: Office, verb: str) -> psutil.Process:
    children = psutil.Process(office.processes[-1].pid).children()
    [child] = [child for child in children if child.cmdline()[-1] == verb]
    return child


def _kill_web_workers(office: Office) -> None:
    for worker in _child_running(office, "web").children():
        os.kill(worker.pid, signal.SIGKILL)


def _download_until_cut(url: str, target: Path, kill: Callable[[], None]) -> int:
    """Read slowly, so that the server is still sending when `kill` strikes; returns how many bytes came."""
    parts = urlsplit(url)
    head = f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
    with socket.create_connection((str(parts.hostname), int(parts.port or 0))) as line, target.open("wb") as file:
        line.sendall(head)
        received = bytearray()
        while b"\r\n\r\n" not in received:
            received += line.recv(65536)
        file.write(received.partition(b"\r\n\r\n")[2])
        for _ in range(20):
            file.write(line.recv(65536))
        kill()
        try:
            while block := line.recv(1 << 20):
                file.write(block)
        except ConnectionResetError:
            pass
    return target.stat().st_size
