"""Told to stop, in whatever way and however often, the processes drain and end with 0."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import requests

from office_node.wiring.rows import build_database
from tests.conftest import MakeOffice
from tests.databases import on_sqlite
from tests.office import WANTED, Office, eventually

IN_A_CONTAINER = ("unshare", "-rfp", "--mount-proc", "--kill-child")


@on_sqlite
def test_ctrl_c_at_the_terminal_of_serve_stops_everything_in_good_order(new_office: MakeOffice) -> None:
    office = new_office()
    serve = _serve(office)
    children = psutil.Process(serve.pid).children(recursive=True)
    os.killpg(serve.pid, signal.SIGINT)
    assert serve.wait(60) == 0
    assert "Traceback" not in office.log_file.read_text()
    assert office.told("worker stopped") == 1
    assert office.told("Shutting down: Master") == 1
    assert not any(child.is_running() for child in children)


@on_sqlite
def test_a_worker_that_is_told_twice_lets_its_messages_end(office: Office) -> None:
    office.start_central()
    office.start_web()
    worker = office.start("worker")
    office.add_document()
    office.script_central({"hold_seconds": 3, "after_effect": True})
    office.operator().forward(WANTED)
    eventually(office.ledger)
    for told in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
        worker.send_signal(told)
    assert worker.wait(60) == 0
    [stopped] = [line for line in office.log_lines() if line["event"] == "worker stopped"]
    assert stopped["drained"]
    assert not office.waiting(), "its result was recorded"
    assert "Traceback" not in office.log_file.read_text()


@on_sqlite
def test_a_worker_that_is_told_before_it_began_stops(office: Office) -> None:
    database = build_database(office.settings())
    with database.transaction():  # the worker's housekeeping waits for us
        worker = office.start("worker")
        eventually(lambda: _expects(worker.pid, signal.SIGTERM))
        worker.send_signal(signal.SIGTERM)
    database.close()
    assert worker.wait(60) == 0
    assert office.told("worker stopped") == 1
    assert "Traceback" not in office.log_file.read_text()


@pytest.mark.skipif(
    not shutil.which("unshare")
    or subprocess.run([*IN_A_CONTAINER, "true"], check=False, capture_output=True).returncode != 0,
    reason="needs the right to make a PID namespace",
)
@on_sqlite
def test_serve_runs_as_the_first_process_of_a_container(new_office: MakeOffice) -> None:
    office = new_office()
    container = _serve(office, *IN_A_CONTAINER)
    [first] = psutil.Process(container.pid).children()
    assert office.told("worker started") == 1
    first.send_signal(signal.SIGTERM)
    assert container.wait(60) == 0
    assert "starting it again" not in office.log_file.read_text()


def _serve(office: Office, *prefix: str) -> "subprocess.Popen[bytes]":
    """`serve` leading a process group of its own, web and worker at work."""
    command = [*prefix, sys.executable, "-m", "office_node", "--config", str(office.settings_file), "serve"]
    with office.log_file.open("ab") as log:
        serve = subprocess.Popen(command, stdout=log, stderr=log, process_group=0)
    office.processes.append(serve)
    eventually(lambda: requests.get(f"{office.url}/oauth2/jwks", timeout=30).ok)
    eventually(lambda: office.told("worker started"))
    return serve


def _expects(pid: int, number: signal.Signals) -> bool:
    """Whether the process handles the signal, or holds it back to ask for it."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    masks = [int(line.partition(":")[2], 16) for line in lines if line.startswith(("SigBlk:", "SigCgt:"))]
    return any(mask >> (number - 1) & 1 for mask in masks)
