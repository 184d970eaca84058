"""A new storage key: every document's key is wrapped to it in the background, while all are read, killed or not."""

import io
import signal
import threading
from datetime import timedelta

import pytest
import time_machine

from office_node import clock
from office_node.library.catalogue import Version
from office_node.library.formats import FileFormat
from office_node.wiring.node import build_node
from tests import command_line
from tests.databases import on_sqlite
from tests.library.documents import CODE
from tests.library.test_sealed_documents import numbered
from tests.office import Office, eventually

FEW, MANY = 450, 2000


def filled(office: Office, count: int) -> list[Version]:
    """So many documents, taken in without a look at each: this is not about what they are."""
    node = build_node(office.settings())
    node.accession._inspect = lambda _at_rest: FileFormat.PDF
    versions = [node.accession.add(io.BytesIO(b"%d" % n), numbered(n), CODE)[1].current for n in range(count)]
    node.database.close()
    return versions


def rotated(office: Office) -> None:
    """A new storage key that is in force, a moment ago."""
    with time_machine.travel(clock.now() - timedelta(minutes=1), tick=True):
        told = command_line.run(office.settings_file, "keys", "rotate", "storage", "--in", "6")
    assert told.exit_code == 0
    assert "made " in told.stdout


class Reading:
    """Reads every document again and again, as web processes do, until told to stop."""

    def __init__(self, office: Office, count: int) -> None:
        self._office = office
        self._count = count
        self._stop = threading.Event()
        self.read = 0
        self.failed: list[str] = []
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Reading":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        node = build_node(self._office.settings())
        while not self._stop.is_set():
            for n in range(self._count):
                entry = node.library.find(numbered(n).kind, numbered(n).number)
                try:
                    assert entry
                    with node.library.open(entry.current) as file:
                        assert file.read() == b"%d" % n
                    self.read += 1
                except Exception as exc:
                    self.failed.append(f"{n}: {exc}")
        node.database.close()


@on_sqlite
@pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.long)])
def test_row_07_a_new_storage_key_takes_over_under_reads_and_a_kill(office: Office, count: int) -> None:
    filled(office, count)
    files = {path: path.stat().st_mtime_ns for path in office.settings().library.store.glob("??/*")}
    assert len(files) == count
    rotated(office)
    with Reading(office, count) as reading:
        eventually(lambda: reading.read > 10)
        killed = office.start("worker", OFFICE_NODE_CRASH_AT="rewrapping: a batch is wrapped anew")
        assert killed.wait(timeout=60) == -signal.SIGKILL
        node = build_node(office.settings())
        [left] = node.rewrapping.waiting().values()
        assert 0 < left < count
        office.start("worker")
        eventually(lambda: not node.rewrapping.waiting(), seconds=250)
        node.database.close()
        before = reading.read
        eventually(lambda: reading.read > before + 10)
    assert reading.failed == []
    assert {path: path.stat().st_mtime_ns for path in files} == files
    assert "every encrypted document is under the storage key in force" in (
        command_line.run(office.settings_file, "library", "keys").stdout
    )
    assert "N3" not in office.log_file.read_text()
