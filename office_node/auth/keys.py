"""Keys as they lie on the disk, and as the rest of the node holds them: parsed once, never written out again."""

import base64
import binascii
import json
import secrets
import stat
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from office_node.errors import OfficeNodeError

SECRET_BYTES = 32


class KeyUnusable(OfficeNodeError):
    """A key file is missing, open to others, or not what it should be."""

    code = "N101"
    hint = "`office-node keys generate` makes the keys that are missing"


def load_private_key(path: Path) -> ECKey:
    """The P-256 private key in a PEM file (PKCS#8 or EC PRIVATE KEY) that nobody else may read.

    Its `kid` is the RFC 7638 thumbprint. Raises `KeyUnusable`.
    """
    pem = _read_private(path)
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as exc:
        raise KeyUnusable(f"{path}: no unencrypted private key in PEM form") from exc
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KeyUnusable(f"{path}: not a P-256 key", hint="ES256 needs the curve prime256v1")
    return _named(ECKey.import_key(pem))


def load_public_key(path: Path) -> ECKey:
    """The P-256 public key in a certificate (PEM), a public key (PEM) or a JWK (JSON); `kid` as the file says, else
    the RFC 7638 thumbprint. Raises `KeyUnusable`, also for a file that holds a private key.
    """
    content = _read(path)
    if b"PRIVATE KEY" in content:
        raise KeyUnusable(f"{path}: holds a private key", hint="name the public half or the certificate here")
    try:
        if content.lstrip().startswith(b"{"):
            return _named(_import_jwk(path, json.loads(content)))
        public = _public_key_of(content)
    except (ValueError, TypeError, JoseError) as exc:
        raise KeyUnusable(f"{path}: no certificate, public key or JWK") from exc
    if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
        raise KeyUnusable(f"{path}: not a P-256 key", hint="ES256 needs the curve prime256v1")
    return _named(ECKey.import_key(_pem(public)))


def load_secret(path: Path) -> bytes:
    """32 random bytes, in base64 in a file that nobody else may read. Raises `KeyUnusable`."""
    try:
        secret = base64.b64decode(b"".join(_read_private(path).split()), validate=True)
    except binascii.Error as exc:
        raise KeyUnusable(f"{path}: not base64") from exc
    if len(secret) != SECRET_BYTES:
        raise KeyUnusable(f"{path}: does not hold {SECRET_BYTES} bytes in base64")
    return secret


def load_password(path: Path) -> str:
    """The first line of a file that nobody else may read. Raises `KeyUnusable`."""
    try:
        password = _read_private(path).decode().partition("\n")[0].strip()
    except UnicodeDecodeError as exc:
        raise KeyUnusable(f"{path}: no text in UTF-8", hint="write the password alone into it") from exc
    if not password:
        raise KeyUnusable(f"{path}: its first line is empty", hint="write the password alone into it")
    return password


def generate_private_key(path: Path) -> None:
    """Write a new P-256 key (PKCS#8 PEM, mode 0600) to a path where nothing is yet."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write_new(path, pem)


def write_public_half(private_path: Path, path: Path) -> None:
    """Write the public half (PEM) of the key in `private_path` to a path where nothing is yet."""
    _write_new(path, load_private_key(private_path).as_pem(private=False), mode=0o644)


def generate_secret(path: Path) -> None:
    """Write 32 new random bytes in base64 (mode 0600) to a path where nothing is yet."""
    _write_new(path, base64.b64encode(secrets.token_bytes(SECRET_BYTES)) + b"\n")


def _import_jwk(path: Path, members: object) -> ECKey:
    if not isinstance(members, dict) or "d" in members:
        raise KeyUnusable(f"{path}: no public JWK", hint="a JWK here has no member `d`")
    if members.get("kty") != "EC" or members.get("crv") != "P-256":
        raise KeyUnusable(f"{path}: not a P-256 key", hint="ES256 needs kty EC and crv P-256")
    return ECKey.import_key(members)


def _public_key_of(pem: bytes) -> object:
    if b"BEGIN CERTIFICATE" in pem:
        return x509.load_pem_x509_certificate(pem).public_key()
    return serialization.load_pem_public_key(pem)


def _named(key: ECKey) -> ECKey:
    key.ensure_kid()
    return key


def _pem(public: ec.EllipticCurvePublicKey) -> bytes:
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise KeyUnusable(f"{path}: {exc.strerror}") from exc


def _read_private(path: Path) -> bytes:
    content = _read(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise KeyUnusable(f"{path}: others on this machine may read it", hint=f"chmod 600 {path}")
    return content


def _write_new(path: Path, content: bytes, mode: int = 0o600) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=mode, exist_ok=False)
        try:
            path.write_bytes(content)
        except OSError:
            path.unlink()  # half a key would count as there
            raise
    except OSError as exc:
        raise KeyUnusable(f"{path}: {exc.strerror}") from exc
