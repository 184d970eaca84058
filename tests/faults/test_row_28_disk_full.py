"""A disk of 64 MB that fills: nothing is half written, the database opens, and all goes on once there is room."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import requests
from sqlalchemy import text

from office_node.storage.database import Database
from tests import command_line
from tests.conftest import MakeOffice
from tests.databases import on_sqlite
from tests.office import WANTED, Office, eventually, pdf

pytestmark = pytest.mark.fault
MEGABYTES = 64
QUICK = {
    "backup": {"at": "00:00"},  # the day's backup is due, whenever this runs
    "library": {"headroom_megabytes": 8},
    "outbox": {"first_retry_seconds": 0.2, "lease_seconds": 3},
    "wipo": {"total_seconds": 2, "read_seconds": 1.9},
}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk; a machine that does not let us have one skips what needs it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m,mode=700", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("no disk of our own may be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def on_disk(new_office: MakeOffice, disk: Path) -> Office:
    """An office whose database, library and folders lie on the small disk."""
    office = new_office(overrides=QUICK)
    (office.folder / "var").symlink_to(disk)
    office.upgrade()
    return office


def fill(disk: Path, leave_bytes: int) -> Path:
    """A file that takes all room but so much."""
    filler = disk / "filler"
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    # What the node writes meanwhile may have taken the last of it.
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        left = max(0, free - leave_bytes)
        while left > 0:
            left -= file.write(b"\0" * min(left, 1 << 20))
    return filler


def is_sound(office: Office) -> None:
    database = Database(office.settings().database.url)
    with database.reading() as session:
        assert session.scalar(text("PRAGMA integrity_check")) == "ok"
    database.close()
    for verb in (("library", "verify"), ("timeline", "verify")):
        found = command_line.run(office.settings_file, *verb)
        assert found.exit_code == 0, found.output


@on_sqlite
def test_row_28_below_the_reserve_nothing_new_comes_in_and_what_has_begun_ends(
    new_office: MakeOffice, disk: Path
) -> None:
    office = on_disk(new_office, disk)
    office.start_central()
    office.add_document()
    office.script_central({"hold_seconds": 1})
    office.start_web("serve")
    wipo = office.operator()
    begun = wipo.forward(WANTED, wipo_acknowledgement_id="A0").json()["requestAckId"]
    filler = fill(disk, 5_000_000)
    refused = wipo.forward(WANTED, wipo_acknowledgement_id="A1")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "30")
    assert "disk: N205" in office.run("health").stdout
    eventually(lambda: [entry["key"] for entry in office.ledger()] == [begun])
    # The day's backup is something new: it waits for room, unless it was made before the disk was filled.
    eventually(lambda: {message.kind for message in office.waiting()} <= {"make_backup"})
    filler.unlink()
    assert wipo.forward(WANTED, wipo_acknowledgement_id="A1").status_code == 201
    eventually(lambda: len(office.ledger()) == 2)
    is_sound(office)


@on_sqlite
def test_row_28_with_no_byte_left_nothing_is_half_written_and_all_goes_on_afterwards(
    new_office: MakeOffice, disk: Path
) -> None:
    office = on_disk(new_office, disk)
    office.start_central()
    office.add_document()
    office.start_web("serve")
    wipo = office.operator()
    office.script_central(*({"hold_seconds": 0.5} for _ in range(5)))
    begun = {wipo.forward(WANTED, wipo_acknowledgement_id=f"A{n}").json()["requestAckId"] for n in range(5)}
    filler = fill(disk, 0)
    paper = office.folder / "paper.pdf"
    paper.write_bytes(pdf(2_000_000))
    named = ["--kind", "patent", "--number", "US 98/012,999", "--date", WANTED.date, "--access-code", "AB21"]
    refused = command_line.run(office.settings_file, "library", "add", str(paper), *named)
    assert refused.exit_code == 1
    assert refused.stderr[:4] in ("N205", "N304", "N201")
    for number in range(3):
        assert wipo.forward(WANTED, wipo_acknowledgement_id=f"B{number}").status_code == 503
    assert command_line.run(office.settings_file, "backup", "create").exit_code == 1
    filler.unlink()
    eventually(lambda: _accepts(office), 250)
    eventually(lambda: {entry["key"] for entry in office.ledger()} >= begun, 250)
    eventually(lambda: not office.waiting(), 250)
    assert command_line.run(office.settings_file, "library", "add", str(paper), *named).exit_code == 0
    [whole] = (disk / "backups").iterdir()  # the day's, and no half of one
    assert command_line.run(office.settings_file, "backup", "verify", str(whole)).exit_code == 0
    assert [line for line in office.log_lines() if line.get("code") == "N900"] == []
    is_sound(office)


def _accepts(office: Office) -> bool:
    try:
        return office.operator().forward(WANTED, wipo_acknowledgement_id="C").status_code == 201
    except requests.RequestException:
        return False
