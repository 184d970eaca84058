"""Every fault of a key has a number of its own in `config check`, and only a danger keeps the node from starting."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from office_node import checks, settings
from office_node.auth import keys
from office_node.auth.key_generation import make_missing
from office_node.auth.key_ring import dated
from office_node.settings import Finding
from tests import command_line
from tests.auth.issued import issue
from tests.settings.files import GONE, write

NOW, DAY = datetime.now(UTC), timedelta(days=1)
WIPO_KEY = "[wipo] client_key_file"
CLIENT = "[authorization_server.clients wipo-das] public_key_files"
Check = Callable[..., list[Finding]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the keys, all there and good."""
    make_missing(settings.load(write(tmp_path, {})))
    return tmp_path / "keys"


@pytest.fixture
def check(tmp_path: Path, folder: Path) -> Check:
    def check(changes: dict[str, Any] | None = None) -> list[Finding]:
        return checks.check(settings.load(write(tmp_path, changes or {})), "office.toml")

    return check


def _told(findings: list[Finding]) -> list[tuple[str, str, bool, bool]]:
    return [(found.number, found.place, found.is_warning, found.node_starts) for found in findings]


def _client(*files: Path) -> dict[str, Any]:
    return {"authorization_server.clients.0.public_key_files": [str(file) for file in files]}


def test_keys_as_they_are_made_are_good(check: Check) -> None:
    assert check() == []


def test_a_private_key_that_others_may_read_is_a_danger(check: Check, folder: Path) -> None:
    (folder / "es256_private.pem").chmod(0o640)
    assert _told(check()) == [("N102", WIPO_KEY, False, False)]


def test_a_key_on_a_wrong_curve_is_a_danger(check: Check, folder: Path) -> None:
    other = ec.generate_private_key(ec.SECP384R1())
    (folder / "token_signing.pem").write_bytes(
        other.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    )
    assert _told(check()) == [("N103", "[authorization_server] signing_key_file", False, False)]


@pytest.mark.parametrize("half", ["es256_public.pem", "es256_cert.pem"])
def test_a_public_half_of_another_key_is_a_danger(check: Check, folder: Path, half: str) -> None:
    stranger = folder / "stranger.pem"
    keys.generate_private_key(stranger)
    (folder / half).unlink()
    if "cert" in half:
        issue(stranger, folder / half, NOW - DAY, NOW + 700 * DAY)
    else:
        keys.write_public_half(stranger, folder / half)
    [found] = check()
    assert _told([found]) == [("N104", WIPO_KEY, False, False)]
    assert str(folder / half) in found.what
    assert "move it away" in found.hint


def test_a_certificate_of_the_ring_has_to_fit_its_own_key(check: Check, folder: Path) -> None:
    later = dated(folder / "es256_private.pem", NOW - DAY)
    keys.generate_private_key(later)
    shutil.copy(folder / "es256_cert.pem", dated(folder / "es256_cert.pem", NOW - DAY))
    assert _told(check()) == [("N104", WIPO_KEY, False, False)]


def _tls(folder: Path, begins: datetime, ends: datetime, key: str = "tls.key") -> dict[str, Any]:
    for name in ("tls.key", "other.key"):
        keys.generate_private_key(folder / name)
    certificate = issue(folder / "tls.key", folder / "tls.pem", begins, ends)
    return {"web.certificate_file": str(certificate), "web.certificate_key_file": str(folder / key)}


def test_a_tls_certificate_has_to_fit_its_key(check: Check, folder: Path) -> None:
    assert _told(check(_tls(folder, NOW - DAY, NOW + 90 * DAY, "other.key"))) == [
        ("N104", "[web] certificate_file", False, False)
    ]


def test_a_tls_certificate_with_its_key_is_good(check: Check, folder: Path) -> None:
    assert check(_tls(folder, NOW - DAY, NOW + 90 * DAY)) == []


@pytest.mark.parametrize(
    ("begins", "ends", "number"),
    [
        (NOW - 9 * DAY, NOW - DAY, "N105"),
        (NOW + DAY, NOW + 90 * DAY, "N106"),
        (NOW - DAY, NOW + 59 * DAY, "N107"),
    ],
    ids=["ended", "not yet", "ends soon"],
)
def test_our_own_certificate_out_of_time_is_a_warning(
    check: Check, folder: Path, begins: datetime, ends: datetime, number: str
) -> None:
    issue(folder / "es256_private.pem", folder / "es256_cert.pem", begins, ends)
    found = check(_tls(folder, begins, ends))
    assert {(found.number, found.place, found.is_warning) for found in found} == {
        (number, WIPO_KEY, True),
        (number, "[web] certificate_file", True),
    }


@pytest.mark.parametrize(
    ("begins", "ends", "told"),
    [
        (NOW - 9 * DAY, NOW - DAY, ("N105", CLIENT, False, True)),
        (NOW + DAY, NOW + 90 * DAY, ("N106", CLIENT, True, False)),
        (NOW - DAY, NOW + 59 * DAY, ("N107", CLIENT, True, False)),
    ],
    ids=["ended", "not yet", "ends soon"],
)
def test_a_clients_ended_certificate_is_a_fault_with_which_the_node_starts(
    check: Check, folder: Path, begins: datetime, ends: datetime, told: tuple[str, str, bool, bool]
) -> None:
    certificate = issue(folder / "rehearsal_wipo.pem", folder / "wipo_cert.pem", begins, ends)
    assert _told(check(_client(certificate))) == [told]


PRODUCTION = {
    "web.public_url": "https://das.example.org",
    "ingress.allow": ["192.0.2.0/24"],
    "ingress.trusted_proxies": 1,
    "rehearsal": GONE,
}


def test_the_rehearsals_key_in_production_is_a_danger_with_its_section_gone_too(check: Check, folder: Path) -> None:
    [found] = check(PRODUCTION)
    assert _told([found]) == [("N108", CLIENT, False, False)]
    assert str(folder / "rehearsal_wipo.pem") in found.what


def test_our_own_key_as_a_clients_in_production_is_a_danger(check: Check, folder: Path) -> None:
    own = _client(folder / "es256_cert.pem")
    assert _told(check(PRODUCTION | own)) == [("N108", CLIENT, False, False)]
    assert check(own) == []  # on this machine alone we may play both


def test_a_client_whose_private_key_is_elsewhere_is_good_in_production(check: Check, folder: Path) -> None:
    (folder / "rehearsal_wipo.pem").rename(folder.parent / "elsewhere.pem")
    assert check(PRODUCTION) == []


def test_one_key_in_two_roles_is_a_danger(check: Check, folder: Path) -> None:
    shutil.copy(folder / "es256_private.pem", folder / "token_signing.pem")
    assert _told(check()) == [("N109", "[authorization_server] signing_key_file", False, False)]


def test_one_secret_in_two_roles_is_a_danger(check: Check, folder: Path) -> None:
    shutil.copy(folder / "access_codes.key", folder / "download_links.key")
    assert _told(check()) == [("N109", "[off] download_link_key_file", False, False)]


def test_a_next_key_that_cannot_be_used_does_not_keep_the_node_from_starting(check: Check, folder: Path) -> None:
    dated(folder / "token_signing.pem", NOW + DAY).touch(mode=0o600)
    assert _told(check()) == [("N101", "[authorization_server] signing_key_file", False, True)]


@pytest.mark.parametrize(
    ("setting", "name", "remedy"),
    [
        ("database.password_file", "password", "write the password alone into it"),
        ("authorization_server.clients.0.public_key_files", "wipo.pem", "ask its owner for it"),
        ("wipo.client_key_file", "none.pem", "see that the path is right; `office-node keys generate` makes keys"),
    ],
)
def test_who_makes_what_is_missing_is_told_as_it_is(
    check: Check, folder: Path, setting: str, name: str, remedy: str
) -> None:
    path = str(folder / name)
    [found] = check({setting: [path] if setting.endswith("files") else path})
    assert (found.number, found.hint.startswith(remedy)) == ("N101", True)


def test_warnings_are_printed_and_the_file_is_still_good(tmp_path: Path, folder: Path) -> None:
    issue(folder / "es256_private.pem", folder / "es256_cert.pem", NOW - DAY, NOW + 20 * DAY)
    checked = command_line.run(write(tmp_path, {}), "config", "check")
    assert (checked.exit_code, checked.stdout) == (0, f"{tmp_path}/config/office.toml: good\n")
    assert checked.stderr.startswith(
        f"warning: N107 office.toml {WIPO_KEY}: {folder}/es256_private.pem: the certificate"
    )
    issue(folder / "rehearsal_wipo.pem", folder / "wipo_cert.pem", NOW - 9 * DAY, NOW - DAY)
    failed = command_line.run(write(tmp_path, _client(folder / "wipo_cert.pem")), "config", "check")
    assert (failed.exit_code, failed.stdout) == (1, "")
    assert sorted(line.split()[0] for line in failed.stderr.splitlines()) == ["N105", "warning:"]
