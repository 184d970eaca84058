"""What the settings point at is looked at before the node starts."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from office_node import checks, settings
from tests import command_line
from tests.settings.files import write

NOBODY = 65534


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file or directory"),
        ("", "no certificates in PEM form"),
        ("no certificate", "no certificates in PEM form"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no certificates in PEM form"),
    ],
)
def test_a_ca_file_that_cannot_be_used_is_a_finding(folder: Path, content: str | None, reason: str) -> None:
    file = write(folder, {"wipo.ca_file": "../ca.pem"})
    if content is not None:
        (folder / "ca.pem").write_text(content)
    checked = command_line.run(file, "config", "check")
    assert checked.exit_code == 1
    assert checked.stderr.startswith(
        f"N605 office.toml [wipo] ca_file: {folder}/ca.pem: {reason}; hint: name a PEM file"
    )
    assert len(checked.stderr.splitlines()) == 1


def test_a_folder_below_one_that_may_not_be_entered_is_a_finding(folder: Path) -> None:
    with TemporaryDirectory() as outside:  # pytest's own folder is closed to everybody but root
        Path(outside).chmod(0o755)
        locked = Path(outside).resolve() / "locked"
        locked.mkdir(mode=0)
        found = settings.load(write(folder, {"library.store": str(locked / "below" / "library")}))
        with _without_roots_power():
            findings = [finding for finding in checks.check(found, "office.toml") if finding.place == "[library] store"]
    assert [(finding.number, finding.what) for finding in findings] == [("N023", f"{locked} cannot be written")]


@contextmanager
def _without_roots_power() -> Iterator[None]:
    """As a user who may not enter every folder, if it is root who runs this."""
    if os.getuid() != 0:
        yield
        return
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
