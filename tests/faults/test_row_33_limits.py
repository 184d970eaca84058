"""A process that may open no more than 128 files: clear refusals, and everything is well once there is room again."""

import resource
import socket
import subprocess
import sys
import time
from functools import partial

import pytest
import requests

from tests.conftest import MakeOffice
from tests.databases import on_sqlite
from tests.office import WANTED, eventually

pytestmark = pytest.mark.fault
FILES = 128


def _limited() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))


@on_sqlite
def test_row_33_with_128_files_it_refuses_clearly_and_recovers(new_office: MakeOffice) -> None:
    office = new_office(overrides={"web": {"workers": 1, "receive_seconds": 5}})
    office.upgrade()
    office.start_central()
    office.add_document()
    with office.log_file.open("ab") as log:
        command = [sys.executable, "-m", "office_node", "--config", str(office.settings_file), "serve"]
        office.processes.append(subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=_limited))  # noqa: PLW1509
    eventually(partial(_answers, office.url))
    wipo = office.operator()
    host, _, port = office.url.removeprefix("http://").rpartition(":")
    lines = []
    for _ in range(3 * FILES):
        try:
            lines.append(socket.create_connection((host, int(port)), timeout=1))
        except OSError:
            break
    time.sleep(1)
    for line in lines:
        line.close()
    eventually(partial(_answers, office.url))
    acknowledgement_id = wipo.forward(WANTED).json()["requestAckId"]
    [entry] = eventually(office.ledger)
    assert entry["key"] == acknowledgement_id
    eventually(lambda: not office.waiting())
    assert [line for line in office.log_lines() if line.get("code") in ("N900", "N599")] == []


def _answers(url: str) -> bool:
    return requests.get(f"{url}/oauth2/jwks", timeout=5).status_code == 200
