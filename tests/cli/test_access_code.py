"""An access code is asked for, or read from standard input, so that nobody reads it in the list of processes."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.databases import on_sqlite
from tests.office import ROOT, WANTED, Office, pdf, secrets_in

NAMES = ("--kind", WANTED.kind, "--number", WANTED.number, "--date", WANTED.date)


@pytest.fixture
def document(office: Office) -> Path:
    file = office.folder / "document.pdf"
    file.write_bytes(pdf(1_000))
    return file


def command(office: Office, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "office_node", "--config", str(office.settings_file), *arguments]


def add(office: Office, document: Path, typed: str) -> "subprocess.CompletedProcess[str]":
    arguments = command(office, "library", "add", str(document), *NAMES)
    return subprocess.run(arguments, input=typed, capture_output=True, text=True, check=False, timeout=60)


@on_sqlite
def test_it_is_the_first_line_of_standard_input(office: Office, document: Path) -> None:
    for typed in (f"{WANTED.access_code}\n", f"{WANTED.access_code}\r\nZZ99\n", WANTED.access_code):
        ran = add(office, document, typed)
        assert ran.returncode == 0, ran.stderr
        assert ran.stderr == ""
    office.start_web()
    assert office.operator().forward(WANTED).status_code == 201


@on_sqlite
@pytest.mark.parametrize("typed", ["", "\n", " \nAB21\n"])
def test_an_empty_first_line_is_wrong_usage(office: Office, document: Path, typed: str) -> None:
    ran = add(office, document, typed)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "Missing option '--access-code'. Write it on the first line of standard input." in ran.stderr


@on_sqlite
def test_on_a_terminal_it_is_asked_for_and_not_echoed(office: Office, document: Path) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command(office, "library", "add", str(document), *NAMES),
        cwd=ROOT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        shown = _read_until(ours, b"Access code: ")
        os.write(ours, f"{WANTED.access_code}\n".encode())
        shown += _read_until(ours, b"Repeat for confirmation: ")
        os.write(ours, f"{WANTED.access_code}\n".encode())
        shown += _read_until(ours, b"\r\n", b"added: ")
        process.wait(timeout=60)
    os.close(ours)
    assert process.returncode == 0, shown
    assert WANTED.access_code.encode() not in shown
    assert b"added: patent US 98/012,357" in shown


@on_sqlite
def test_wrong_usage_repeats_no_access_code(office: Office, document: Path) -> None:
    ran = add(office, document, "much too long\n")
    assert ran.returncode == 1
    assert "much too long" not in ran.stdout + ran.stderr
    assert secrets_in(ran.stderr) == []


def _read_until(terminal: int, *ends: bytes) -> bytes:
    """What the terminal shows until each of `ends` has come, and the line of the last is whole or all is said."""
    shown = b""
    while not all(end in shown for end in ends):
        try:
            read = os.read(terminal, 1024)
        except OSError:  # the other end is closed
            break
        if not read:
            break
        shown += read
    return shown
