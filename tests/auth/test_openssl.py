"""The four files for WIPO are what the openssl commands of WIPO's page make: openssl reads and redoes them.

The commands: `ecparam -genkey -name prime256v1 -noout`, `ec -pubout`, `req -x509 -new -config openssl.cnf`.
"""

import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from office_node import clock
from office_node.auth import keys
from office_node.auth.certificates import load_certificate, make_siblings

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command is not installed")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The four files of the client `DAS`."""
    private = tmp_path / "es256_private.pem"
    keys.generate_private_key(private)
    made = make_siblings(private, "DAS")
    assert {path.name for path in made} == {"es256_public.pem", "es256_cert.pem", "openssl.cnf"}
    return tmp_path


def openssl(folder: Path, *arguments: str) -> bytes:
    ran = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr.decode()
    return ran.stdout


def test_the_private_key_is_what_openssl_would_write(folder: Path) -> None:
    assert openssl(folder, "ec", "-in", "es256_private.pem") == (folder / "es256_private.pem").read_bytes()
    assert b"NIST CURVE: P-256" in openssl(folder, "ec", "-in", "es256_private.pem", "-noout", "-text")


def test_the_public_key_is_what_openssl_would_write(folder: Path) -> None:
    public = (folder / "es256_public.pem").read_bytes()
    assert openssl(folder, "pkey", "-in", "es256_private.pem", "-pubout") == public
    assert openssl(folder, "ec", "-in", "es256_private.pem", "-pubout") == public
    assert openssl(folder, "x509", "-in", "es256_cert.pem", "-noout", "-pubkey") == public


def test_the_certificate_is_what_openssl_would_write_and_verifies(folder: Path) -> None:
    assert openssl(folder, "x509", "-in", "es256_cert.pem") == (folder / "es256_cert.pem").read_bytes()
    assert openssl(folder, "verify", "-CAfile", "es256_cert.pem", "es256_cert.pem") == b"es256_cert.pem: OK\n"
    assert b"Signature Algorithm: ecdsa-with-SHA256" in openssl(
        folder, "x509", "-in", "es256_cert.pem", "-noout", "-text"
    )


def test_the_certificate_counts_from_now_for_two_years(folder: Path) -> None:
    certificate = load_certificate(folder / "es256_cert.pem")
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == timedelta(days=730)
    assert certificate.not_valid_before_utc <= clock.now()


def test_openssl_signs_the_same_certificate_anew_from_the_config_beside_it(folder: Path) -> None:
    lines = (folder / "openssl.cnf").read_text().splitlines()
    assert lines == [
        "[ req ]",
        "prompt = no",
        "distinguished_name = req_distinguished_name",
        "[ req_distinguished_name ]",
        "CN = DAS private_key_jwt authentication",
    ]
    ours, theirs = _signed_anew(folder)
    assert theirs.subject.public_bytes() == ours.subject.public_bytes()
    assert theirs.issuer == ours.issuer
    assert theirs.public_key() == ours.public_key()


@pytest.mark.parametrize(
    ("client_id", "common_name"),
    [
        ("das-xx-office", "das-xx-office private_key_jwt authentication"),
        ("a$b#c\\d'e\"f`g;h=i,j+k/l%m", "a$b#c\\d'e\"f`g;h=i,j+k/l%m private_key_jwt authentication"),
        ("x" * 90, "x" * 64),
    ],
    ids=["shipped", "odd characters", "too long for a name"],
)
def test_whatever_the_client_id_openssl_takes_the_config_for_the_same_subject(
    tmp_path: Path, client_id: str, common_name: str
) -> None:
    private = tmp_path / "es256_private.pem"
    keys.generate_private_key(private)
    make_siblings(private, client_id)
    ours, theirs = _signed_anew(tmp_path)
    assert theirs.subject == ours.subject
    assert [name.value for name in ours.subject] == [common_name]


def test_what_the_private_key_signs_the_public_key_verifies(folder: Path) -> None:
    (folder / "text").write_bytes(b"to be signed")
    openssl(folder, "dgst", "-sha256", "-sign", "es256_private.pem", "-out", "signature", "text")
    for half in (["-verify", "es256_public.pem"], ["-prverify", "es256_private.pem"]):
        assert openssl(folder, "dgst", "-sha256", *half, "-signature", "signature", "text") == b"Verified OK\n"


def test_keys_that_openssl_made_are_used_as_they_are(tmp_path: Path) -> None:
    openssl(tmp_path, "ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", "es256_private.pem")
    openssl(tmp_path, "ec", "-in", "es256_private.pem", "-pubout", "-out", "es256_public.pem")
    private = tmp_path / "es256_private.pem"
    private.chmod(0o600)
    before = (tmp_path / "es256_public.pem").read_bytes()
    made = make_siblings(private, "DAS")
    assert {path.name for path in made} == {"es256_cert.pem", "openssl.cnf"}
    assert (tmp_path / "es256_public.pem").read_bytes() == before
    assert keys.load_public_key(tmp_path / "es256_cert.pem").kid == keys.load_private_key(private).kid


def _signed_anew(folder: Path) -> tuple[x509.Certificate, x509.Certificate]:
    command = ["req", "-x509", "-new", "-config", "openssl.cnf", "-key", "es256_private.pem", "-out", "again.pem"]
    openssl(folder, *command)
    return load_certificate(folder / "es256_cert.pem"), load_certificate(folder / "again.pem")
