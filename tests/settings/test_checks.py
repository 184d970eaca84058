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


@pytest.mark.parametrize(
    ("place", "address"),
    [
        ("wipo.base_url", "https://das.example.org./v1"),
        ("wipo.token_url", "https://2130706433/token"),
        ("wipo.token_url", "https://das.example.org/a b"),
        ("wipo_authorization_server.jwks_url", "https://d\u00e4s.example.org/jwks"),
        ("egress.proxy", "http://0x7f.1:3128"),
    ],
)
def test_an_address_that_would_be_refused_at_the_first_call_is_a_finding(
    folder: Path, place: str, address: str
) -> None:
    checked = command_line.run(write(folder, {place: address}), "config", "check")
    section, key = place.split(".")
    assert checked.exit_code == 1
    assert checked.stderr.startswith(f"N606 office.toml [{section}] {key}: an address is not written plainly")
    assert len(checked.stderr.splitlines()) == 1


@pytest.mark.parametrize("address", ["https://10.1.2.3/v1", "https://[fd12::9]:8443/v1", "https://DAS.example.org/v1"])
def test_a_private_address_that_a_section_names_is_meant(folder: Path, address: str) -> None:
    checked = command_line.run(write(folder, {"wipo.base_url": address}), "config", "check")
    assert (checked.exit_code, checked.stderr) == (0, "")


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
