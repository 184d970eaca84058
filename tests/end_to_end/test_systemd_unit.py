"""The shipped systemd unit says nothing that systemd does not understand."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.office import ROOT


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze, from the package systemd")
def test_systemd_understands_every_line_of_the_unit(tmp_path: Path) -> None:
    shipped = (ROOT / "config" / "office-node.service").read_text()
    program = "/opt/office-node/.venv/bin/office-node"
    assert program in shipped
    unit = tmp_path / "office-node.service"
    unit.write_text(shipped.replace(program, "/bin/true"))
    verified = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    told = [line for line in (verified.stdout + verified.stderr).splitlines() if "office-node.service" in line]
    assert (verified.returncode, told) == (0, [])
