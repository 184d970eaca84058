"""Whatever a file does to the process that inspects it, the file is refused, the node goes on, and nothing is left."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from office_node.library.inspection import InspectionImpossible, UnsoundPackage, inspector
from office_node.library.sealing.at_rest import FileAtRest
from office_node.rehearsal import papers
from tests.library.inspection.packages import CORE, KEY, PDF, archive, findings, findings_of, member, sealed
from tests.office import ROOT, eventually

SLOW = archive(CORE, member("index.xml", b"<a>" + b"<b/>" * 3_000_000 + b"</a>", zipfile.ZIP_STORED))
"""Some seconds of work for a parser."""


def fork_servers() -> list[psutil.Process]:
    """The process of this one that only forks, if it runs."""
    running = [one for one in psutil.Process().children() if one.status() != psutil.STATUS_ZOMBIE]
    return [one for one in running if "multiprocessing.forkserver" in " ".join(one.cmdline())]


def inspecting() -> list[psutil.Process]:
    """The processes that look at a file now."""
    return [one for server in fork_servers() for one in server.children()]


def of_many_objects(count: int) -> bytes:
    """A PDF whose table of contents alone takes room."""
    beginning, table = PDF.split(b"xref\n0 7\n")[0], PDF.split(b"xref\n0 7\n")[1].split(b"trailer")[0]
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count + 7, len(beginning))
    return beginning + b"xref\n0 %d\n" % (count + 7) + table + b"0000000009 00000 n \n" * count + trailer


def test_a_process_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    began = time.monotonic()
    # For its size alone a file of this length is given most of a second.
    assert findings(tmp_path, SLOW, seconds=0.0) == ["N321 the inspection broke off (it took too long)"]
    assert time.monotonic() - began < 8
    assert inspecting() == []


def test_a_process_that_needs_too_much_memory_is_refused_it(tmp_path: Path) -> None:
    [found] = findings(tmp_path, of_many_objects(500_000), memory_bytes=70 << 20)
    # Which of the two depends on who asks first for more than there is: the cipher's library ends the process.
    assert found in [
        f"N321 the inspection broke off ({why})" for why in ("it needed too much memory", "its process died")
    ]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGXCPU])
def test_a_process_that_dies_refuses_its_file_and_the_next_one_is_inspected(
    tmp_path: Path, number: signal.Signals
) -> None:
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(findings, tmp_path, SLOW)
        [child] = eventually(inspecting)
        eventually(lambda: child.cpu_times().user > 0.2)
        child.send_signal(number)
        assert found.result() == ["N321 the inspection broke off (its process died)"]
    assert findings(tmp_path, PDF) == []


def test_a_server_that_was_killed_is_started_again(tmp_path: Path) -> None:
    assert findings(tmp_path, PDF) == []
    [server] = fork_servers()
    server.kill()
    eventually(lambda: fork_servers() == [])
    assert findings(tmp_path, PDF) == []


def test_many_files_at_once_each_get_their_own_verdict(tmp_path: Path) -> None:
    def inspect(number: int) -> list[str]:
        folder = tmp_path / str(number)
        folder.mkdir()
        return findings(folder, PDF if number % 2 else archive(member("a.txt")))

    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(inspect, range(40))] == [["N337 no PDF inside"], []] * 20
    assert inspecting() == []


def test_no_file_and_no_descriptor_is_left_behind(tmp_path: Path) -> None:
    findings(tmp_path, PDF)
    before = psutil.Process().num_fds()
    for content in (PDF, archive(CORE), archive(member("../a"))):
        findings(tmp_path, content)
    assert psutil.Process().num_fds() == before
    assert [path.name for path in tmp_path.iterdir()] == ["package"]
    assert inspecting() == []


UNTRUSTED = {
    "not json": b"sound!",
    "cut off": b'{"findings": [["N3',
    "no such number": b'{"findings": [["N999", "x"]], "total": 1}',
    "another shape": b'{"findings": 7, "total": 1}',
    "deep": b"[" * 100_000,
    "empty": b"",
}


@pytest.mark.parametrize("said", UNTRUSTED)
def test_a_verdict_that_cannot_be_read_refuses_the_file(said: str) -> None:
    with pytest.raises(inspector._BrokeOff):
        inspector._verdict(b"ready\n" + UNTRUSTED[said])


def test_what_a_verdict_quotes_can_do_nothing_to_a_terminal() -> None:
    said = json.dumps({"findings": [["N337", "\x1b[2J\nN000 \u202e" + "x" * 5000]], "total": 1})
    [finding], _ = inspector._verdict(b"ready\n" + said.encode())
    assert finding.what.startswith("?[2J?N000 ?xxx")
    assert len(finding.what) == 500
    assert finding.hint.startswith("put the document itself")


def test_a_process_that_never_came_to_the_file_says_nothing_against_it() -> None:
    with pytest.raises(InspectionImpossible, match="N315 the process to inspect in ended before it looked"):
        inspector._verdict(b"")


def test_a_machine_without_room_for_a_process_says_nothing_against_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise BlockingIOError

    monkeypatch.setattr(inspector._CONTEXT.Process, "start", full)
    with pytest.raises(InspectionImpossible, match="N315 no process to inspect in could be started"):
        findings(tmp_path, PDF)


ALONE = """
import sys, threading, signal, time
from pathlib import Path
from office_node.library.inspection import Inspector, UnsoundPackage
from office_node.library.sealing.at_rest import FileAtRest
def look():
    package = FileAtRest(Path(sys.argv[1]), "package", None)
    try: print(Inspector(max_unpacked_bytes=1 << 30).inspect(package), flush=True)
    except UnsoundPackage as exc: print(exc.findings[0].number, flush=True)
"""
AS_THE_WORKER = (
    ALONE
    + """
signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
threading.Thread(target=look, daemon=True).start()
signal.sigwait((signal.SIGTERM,))
"""
)


def started(script: str, package: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", script, str(package)], cwd=ROOT, stdout=subprocess.PIPE)


def under(process: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    """All that this process has started, once one of them works on the file."""
    me = psutil.Process(process.pid)
    [child] = eventually(lambda: [one for server in me.children() for one in server.children()])
    eventually(lambda: child.cpu_times().user > 0.2)
    return me.children(recursive=True)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_a_worker_that_ends_while_a_file_is_inspected(tmp_path: Path, number: int) -> None:
    package = tmp_path / "package"
    package.write_bytes(SLOW)
    with started(AS_THE_WORKER, package) as process:
        all_of_them = under(process)
        assert len(all_of_them) == 3
        process.send_signal(number)
        process.wait(timeout=10)
        _, alive = psutil.wait_procs(all_of_them, timeout=5)
    assert alive == []
    assert [path.name for path in tmp_path.iterdir()] == ["package"]


def test_a_thread_of_a_process_that_blocks_what_stops_it_can_still_end_the_inspection(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.write_bytes(SLOW)
    with started(AS_THE_WORKER, package) as process:
        for one in under(process):
            if one.parent().pid != process.pid:  # type: ignore[union-attr]
                one.terminate()
        assert process.stdout is not None
        assert process.stdout.readline() == b"N321\n"
        process.terminate()


def test_the_node_itself_never_loads_what_parses(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.write_bytes(archive(CORE))
    script = ALONE + "look(); print(sorted({'pikepdf', 'defusedxml', 'lxml', 'PIL'} & set(sys.modules)))"
    with started(script, package) as process:
        assert process.stdout is not None
        assert process.stdout.read() == b"zip\n[]\n"


@pytest.mark.parametrize("suffix", ["pdf", "zip"])
def test_a_big_file_costs_neither_the_node_nor_the_inspection_its_size_in_memory(tmp_path: Path, suffix: str) -> None:
    package = tmp_path / f"big.{suffix}"
    papers.write_pdf(tmp_path / "big.pdf", ["big"], 200_000_000)
    if suffix == "zip":
        with zipfile.ZipFile(package, "w") as target:
            target.write(tmp_path / "big.pdf", "core.pdf")
        (tmp_path / "big.pdf").unlink()
    at_rest = FileAtRest(tmp_path / "sealed", "sealed", KEY)
    with at_rest.writing() as write, package.open("rb") as file:
        while block := file.read(1 << 20):
            write(block)
    package.unlink()
    before = psutil.Process().memory_info().rss
    found = findings_of(at_rest, max_unpacked_bytes=1 << 30, memory_bytes=150 << 20)
    assert found == []
    assert psutil.Process().memory_info().rss - before < 20_000_000
    assert [path.name for path in tmp_path.iterdir()] == ["sealed"]
    at_rest.path.unlink()


def test_the_inspection_may_not_write_more_than_a_document_may_have(tmp_path: Path) -> None:
    many = archive(*(member(f"{n}.pdf", PDF) for n in range(20)))
    [found] = findings(tmp_path, many, max_unpacked_bytes=30_000)
    assert found.startswith("N334 ")


def test_a_node_that_is_built_has_started_nothing(tmp_path: Path) -> None:
    script = "from office_node.library.inspection import Inspector; Inspector(max_unpacked_bytes=1)\n"
    script += "import psutil, threading; print(psutil.Process().children(), threading.active_count())"
    with started(script, tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.read() == b"[] 1\n"


def test_an_interrupt_meant_for_the_node_does_not_blame_the_file(tmp_path: Path) -> None:
    caught: list[list[str]] = []
    thread = threading.Thread(target=lambda: caught.append(findings(tmp_path, SLOW)))
    thread.start()
    [child] = eventually(inspecting)
    eventually(lambda: child.cpu_times().user > 0.2)
    child.send_signal(signal.SIGINT)
    thread.join()
    assert caught == [[]]


def test_the_error_shows_every_finding_on_a_line_of_its_own(tmp_path: Path) -> None:
    package = sealed(tmp_path, archive(member("../a"), member("/b")))
    with pytest.raises(UnsoundPackage) as caught:
        inspector.Inspector(max_unpacked_bytes=1 << 20).inspect(package)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("N320 the package is not sound: 3 findings; hint: ")
    assert [line[:4] for line in lines[1:]] == ["N337", "N328", "N328"]
    assert all("; hint: " in line for line in lines)
    assert os.linesep not in lines[1]
