"""The demo plays on a stage of its own, or not at all: the administrator's node is never part of it."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from office_node.rehearsal import demo
from office_node.rehearsal.demo.stage import Stage
from office_node.rehearsal.demo.tally import Tally
from tests import command_line
from tests.office import ROOT, SHIPPED_SETTINGS

ASTRAY = {
    "a library elsewhere": ('store = "../var/library"', 'store = "{elsewhere}/library"', "[library] store"),
    "a library above": ('store = "../var/library"', 'store = "../../library"', "[library] store"),
    "a database elsewhere": ("sqlite:///../var/office.db", "sqlite:///{elsewhere}/office.db", "[database] url"),
    "a server": ("sqlite:///../var/office.db", "postgresql://office@127.0.0.1:1/office", "[database] url"),
    "a key elsewhere": ("../keys/download_links.key", "{elsewhere}/links.key", "[off] download_link_key_file"),
    "a client's key": (
        '["../keys/rehearsal_wipo_public.pem"]',
        '["{elsewhere}/wipo.pem"]',
        "[authorization_server.clients] public_key_files",
    ),
    "a listener": ('listen = "127.0.0.1:8180"', 'listen = "127.0.0.1:8443"', "[web] listen"),
    "the usual listener": ('listen = "127.0.0.1:8190"', "", "[rehearsal] listen"),
    "a public address": ('public_url = "http://127.0.0.1:8180"', 'public_url = "https://o.test"', "[web] public_url"),
    "another issuer": (
        'issuer = "http://127.0.0.1:8190/am/oauth2"',
        'issuer = "https://as.test/am/oauth2"',
        "[wipo_authorization_server] issuer",
    ),
    "another key set": (
        'jwks_url = "http://127.0.0.1:8190/am/oauth2/connect/jwk_uri"',
        'jwks_url = "https://as.test/keys"',
        "[wipo_authorization_server] jwks_url",
    ),
    "another central": ("http://127.0.0.1:8190/das-api/v1", "https://das.test/das-api/v1", "[wipo] base_url"),
}


@pytest.mark.parametrize(("shipped", "changed", "told"), ASTRAY.values(), ids=ASTRAY)
def test_it_refuses_settings_that_reach_beyond_its_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shipped: str, changed: str, told: str
) -> None:
    stages, elsewhere, file = tmp_path / "stages", tmp_path / "elsewhere", tmp_path / "config" / "office.toml"
    for folder in (stages, elsewhere, file.parent):
        folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(stages))
    text = SHIPPED_SETTINGS.read_text()
    assert shipped in text
    file.write_text(text.replace(shipped, changed.format(elsewhere=elsewhere), 1))

    ran = command_line.run(file, "rehearsal", "demo")

    assert (ran.exit_code, ran.stdout) == (1, "")
    assert ran.stderr.startswith(f"N703 the demo would reach beyond its own folder and ports: {told}; hint: ")
    assert ran.stderr.count("\n") == 1
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*"))
    assert left == ["config", "config/office.toml", "elsewhere", "stages"]


def test_sigterm_ends_its_processes_and_takes_its_folder_away(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "office_node", "--config", str(SHIPPED_SETTINGS), "rehearsal", "demo"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        told = ""
        while "office-node rehearsal serve" not in told:
            told = process.stdout.readline()
            assert told
        assert told.startswith("  ok ")
        assert running_in(tmp_path)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert [*tmp_path.iterdir()] == []
    assert running_in(tmp_path) == []


def test_a_part_with_a_step_that_fails_is_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    file = tmp_path / "office.toml"
    text = SHIPPED_SETTINGS.read_text().replace("[library]", "[library]\nmax_document_bytes = 1024")
    file.write_text(text)
    ran = command_line.run(file, "rehearsal", "demo")
    assert ran.exit_code == 1
    assert re.search(r"^  FAILED office-node library add priority.pdf +N\d{3} ", ran.stdout, re.MULTILINE)
    assert "The processes start" not in ran.stdout
    assert [*tmp_path.iterdir()] == [file]


def test_the_last_lines_of_the_log_stand_under_a_step_that_failed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "demo.log"
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    tally = Tally(log)
    tally.step("good", True, "")
    assert "line" not in capsys.readouterr().out
    tally.step("bad", False, "seen")
    told = capsys.readouterr().out.splitlines()
    assert told[0].split() == ["FAILED", "bad", "seen"]
    assert told[1].strip() == "| line 92"
    assert told[-1].strip() == "| line 99"
    assert (tally.passed, tally.failed) == (1, 1)


def test_a_part_that_breaks_off_is_a_step_that_failed_and_shows_no_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = Stage(tmp_path, tmp_path / "office.toml", "http://o.test", "http://c.test", tmp_path / "log")
    stage.secrets.append("s3cr3t")
    tally = Tally(stage.log_file)

    def part(_stage: Stage, _tally: Tally) -> None:
        raise KeyError("s3cr3t and more")

    demo.play(part, stage, tally)
    assert (tally.passed, tally.failed) == (0, 1)
    assert capsys.readouterr().out.split() == ["FAILED", "the", "next", "step", "KeyError:", "'[cut]", "and", "more'"]


def running_in(folder: Path) -> list[str]:
    """The command lines of the processes that run on something in `folder`."""
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(file.read_text().replace("\0", " "))
        except OSError:  # it ended meanwhile
            continue
    return [line for line in lines if str(folder) in line and "pytest" not in line.split()[:4]]
