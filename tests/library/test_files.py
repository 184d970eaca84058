"""Files of the library: whole or not there, for the node's user alone, and never held in memory."""

import io
import json
import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import time_machine
from joserfc.jwk import ECKey

from office_node.library.accession import Outcome
from office_node.library.damage import StoreUnusable
from office_node.library.folder_store import FolderStore
from office_node.library.incoming import Incoming, Received, Source, SourceUnreadable
from office_node.library.sealing.layout import HEAD
from office_node.library.sealing.storage_keys import StorageKeys
from office_node.rehearsal import papers
from office_node.wiring.node import Node
from tests import command_line
from tests.databases import on_sqlite
from tests.library.documents import add, arguments, incoming, kept_files, sha256
from tests.office import ROOT, Office, eventually, pdf

DAY_SECONDS = 86_400
BIG_BYTES = 200_000_000


@on_sqlite
def test_files_and_folders_are_for_the_nodes_user_alone(office: Office, node: Node) -> None:
    before = os.umask(0)
    try:
        add(node, pdf(1000))
    finally:
        os.umask(before)
    store = office.settings().library.store
    modes = {path.is_dir(): path.stat().st_mode & 0o777 for path in (store, *store.rglob("*"))}
    assert modes == {True: 0o700, False: 0o600}
    assert {path.stat().st_mode & 0o777 for path in (store, *store.rglob("*")) if path.is_dir()} == {0o700}
    assert len(kept_files(office)) == 1


@on_sqlite
def test_an_intake_that_is_killed_in_the_middle_leaves_nothing_to_be_seen(office: Office, node: Node) -> None:
    content = pdf(4_000_000)
    pipe = office.folder / "document.pdf"
    os.mkfifo(pipe)
    process = office.start(*arguments(pipe))
    with pipe.open("wb", buffering=0) as source:
        source.write(content[:3_000_000])
        [leftover] = eventually(lambda: [path for path in incoming(office) if path.stat().st_size > 1_000_000])
        process.kill()
        process.wait()

    assert kept_files(office) == {}
    verified = command_line.run(office.settings_file, "library", "verify")
    assert (verified.exit_code, verified.stdout) == (0, "every file is what the catalogue says\n")
    assert command_line.run(office.settings_file, "library", "find").exit_code == 1
    assert leftover.read_bytes().startswith(HEAD)
    assert content[100:200] not in leftover.read_bytes()

    outcome, entry = add(node, content)
    assert (outcome, entry.current.sha256) == (Outcome.ADDED, sha256(content))
    assert incoming(office) == [leftover]
    assert node.incoming.remove_leftovers() == 0  # it might still be arriving
    old = time.time() - DAY_SECONDS - 1
    os.utime(leftover, (old, old))
    assert node.incoming.remove_leftovers() == 1
    assert incoming(office) == []
    assert [*kept_files(office).values()] == [content]


@on_sqlite
def test_leftovers_are_removed_after_a_day_and_not_before(office: Office, node: Node) -> None:
    add(node, pdf(1000))
    leftover = office.settings().library.store / "incoming" / "0123456789abcdef0123456789abcdef"
    leftover.write_bytes(b"%PDF-")
    with time_machine.travel(time.time() + DAY_SECONDS - 60, tick=False):
        assert node.incoming.remove_leftovers() == 0
    with time_machine.travel(time.time() + DAY_SECONDS + 60, tick=False):
        assert node.incoming.remove_leftovers() == 1
    assert incoming(office) == []
    assert len(kept_files(office)) == 1


def test_a_store_that_is_not_there_yet_has_nothing_in_it(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "library")
    assert [*store.names()] == []
    assert _incoming(tmp_path / "library").remove_leftovers() == 0
    assert not (tmp_path / "library").exists()


@pytest.mark.parametrize(
    "name", ["", "..", "../../etc/passwd", "A" * 32, "a" * 31, "a" * 33, "a" * 32 + "\n", "aa/" + "a" * 29], ids=repr
)
def test_only_the_stores_own_names_become_paths(tmp_path: Path, name: str) -> None:
    store = FolderStore(tmp_path / "library")
    with pytest.raises(ValueError, match="not a name of this store"):
        store.open(name)
    with pytest.raises(ValueError, match="not a name of this store"):
        store.discard(name)


ADD_AND_WATCH = """
import json, sys
from datetime import date
from io import BytesIO
from pathlib import Path
import psutil
from office_node import settings
from office_node.das.number_formats import document_id
from office_node.document_id import DocumentKind
from office_node.rehearsal import papers
from office_node.wiring.node import build_node

class Watched:
    def __init__(self, file): self.file, self.most = file, 0
    def read(self, size):
        self.most = max(self.most, psutil.Process().memory_info().rss)
        return self.file.read(size)

node = build_node(settings.load(Path(sys.argv[1])))
library = node.library
def add(number, file):
    return node.accession.add(file, document_id(DocumentKind.PATENT, number, date(2023, 11, 2)), "AB21")[1]
add("US 98/012,357", BytesIO(b"".join(papers.pdf(["small"]))))
before = psutil.Process().memory_info().rss
source = Watched(open(sys.argv[2], "rb"))
entry = add("US 98/012,358", source)
library.check(entry.current)
after = psutil.Process().memory_info().rss
print(json.dumps({"size": entry.current.size, "grown": max(source.most, after) - before}))
"""


@on_sqlite
def test_a_big_document_is_taken_in_and_checked_in_little_memory(office: Office) -> None:
    big = office.folder / "big.pdf"
    papers.write_pdf(big, ["big"], BIG_BYTES)
    command = [sys.executable, "-c", ADD_AND_WATCH, str(office.settings_file), str(big)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=100)
    told = json.loads(ran.stdout)
    assert told["size"] > BIG_BYTES
    assert told["grown"] < BIG_BYTES / 8
    for path in kept_files_paths(office):
        path.unlink()


def kept_files_paths(office: Office) -> list[Path]:
    """Without reading them."""
    return [*office.settings().library.store.glob("[0-9a-f][0-9a-f]/*")]


@pytest.mark.parametrize("sealed", [True, False], ids=["sealed", "plain"])
def test_a_write_that_the_disk_takes_in_part_is_a_failure_of_the_store(tmp_path: Path, sealed: bool) -> None:
    """As on a full disk: a limit on the file's size cuts the write short, and the rest is refused."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, before[1]))
    try:
        with pytest.raises(StoreUnusable), receiving(tmp_path / "store", io.BytesIO(pdf(700_000)), sealed=sealed):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert [*(tmp_path / "store" / "incoming").iterdir()] == []


def test_a_source_that_cannot_be_read_is_no_fault_of_the_store(tmp_path: Path) -> None:
    class Broken(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(SourceUnreadable), receiving(tmp_path / "store", Broken(), sealed=True):
        pass


def receiving(folder: Path, source: Source, *, sealed: bool) -> AbstractContextManager[Received]:
    return _incoming(folder).receiving(source, 10**9, sealed=sealed)


def _incoming(folder: Path) -> Incoming:
    key = ECKey.generate_key("P-256")
    return Incoming(folder / "incoming", StorageKeys(lambda: key, lambda: {key.thumbprint(): key}))
