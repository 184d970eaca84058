"""SIGTERM with twenty transfers running: new work is refused at once, what runs ends, none counts as a failure."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.conftest import MakeOffice
from tests.databases import on_sqlite
from tests.office import WANTED, eventually, pdf

pytestmark = pytest.mark.fault
TRANSFERS = 20


@on_sqlite
def test_row_08_a_stop_lets_twenty_downloads_end_and_takes_no_new_call(new_office: MakeOffice) -> None:
    office = new_office(overrides={"web": {"workers": 1, "threads": 40, "max_downloads": 24}})
    office.upgrade()
    office.start_central()
    content = office.add_document(pdf(12_000_000))
    serve = office.start_web("serve")
    wipo = office.operator()
    acknowledgement_id = wipo.forward(WANTED).json()["requestAckId"]
    eventually(office.ledger)
    url = wipo.locate(WANTED, acknowledgement_id).json()["fileDownloadUrl"]

    with ThreadPoolExecutor(TRANSFERS) as pool:
        running = [pool.submit(_slowly, url) for _ in range(TRANSFERS)]
        time.sleep(1)
        assert not any(download.done() for download in running), "they are all on their way"
        serve.send_signal(signal.SIGTERM)
        eventually(lambda: _is_refused(office.url))
        assert [download.result() for download in running] == [len(content)] * TRANSFERS
    assert serve.wait(timeout=40) == 0
    assert [line for line in office.log_lines() if line["level"] == "error"] == []
    assert not office.waiting()


def _slowly(url: str) -> int:
    """Read a document in about three seconds; how many bytes came."""
    size = 0
    with requests.get(url, stream=True, timeout=30) as answer:
        for block in answer.iter_content(1 << 18):
            size += len(block)
            time.sleep(0.06)
    return size


def _is_refused(url: str) -> bool:
    try:
        return requests.get(f"{url}/oauth2/jwks", timeout=2).status_code == 503
    except requests.RequestException:
        return True
