"""Certificates: ours for WIPO, made as the openssl commands of WIPO's page make it, and how long any of them counts."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import ECKey

from office_node import clock
from office_node.auth import keys
from office_node.auth.keys import KeyUnusable, WrongKind

ALWAYS, FOREVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
OPENSSL_CONFIG = "openssl.cnf"
_MARK = re.compile(r"\.(next|\d{8}T\d{6}Z)$")
_VALID_DAYS = 730  # a registration at WIPO lasts two years; openssl's own default of 30 days would not
_LONGEST_COMMON_NAME = 64  # X.520 ub-common-name


class PairDoesNotMatch(KeyUnusable):
    """A certificate or public key that is not the other half of the private key beside it."""

    code = "N104"
    hint = "move it away and `office-node keys generate` makes the one that fits"


@dataclass(frozen=True, slots=True)
class DatedKey:
    """A public key, and from when until when it counts: as its certificate says, without one for ever."""

    key: ECKey
    not_before: datetime = ALWAYS
    not_after: datetime = FOREVER

    def void_because(self, now: datetime) -> str | None:
        """Why the key does not count now; None when it does."""
        if now >= self.not_after:
            return f"its certificate ended at {self.not_after:%Y-%m-%d %H:%M} UTC"
        if now < self.not_before:
            return f"its certificate counts from {self.not_before:%Y-%m-%d %H:%M} UTC"
        return None


def load_dated_key(path: Path) -> DatedKey:
    """The P-256 public key in a certificate, a public key or a JWK, with its time. Raises `KeyUnusable`."""
    key = keys.load_public_key(path)
    if b"BEGIN CERTIFICATE" not in path.read_bytes():
        return DatedKey(key)
    certificate = load_certificate(path)
    return DatedKey(key, certificate.not_valid_before_utc, certificate.not_valid_after_utc)


def load_certificate(path: Path) -> x509.Certificate:
    """The first certificate (PEM) in a file without private keys. Raises `KeyUnusable`."""
    content = keys.read(path, "`office-node keys generate` makes the certificate of our key at WIPO, no others")
    if b"PRIVATE KEY" in content:
        raise WrongKind(f"{path}: holds a private key", hint="keep the certificate in a file of its own")
    try:
        return x509.load_pem_x509_certificate(content)
    except ValueError as exc:
        raise KeyUnusable(f"{path}: no certificate in PEM form") from exc


def public_siblings(private_path: Path) -> tuple[Path, Path]:
    """Where the public key and the certificate of a private key lie: X_private.pem -> X_public.pem, X_cert.pem."""
    # A key that waits, or has a moment, tells so before its ending: es256_private.next.pem -> es256_cert.next.pem
    mark = _MARK.search(private_path.stem)
    stem = private_path.stem.removesuffix(mark[0] if mark else "").removesuffix("_private")
    public, certificate = (
        private_path.with_name(f"{stem}_{half}{mark[0] if mark else ''}.pem") for half in ("public", "cert")
    )
    return public, certificate


def make_siblings(private_path: Path, client_id: str) -> list[Path]:
    """Make what is missing of public key, certificate and openssl.cnf beside a private key; returns what was made."""
    public, certificate = public_siblings(private_path)
    config, made = private_path.with_name(OPENSSL_CONFIG), []
    if not keys.is_there(public):
        keys.write_public_half(private_path, public)
        made.append(public)
    if not keys.is_there(certificate):
        keys.write_new(certificate, _certificate_pem(private_path, _common_name(client_id)), mode=0o644)
        made.append(certificate)
    if not keys.is_there(config):
        keys.write_new(config, _openssl_config(_common_name(client_id)), mode=0o644)
        made.append(config)
    return made


def check_siblings(private_path: Path, key: ECKey) -> None:
    """Raises `PairDoesNotMatch` for a public key or certificate beside a private key that is another's."""
    for path in public_siblings(private_path):
        if keys.is_there(path) and keys.load_public_key(path).thumbprint() != key.thumbprint():
            raise PairDoesNotMatch(f"{path}: not the public half of {private_path}")


def _common_name(client_id: str) -> str:
    whole = f"{client_id} private_key_jwt authentication"
    return whole if len(whole) <= _LONGEST_COMMON_NAME else client_id[:_LONGEST_COMMON_NAME]


def _certificate_pem(private_path: Path, common_name: str) -> bytes:
    signer = keys.load_private_key(private_path).private_key
    assert isinstance(signer, ec.EllipticCurvePrivateKey), "only P-256 is loaded"  # noqa: S101  for the type alone
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    now = clock.now().replace(microsecond=0)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(signer.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=_VALID_DAYS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


def _openssl_config(common_name: str) -> bytes:
    escaped = re.sub(r"([\\\"'`$#])", r"\\\1", common_name)  # config(5): each would begin something
    lines = ["[ req ]", "prompt = no", "distinguished_name = req_distinguished_name"]
    lines += ["[ req_distinguished_name ]", f"CN = {escaped}"]
    return ("\n".join(lines) + "\n").encode()
