"""Keys as they lie on the disk, and as the rest of the node holds them: parsed once, never written out again."""

import base64
import binascii
import json
import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from office_node.errors import OfficeNodeError

SECRET_BYTES = 32
_LEFTOVER_SECONDS = 60  # longer than any writing takes


_MAKE_MISSING = "see that the path is right; `office-node keys generate` makes keys where none ever was"
_RESTORE = "restore it from the backup of the keys; `office-node keys generate` touches no file that is there"
_ASK_OWNER = "ask its owner for it; `office-node keys generate` makes our own keys and the rehearsal's, no others"
_WRITE_PASSWORD = "write the password alone into it, for the node's user only"  # noqa: S105  a hint, not a password


class KeyUnusable(OfficeNodeError):
    """A key file is missing, or cannot be read as what it should be."""

    code = "N101"
    hint = _RESTORE


class KeyOpenToOthers(KeyUnusable):
    """Others on this machine may read a secret."""

    code = "N102"
    hint = "chmod 600; if others may have read it, put a new one in its place"


class WrongKind(KeyUnusable):
    """A key of another kind or curve than the one that is wanted, or a private one where a public one belongs."""

    code = "N103"
    hint = "ES256 needs the curve prime256v1"


def load_private_key(path: Path) -> ECKey:
    """The P-256 private key in a PEM file (PKCS#8 or EC PRIVATE KEY) that nobody else may read.

    Its `kid` is the RFC 7638 thumbprint. Raises `KeyUnusable`.
    """
    pem = _read_private(path, _MAKE_MISSING)
    key = _private_key_in(path, pem)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise WrongKind(f"{path}: not a P-256 key")
    return _named(ECKey.import_key(pem))


def load_tls_key(path: Path) -> PrivateKeyTypes:
    """The private key (PEM) of any kind in a file that nobody else may read. Raises `KeyUnusable`."""
    return _private_key_in(path, _read_private(path, "put the key of the certificate here"))


def load_public_key(path: Path) -> ECKey:
    """The P-256 public key in a certificate (PEM), a public key (PEM) or a JWK (JSON); `kid` as the file says, else
    the RFC 7638 thumbprint. Raises `KeyUnusable`, also for a file that holds a private key.
    """
    content = read(path, _ASK_OWNER)
    if b"PRIVATE KEY" in content:
        raise WrongKind(f"{path}: holds a private key", hint="name the public half or the certificate here")
    try:
        if content.lstrip().startswith(b"{"):
            return _named(_import_jwk(path, json.loads(content)))
        public = _public_key_of(content)
    except (ValueError, TypeError, JoseError) as exc:
        raise KeyUnusable(f"{path}: no certificate, public key or JWK", hint=_ASK_OWNER) from exc
    if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
        raise WrongKind(f"{path}: not a P-256 key")
    return _named(ECKey.import_key(_pem(public)))


def load_either_half(path: Path) -> ECKey:
    """A P-256 private key, or its public half where that is enough.

    Raises `KeyUnusable`.
    """
    content = read(path, _MAKE_MISSING)
    return load_public_key(path) if b"PUBLIC KEY" in content else load_private_key(path)


def load_secret(path: Path) -> bytes:
    """32 random bytes, in base64 in a file that nobody else may read. Raises `KeyUnusable`."""
    try:
        secret = base64.b64decode(b"".join(_read_private(path, _MAKE_MISSING).split()), validate=True)
    except binascii.Error as exc:
        raise KeyUnusable(f"{path}: not base64") from exc
    if len(secret) != SECRET_BYTES:
        raise KeyUnusable(f"{path}: does not hold {SECRET_BYTES} bytes in base64")
    return secret


def load_password(path: Path) -> str:
    """The first line of a file that nobody else may read. Raises `KeyUnusable`."""
    try:
        password = _read_private(path, _WRITE_PASSWORD).decode().partition("\n")[0].strip()
    except UnicodeDecodeError as exc:
        raise KeyUnusable(f"{path}: no text in UTF-8", hint=_WRITE_PASSWORD) from exc
    if not password:
        raise KeyUnusable(f"{path}: its first line is empty", hint=_WRITE_PASSWORD)
    return password


def is_there(path: Path) -> bool:
    """Whether something lies at the path; not, when its folder is closed to us: reading it will tell why."""
    try:
        return path.exists()
    except PermissionError:
        return False


def public_jwk(key: ECKey) -> dict[str, Any]:
    """The public half as a JWK for checking signatures (RFC 7517 4)."""
    return {**key.as_dict(private=False), "use": "sig", "alg": "ES256"}


def generate_private_key(path: Path) -> None:
    """Write a new P-256 key to a path where nothing is yet: as `openssl ecparam -genkey -noout` does, mode 0600."""
    key = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PrivateFormat.TraditionalOpenSSL
    write_new(path, key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))


def write_public_half(private_path: Path, path: Path) -> None:
    """Write the public half (PEM) of the key in `private_path` to a path where nothing is yet."""
    write_new(path, load_private_key(private_path).as_pem(private=False), mode=0o644)


def generate_secret(path: Path) -> None:
    """Write 32 new random bytes in base64 (mode 0600) to a path where nothing is yet."""
    write_new(path, base64.b64encode(secrets.token_bytes(SECRET_BYTES)) + b"\n")


def write_new(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file whole or not at all, to a path where nothing is yet. Raises `KeyUnusable`."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with _told_of(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _remove_leftovers(path.parent)
        try:
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                os.fchmod(file.fileno(), mode)  # whatever the umask is
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.link(temporary, path)  # unlike a rename, it never replaces
        finally:
            temporary.unlink(missing_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # a key that was published must survive a power cut
        finally:
            os.close(folder)


def _remove_leftovers(folder: Path) -> None:
    """What killed processes left under a second name: it must not outlive the key."""
    for leftover in folder.glob(".*." + 16 * "[0-9a-f]"):
        if time.time() - leftover.stat().st_mtime > _LEFTOVER_SECONDS:
            leftover.unlink(missing_ok=True)


def _import_jwk(path: Path, members: object) -> ECKey:
    if not isinstance(members, dict) or "d" in members:
        raise WrongKind(f"{path}: no public JWK", hint="a JWK here has no member `d`")
    if members.get("kty") != "EC" or members.get("crv") != "P-256":
        raise WrongKind(f"{path}: not a P-256 key", hint="ES256 needs kty EC and crv P-256")
    return ECKey.import_key(members)


def _private_key_in(path: Path, pem: bytes) -> PrivateKeyTypes:
    try:
        return serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise KeyUnusable(f"{path}: no unencrypted private key in PEM form") from exc


def _public_key_of(pem: bytes) -> object:
    if b"BEGIN CERTIFICATE" in pem:
        return x509.load_pem_x509_certificate(pem).public_key()
    return serialization.load_pem_public_key(pem)


def _named(key: ECKey) -> ECKey:
    key.ensure_kid()
    return key


def _pem(public: ec.EllipticCurvePublicKey) -> bytes:
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def read(path: Path, if_missing: str) -> bytes:
    """The bytes of a key file; `if_missing` is the hint when it is not there. Raises `KeyUnusable`."""
    # A pipe laid there would make whoever opens it wait for ever: the start, a reload, the thread that looks for keys.
    with _told_of(path, if_missing), open(path, "rb", opener=_open_without_waiting) as file:
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return file.read()
    raise KeyUnusable(f"{path}: no file", hint=if_missing)


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def _read_private(path: Path, if_missing: str) -> bytes:
    content = read(path, if_missing)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        hint = f"chmod 600 {path}; if others may have read it, put a new one in its place"
        raise KeyOpenToOthers(f"{path}: others on this machine may read it", hint=hint)
    return content


@contextmanager
def _told_of(path: Path, if_missing: str | None = None) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as exc:
        raise KeyUnusable(f"{path}: {exc.strerror}", hint=if_missing) from exc
    except FileExistsError as exc:
        raise KeyUnusable(f"{path}: {exc.strerror}", hint="move away what is there, or name another file") from exc
    except OSError as exc:
        raise KeyUnusable(f"{path}: {exc.strerror}", hint="see that the node's user may read and write there") from exc
