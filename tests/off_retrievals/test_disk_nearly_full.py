"""With too little room on the disk nothing new is taken in, by any door; what has begun ends."""

import signal
from pathlib import Path

import pytest

from tests import command_line
from tests.conftest import MakeOffice
from tests.databases import on_sqlite
from tests.office import WANTED, Office, eventually, pdf

FULL = {"library": {"headroom_megabytes": 1_000_000}}


@on_sqlite
def test_a_retrieval_is_answered_503_with_retry_after_until_there_is_room(new_office: MakeOffice) -> None:
    office = new_office()
    office.upgrade()
    office.start_central()
    office.add_document()
    office.start_web("serve")
    wipo = office.operator()
    under_way = wipo.forward(WANTED, wipo_acknowledgement_id="A1").json()["requestAckId"]
    eventually(office.ledger)
    _headroom(office, 1_000_000)
    refused = eventually(lambda: _refused(office))
    assert refused == (503, "30")
    status = wipo.status(under_way).json()["documentRetrievalResponseBag"]
    assert [one["requestStatusCategory"] for one in status] == ["success"], "what has begun goes on"
    url = wipo.locate(WANTED, under_way).json()["fileDownloadUrl"]
    assert wipo.fetch(url).status_code == 200
    assert (
        wipo.call("POST", "notifications", json={"requestAckId": "x", "requestStatusCategory": "success"}).status_code
        == 503
    )
    _headroom(office, 0)
    eventually(lambda: wipo.forward(WANTED, wipo_acknowledgement_id="A2").status_code == 201)
    told = [line for line in office.log_lines() if line.get("code") == "N205"]
    assert told
    assert all("MB are free at" in line["reason"] for line in told)


def _refused(office: Office) -> tuple[int, str] | None:
    answer = office.operator().forward(WANTED, wipo_acknowledgement_id="A3")
    return (answer.status_code, answer.headers["Retry-After"]) if answer.status_code == 503 else None


def _headroom(office: Office, megabytes: int) -> None:
    """As if the disk had filled, or been emptied: the node reads its settings again."""
    text = office.settings_file.read_text()
    lines = [line for line in text.splitlines() if not line.startswith("headroom_megabytes")]
    at = lines.index("[library]") + 1
    office.settings_file.write_text("\n".join([*lines[:at], f"headroom_megabytes = {megabytes}", *lines[at:]]) + "\n")
    office.processes[-1].send_signal(signal.SIGHUP)


@on_sqlite
def test_the_library_refuses_before_a_byte_is_written(new_office: MakeOffice, tmp_path: Path) -> None:
    office = new_office(overrides=FULL)
    office.upgrade()
    file = tmp_path / "paper.pdf"
    file.write_bytes(pdf(1000))
    named = ["--kind", "patent", "--number", WANTED.number, "--date", WANTED.date, "--access-code", "AB21"]
    ran = command_line.run(office.settings_file, "library", "add", str(file), *named)
    assert ran.exit_code == 1
    assert ran.stderr.startswith("N205 ")
    assert not list(office.settings().library.store.glob("**/*"))


@on_sqlite
def test_the_watched_folder_leaves_everything_where_it_lies(new_office: MakeOffice) -> None:
    office = new_office(overrides={**FULL, "intake": {"poll_seconds": 0.05, "settle_seconds": 0}})
    office.upgrade()
    intake = office.settings().intake
    assert intake
    intake.folder.mkdir(parents=True)
    (intake.folder / "one.json").write_text("{}")
    office.start("worker")
    eventually(lambda: office.told("intake stands still"))
    assert [path.name for path in intake.folder.glob("*.json")] == ["one.json"]
    [told] = [line for line in office.log_lines() if line["event"] == "intake stands still"]
    assert told["code"] == "N205"


@pytest.mark.parametrize("new_database_url", ["sqlite"], indirect=True)
def test_reserve_0_means_that_nothing_is_kept_free(new_office: MakeOffice) -> None:
    office = new_office(overrides={"library": {"headroom_megabytes": 0}})
    office.upgrade()
    office.add_document()
