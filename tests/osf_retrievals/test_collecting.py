"""What WIPO has for us comes here whole or is not handed over: over cuts, dead addresses, wrong bytes and kills."""

import hashlib
import io
import json
import secrets
import signal
import subprocess
import sys
import zipfile
from typing import Any

import pytest
import requests
from sqlalchemy import update

from office_node import clock
from office_node.osf_retrievals.service import Asked
from office_node.outbox.records import OutboxRecord
from office_node.rehearsal import papers
from tests.databases import on_sqlite, postgresql_in_make_faults
from tests.office import eventually
from tests.osf_retrievals.conftest import MakeDesk
from tests.osf_retrievals.desk import Desk, paper

CRASHES = (
    "collecting: half of the bytes are here",
    "collecting: checked, not handed over",
    "collecting: handed over, not recorded",
)


def package(**files: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_", "."), content)
    return made.getvalue()


def test_a_download_that_is_cut_goes_on_where_it_was_cut(desk: Desk) -> None:
    desk.pace(cut_download_bytes=300_000)
    content = desk.deposit(paper(filler_bytes=3_000_000))
    told, files = desk.collected(desk.ask())
    assert files == {"document": content}
    assert told["files"][0]["sha256"] == hashlib.sha256(content).hexdigest()


def test_an_address_that_has_expired_is_asked_for_anew(desk: Desk) -> None:
    desk.pace(download_url_seconds=0.4, cut_download_bytes=100_000)
    content = desk.deposit(paper(filler_bytes=2_000_000))
    assert desk.collected(desk.ask())[1] == {"document": content}


def test_a_wrong_byte_is_refused_before_anything_is_handed_over(desk: Desk) -> None:
    desk.pace(spoilt_downloads=1)
    content = desk.deposit(paper())
    asked = desk.ask()
    eventually(lambda: "what came does not have the length" in str(desk.history().open_matters))
    assert desk.view(asked).state == "collecting"
    assert not [name for name in desk.lies_in("collected") if asked.request_id[:12] in name]
    assert desk.node.library.find(desk.document.kind, desk.document.number) is None
    desk.pace(spoilt_downloads=0)
    assert desk.collected(asked)[1] == {"document": content}


@on_sqlite
def test_what_is_no_document_is_not_handed_over(new_desk: MakeDesk) -> None:
    desk = new_desk("serve")
    desk.deposit(b"Dear office, the document is enclosed.")
    asked = desk.ask()
    eventually(lambda: "what came from WIPO was refused" in desk.steps())
    assert desk.view(asked).state == "collecting"
    assert not [name for name in desk.lies_in("collected") if asked.request_id[:12] in name]


@on_sqlite
def test_a_store_that_cannot_be_gone_on_with_is_not_asked_for_ever(new_desk: MakeDesk) -> None:
    """Without an ETag nobody knows whether the rest belongs to what is here: it begins anew, a few times."""
    desk = new_desk("serve")
    desk.pace(cut_download_bytes=100_000, without_etag=1)
    content = desk.deposit(paper(filler_bytes=500_000))
    asked = desk.ask()
    eventually(lambda: "go on where it was cut" in str(desk.history().open_matters))
    desk.pace(cut_download_bytes=0)
    assert desk.collected(asked)[1] == {"document": content}


def test_a_package_comes_with_each_of_its_files(desk: Desk) -> None:
    core, sequences = paper("core"), b'<?xml version="1.0"?>\n<ST26SequenceListing/>'
    content = desk.deposit(package(core_pdf=core, sequences_xml=sequences))
    told, files = desk.collected(desk.ask())
    assert files == {"document": core, "part-1": content, "part-2": sequences}
    assert [file["format"] for file in told["files"]] == ["pdf", "zip", "xml"]


@on_sqlite
def test_the_original_comes_beside_the_merged_document_where_it_is_wanted(new_desk: MakeDesk) -> None:
    desk = new_desk("serve", osf={"originals": True})
    desk.pace(merged=1)
    content = desk.deposit(paper())
    told, files = desk.collected(desk.ask())
    assert files["original"] == content
    assert files["document"] != content
    assert [file["role"] for file in told["files"]] == ["document", "original"]


@pytest.mark.parametrize("status", [404, 409, 425])
def test_a_document_that_is_not_ready_yet_is_waited_for(desk: Desk, status: int) -> None:
    desk.script("url_downloads", {"status": status})
    desk.deposit(paper())
    asked = desk.ask()
    eventually(lambda: "without an address" in str(desk.history().open_matters))
    [message] = [one for one in desk.node.outbox.messages() if one.acknowledgement_id == asked.request_id]
    hurry(desk, message.message_id)
    desk.collected(asked)


def test_a_location_is_asked_for_by_the_other_method_where_one_is_not_allowed(desk: Desk) -> None:
    desk.script("url_downloads", {"status": 405})
    content = desk.deposit(paper())
    assert desk.collected(desk.ask())[1] == {"document": content}


@postgresql_in_make_faults
@pytest.mark.parametrize("point", CRASHES)
def test_a_worker_that_is_killed_leaves_nothing_twice_and_nothing_behind(new_desk: MakeDesk, point: str) -> None:
    desk = new_desk()
    content = desk.deposit(paper(filler_bytes=2_000_000))
    asked = desk.ask()
    killed = desk.office.start("worker", OFFICE_NODE_CRASH_AT=point)
    assert killed.wait(timeout=30) == -signal.SIGKILL
    desk.office.start("worker")
    assert desk.collected(asked)[1] == {"document": content}
    assert desk.steps().count("handed over to the office's systems") == 1
    assert len(desk.lies_in("collected")) == 2
    eventually(lambda: desk.lies_in("collecting") == [])
    with desk.node.database.reading() as session:
        assert session.connection().exec_driver_sql("SELECT COUNT(*) FROM coming_files").scalar() == 0


@on_sqlite
def test_what_is_here_whole_is_handed_over_though_wipo_has_it_no_more(new_desk: MakeDesk) -> None:
    desk = new_desk()
    core = paper("core")
    content = desk.deposit(package(core_pdf=core))
    asked = desk.ask()
    killed = desk.office.start("worker", OFFICE_NODE_CRASH_AT="collecting: checked, not handed over")
    killed.wait(timeout=30)
    desk.script("url_downloads", *[{"status": 404}] * 20)
    desk.office.start("worker")
    assert desk.collected(asked)[1] == {"document": core, "part-1": content}


@on_sqlite
def test_what_comes_lies_sealed_while_it_comes(new_desk: MakeDesk) -> None:
    desk = new_desk()
    marker = secrets.token_hex(16).encode()
    content = paper(marker.decode(), filler_bytes=2_000_000)
    desk.deposit(content)
    asked = desk.ask()
    killed = desk.office.start("worker", OFFICE_NODE_CRASH_AT="collecting: checked, not handed over")
    killed.wait(timeout=30)
    [coming] = [path.read_bytes() for path in (desk.folder / "collecting").iterdir()]
    assert len(coming) > len(content)
    assert marker not in coming
    assert desk.view(asked).state == "collecting"


COLLECT_AND_WATCH = """
import json, sys, threading, time
from pathlib import Path
import psutil
from office_node import logs, settings
from office_node.wiring.node import build_node
from office_node.outbox.delivery import Delivery

logs.configure("warning", process="worker")  # to standard error: standard output is the result alone
node = build_node(settings.load(Path(sys.argv[1])))
process, most, before = psutil.Process(), 0, None
handlers = node.handlers()
delivery = Delivery(node.outbox, handlers)
view = lambda: node.second_filing.requests.one(sys.argv[2])
while view().state in ("asked", "acknowledged", "available"):
    delivery.tick()
    if view().state != "asked":
        node.second_filing.availability.poll()
    time.sleep(0.02)
before = process.memory_info().rss
while not view().has_ended:
    delivery.tick()
    most = max(most, process.memory_info().rss)
    time.sleep(0.05)
print(json.dumps({"grown": most - before, "state": view().state}))
"""


@on_sqlite
@pytest.mark.parametrize(
    ("size", "cuts"),
    [(100_000_000, 10), pytest.param(2_000_000_000, 100, marks=pytest.mark.long)],
    ids=["100 MB", "2 GB"],
)
@pytest.mark.timeout(600)
def test_a_big_document_comes_over_many_cuts_in_little_memory(new_desk: MakeDesk, size: int, cuts: int) -> None:
    desk = new_desk(
        library={"encrypt": []}, osf={"clear_transit": False}, storage_policy={"rules": [{"place": "transit"}]}
    )
    big = desk.office.folder / "big.pdf"
    papers.write_pdf(big, ["big"], size)
    with big.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        deposit(desk, file)
    big.unlink()
    desk.pace(cut_download_bytes=size // cuts)
    asked = desk.ask()
    grown = watched(desk, asked, seconds=550)
    view = desk.view(asked)
    told = json.loads((desk.folder / "collected" / f"{view.handed_over_as}.json").read_text())
    assert told["files"][0]["sha256"] == sha256
    moved = sum(entry["bytes"] for entry in desk.office.ledger("served"))
    times = sum(entry["times"] for entry in desk.office.ledger("served"))
    assert times >= cuts
    assert size <= moved <= 1.1 * size
    assert grown < 50_000_000


def watched(desk: Desk, asked: Asked, seconds: int) -> int:
    ran = subprocess.run(
        [sys.executable, "-c", COLLECT_AND_WATCH, str(desk.office.settings_file), asked.request_id],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=True,
    )
    told = json.loads(ran.stdout)
    assert told["state"] == "collected"
    return int(told["grown"])


def deposit(desk: Desk, file: Any) -> None:
    document = desk.document
    named = {"kind": document.kind.value, "number": document.number, "date": document.date.isoformat()}
    answer = requests.post(
        f"{desk.office.central_url}/rehearsal/documents",
        params={**named, "access_code": "QX7Z"},
        data=file,
        headers={"Content-Type": "application/pdf"},
        timeout=120,
    )
    answer.raise_for_status()


def hurry(desk: Desk, message_id: str) -> None:
    with desk.node.database.transaction() as session:
        session.execute(update(OutboxRecord).where(OutboxRecord.id == message_id).values(due_at=clock.now()))
