"""`keys list` and `keys export`: every key with its time, and nothing secret ever."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from cryptography import x509
from joserfc.jwk import ECKey

from office_node.auth import keys
from tests import command_line
from tests.auth.issued import issue
from tests.cli.conftest import NOW
from tests.settings.files import write


def _run(file: Path, *arguments: str, at: datetime = NOW) -> str:
    with time_machine.travel(at, tick=False):
        ran = command_line.run(file, "keys", *arguments)
    assert ran.exit_code == 0, ran.output
    return ran.stdout


def _secrets(folder: Path) -> list[str]:
    """Every line of every secret file that is no heading."""
    return [
        line
        for path in folder.iterdir()
        if path.stat().st_mode & 0o777 == 0o600
        for line in path.read_text().splitlines()
        if not line.startswith("--")
    ]


def test_every_key_is_listed_with_its_time(file: Path, folder: Path) -> None:
    _run(file, "rotate", "token-signing")
    _run(file, "rotate", "wipo-client")
    listed = json.loads(_run(file, "list", "--json", at=NOW + timedelta(seconds=700)))
    told = [(key["use"], Path(key["file"]).name, key["state"], key["until"], key["days_left"]) for key in listed]
    end = "2028-11-21T10:15:00+00:00"
    assert told == [
        ("WIPO client", "es256_private.pem", "active", end, 729),
        ("WIPO client", "es256_private.next.pem", "next", end, 729),
        ("token signing", "token_signing.pem", "old", "2026-11-22T10:41:00+00:00", 0),
        ("token signing", "token_signing.20261122T102500Z.pem", "active", None, None),
        ("client wipo-das", "rehearsal_wipo_public.pem", "active", None, None),
        ("storage", "storage.pem", "active", None, None),
        ("timeline", "timeline.pem", "active", None, None),
        ("access codes", "access_codes.key", "active", None, None),
        ("download links", "download_links.key", "active", None, None),
        ("rehearsal WIPO", "rehearsal_wipo.pem", "active", None, None),
        ("rehearsal office", "es256_cert.pem", "active", end, 729),
    ]
    thumbprints = {Path(key["file"]).name: key["thumbprint"] for key in listed}
    assert thumbprints["es256_private.pem"] == keys.load_private_key(folder / "es256_private.pem").thumbprint()
    assert thumbprints["access_codes.key"] is None
    states = [key["state"] for key in json.loads(_run(file, "list", "--json", at=NOW + timedelta(days=1)))]
    assert states[2:4] == ["retired", "active"]


def test_the_columns_fit_a_terminal_and_hold_no_secret(tmp_path: Path, file: Path, folder: Path) -> None:
    long_id = write(tmp_path, {"authorization_server.clients.0.client_id": "x" * 200})
    _run(file, "rotate", "token-signing")
    lines = _run(long_id, "list").splitlines()
    assert lines[0].split() == ["use", "thumbprint", "state", "since", "until", "days"]
    assert len(lines) == 11
    assert max(map(len, lines)) <= 120
    assert [line for line in _secrets(folder) if line in "\n".join(lines)] == []


def test_a_key_that_cannot_be_used_is_listed_as_such_and_told(file: Path, folder: Path) -> None:
    (folder / "download_links.key").chmod(0o644)
    with time_machine.travel(NOW):
        ran = command_line.run(file, "keys", "list", "--json")
    [broken] = [key for key in json.loads(ran.stdout) if key["state"] == "unusable"]
    assert (broken["use"], broken["fault"][:4]) == ("download links", "N102")
    assert command_line.run(file, "keys", "list").stderr.startswith("N102 ")


def test_a_tls_certificate_is_listed(tmp_path: Path, file: Path, folder: Path) -> None:
    key = folder / "tls.key"
    keys.generate_private_key(key)
    tls = issue(key, folder / "tls.pem", NOW, NOW + timedelta(days=90))
    changes = {"web.certificate_file": str(tls), "web.certificate_key_file": str(key)}
    listed = json.loads(_run(write(tmp_path, changes), "list", "--json"))
    [told] = [entry for entry in listed if entry["use"] == "TLS"]
    assert (told["thumbprint"], told["days_left"]) == (keys.load_private_key(key).thumbprint(), 90)


def test_wipos_certificate_is_exported_and_with_next_the_next(file: Path, folder: Path) -> None:
    assert _run(file, "export", "wipo-client") == (folder / "es256_cert.pem").read_text()
    _run(file, "rotate", "wipo-client")
    assert _run(file, "export", "wipo-client", "--next") == (folder / "es256_cert.next.pem").read_text()
    _run(file, "rotate", "wipo-client", "--activate")
    activated = (folder / "es256_cert.20261122T101500Z.pem").read_text()
    assert _run(file, "export", "wipo-client", at=NOW + timedelta(seconds=1)) == activated


@pytest.mark.parametrize(
    ("use", "name"), [("wipo-client", "es256_private.pem"), ("token-signing", "token_signing.pem")]
)
def test_a_jwk_is_public(file: Path, folder: Path, use: str, name: str) -> None:
    jwk = json.loads(_run(file, "export", use, "--jwk"))
    key = keys.load_private_key(folder / name)
    assert jwk == {**key.as_dict(private=False), "use": "sig", "alg": "ES256"}
    assert "d" not in jwk
    assert ECKey.import_key(jwk).thumbprint() == key.kid


def test_the_public_key_of_token_signing_is_exported(file: Path, folder: Path) -> None:
    printed = _run(file, "export", "token-signing")
    assert printed.encode() == keys.load_private_key(folder / "token_signing.pem").as_pem(private=False)


def test_a_certificate_file_that_holds_more_is_not_printed(file: Path, folder: Path) -> None:
    certificate = folder / "es256_cert.pem"
    certificate.write_bytes(certificate.read_bytes() + (folder / "es256_private.pem").read_bytes())
    ran = command_line.run(file, "keys", "export", "wipo-client")
    assert (ran.exit_code, ran.stdout, ran.stderr[:4]) == (1, "", "N103")


def test_an_export_into_a_file_never_replaces_one(tmp_path: Path, file: Path, folder: Path) -> None:
    target = tmp_path / "for-wipo.pem"
    assert _run(file, "export", "wipo-client", "--output", str(target)) == f"wrote {target}\n"
    x509.load_pem_x509_certificate(target.read_bytes())
    private = folder / "es256_private.pem"
    before = private.read_bytes()
    ran = command_line.run(file, "keys", "export", "wipo-client", "--output", str(private))
    assert (ran.exit_code, ran.stderr[:4], private.read_bytes()) == (1, "N101", before)


def test_without_a_next_key_there_is_none_to_export(file: Path) -> None:
    ran = command_line.run(file, "keys", "export", "token-signing", "--next")
    assert (ran.exit_code, ran.stderr[:4]) == (1, "N111")
