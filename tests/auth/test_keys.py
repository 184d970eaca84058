"""Key files: every form that is taken, and for everything else a line that says what is wrong with which file."""

import base64
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, PublicFormat
from joserfc.jwk import ECKey

from office_node.auth import keys
from office_node.auth.keys import KeyUnusable

P256 = ec.generate_private_key(ec.SECP256R1())
OTHERS: dict[str, Any] = {
    "P-384": ec.generate_private_key(ec.SECP384R1()),
    "secp256k1": ec.generate_private_key(ec.SECP256K1()),
    "RSA": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "Ed25519": ed25519.Ed25519PrivateKey.generate(),
}
THUMBPRINT = ECKey.import_key(
    P256.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
).thumbprint()
Write = Callable[..., Path]


def private_pem(key: PrivateKeyTypes, form: PrivateFormat = PrivateFormat.PKCS8, password: bytes = b"") -> bytes:
    sealed = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(Encoding.PEM, form, sealed)


def public_pem(key: Any) -> bytes:
    pem: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem


def certificate(key: Any, days: int = 30) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "WIPO DAS")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM)


def jwk(**changes: Any) -> bytes:
    """The public key as a JWK; a member that is None is left out."""
    members = {**ECKey.import_key(public_pem(P256)).as_dict(private=False), **changes}
    members.pop("kid", None) if "kid" not in changes else None
    return json.dumps({name: value for name, value in members.items() if value is not None}).encode()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(content: bytes, mode: int = 0o600) -> Path:
        path = tmp_path / "key"
        path.write_bytes(content)
        path.chmod(mode)
        return path

    return write


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL], ids=["PKCS8", "EC"])
def test_a_private_key_is_read_from_both_pem_forms(write: Write, form: PrivateFormat) -> None:
    pem = private_pem(P256, form)
    assert (b"EC PRIVATE KEY" in pem) == (form is PrivateFormat.TraditionalOpenSSL)
    key = keys.load_private_key(write(pem))
    assert key.is_private
    assert key.kid == THUMBPRINT
    assert key.as_pem(private=True) == private_pem(P256)


@pytest.mark.parametrize(
    "content",
    [
        certificate(P256),
        certificate(P256, days=-1),
        b"Subject: WIPO DAS\n" + certificate(P256),
        public_pem(P256),
        jwk(),
        b"\n " + jwk(use="sig", alg="ES256"),
    ],
    ids=[
        "certificate",
        "expired certificate",
        "certificate with a heading",
        "public key",
        "JWK",
        "JWK with use and alg",
    ],
)
def test_a_public_key_is_read_from_a_certificate_a_pem_and_a_jwk(write: Write, content: bytes) -> None:
    key = keys.load_public_key(write(content, mode=0o644))
    assert not key.is_private
    assert key.kid == THUMBPRINT
    assert key.as_pem(private=False) == public_pem(P256)


def test_the_key_id_of_a_jwk_is_kept(write: Write) -> None:
    assert keys.load_public_key(write(jwk(kid="wipo-2026"))).kid == "wipo-2026"


@pytest.mark.parametrize("name", OTHERS)
def test_a_private_key_of_another_kind_is_refused(write: Write, name: str) -> None:
    with pytest.raises(KeyUnusable, match=r"N103 .*/key: not a P-256 key; hint: ES256 needs the curve prime256v1"):
        keys.load_private_key(write(private_pem(OTHERS[name])))


@pytest.mark.parametrize("form", [public_pem, certificate], ids=["public key", "certificate"])
@pytest.mark.parametrize("name", OTHERS)
def test_a_public_key_of_another_kind_is_refused(write: Write, name: str, form: Callable[[Any], bytes]) -> None:
    with pytest.raises(KeyUnusable, match=r"N103 .*/key: not a P-256 key; hint: ES256 needs the curve prime256v1"):
        keys.load_public_key(write(form(OTHERS[name])))


@pytest.mark.parametrize(
    "members",
    [
        {"kty": "RSA"},
        {"crv": "P-384"},
        {"crv": "secp256k1"},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": None},
        {"crv": None},
    ],
    ids=str,
)
def test_a_jwk_of_another_kind_is_refused(write: Write, members: dict[str, str]) -> None:
    with pytest.raises(KeyUnusable, match=r"N103 .*/key: not a P-256 key; hint: ES256 needs kty EC and crv P-256"):
        keys.load_public_key(write(jwk(**members)))


@pytest.mark.parametrize(
    "content",
    [
        private_pem(P256),
        private_pem(P256, PrivateFormat.TraditionalOpenSSL),
        private_pem(P256, password=b"secret"),
        certificate(P256) + private_pem(P256),
        jwk(d="c2VjcmV0"),
    ],
    ids=["PKCS8", "EC", "encrypted", "behind a certificate", "JWK"],
)
def test_a_private_key_where_a_public_one_belongs_is_refused(write: Write, content: bytes) -> None:
    with pytest.raises(KeyUnusable, match=r"N103 .*/key: (holds a private key|no public JWK); hint: "):
        keys.load_public_key(write(content))


GARBAGE = {
    "empty": b"",
    "text": b"the key is under the mat",
    "not utf-8": b"\xff\xfe\x00",
    "pem of nothing": b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
    "private pem of nothing": b"-----BEGIN EC KEY-----\nAAAA\n-----END EC KEY-----\n",
    "cut off": public_pem(P256)[:-40],
    "certificate of nothing": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    "cut off certificate": certificate(P256)[:-60],
    "half a json": b'{"kty": "EC"',
    "json list": b"[]",
    "jwk without x": jwk(x=None),
    "jwk without y": jwk(y=None),
    "jwk off the curve": jwk(y="AAAA"),
    "jwk with a number for x": jwk(x=5),
    "jwk with no base64": jwk(x="!!!!"),
    "jwk with a number for kid": jwk(kid=5),
    "jwk not utf-8": b'{"kty": "\xff"}',
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_no_public_key(write: Write, name: str) -> None:
    with pytest.raises(KeyUnusable, match=r"N101 .*/key: no certificate, public key or JWK; hint: "):
        keys.load_public_key(write(GARBAGE[name]))


NO_PRIVATE_KEYS = {**GARBAGE, "public key": public_pem(P256), "encrypted": private_pem(P256, password=b"secret")}


@pytest.mark.parametrize("name", NO_PRIVATE_KEYS)
def test_garbage_is_no_private_key(write: Write, name: str) -> None:
    with pytest.raises(KeyUnusable, match=r"N101 .*/key: no unencrypted private key in PEM form; hint: "):
        keys.load_private_key(write(NO_PRIVATE_KEYS[name]))


SECRET = base64.b64encode(b"s" * 32)
LOADS: dict[str, tuple[Callable[[Path], Any], bytes]] = {
    "private key": (keys.load_private_key, private_pem(P256)),
    "secret": (keys.load_secret, SECRET),
    "password": (keys.load_password, b"hunter2\n"),
}


@pytest.mark.parametrize("name", LOADS)
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o644, 0o777], ids=oct)
def test_a_secret_that_others_on_the_machine_may_read_is_refused(write: Write, name: str, mode: int) -> None:
    load, content = LOADS[name]
    path = write(content, mode)
    with pytest.raises(KeyUnusable, match=f"N102 {path}: others on this machine may read it; hint: chmod 600 {path}"):
        load(path)


@pytest.mark.parametrize("name", LOADS)
@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700], ids=oct)
def test_a_secret_for_the_nodes_user_alone_is_read(write: Write, name: str, mode: int) -> None:
    load, content = LOADS[name]
    assert load(write(content, mode))


@pytest.mark.parametrize(
    ("load", "remedy"),
    [
        (keys.load_private_key, "see that the path is right; `office-node keys generate` makes"),
        (keys.load_secret, "see that the path is right; `office-node keys generate` makes"),
        (keys.load_public_key, "ask its owner for it"),
        (keys.load_password, "write the password alone into it"),
        (keys.load_tls_key, "put the key of the certificate here"),
    ],
)
def test_a_file_that_is_not_there_is_named_and_who_makes_it(
    tmp_path: Path, load: Callable[[Path], Any], remedy: str
) -> None:
    with pytest.raises(KeyUnusable, match=f"N101 {tmp_path}/none: No such file or directory; hint: {remedy}"):
        load(tmp_path / "none")
    with pytest.raises(KeyUnusable, match=f"N101 {tmp_path}: Is a directory; hint: see that the node's user may read"):
        load(tmp_path)


@pytest.mark.parametrize("load", [keys.load_private_key, keys.load_secret])
def test_nobody_is_told_to_generate_over_a_damaged_key(write: Write, load: Callable[[Path], Any]) -> None:
    with pytest.raises(KeyUnusable, match=r"hint: restore it from the backup of the keys; .* touches no file that is"):
        load(write(b"damaged"))


@pytest.mark.parametrize("content", [SECRET, SECRET + b"\n", b"\n" + SECRET[:20] + b"\n" + SECRET[20:]])
def test_a_secret_is_32_bytes_in_base64(write: Write, content: bytes) -> None:
    assert keys.load_secret(write(content)) == b"s" * 32


@pytest.mark.parametrize(
    "content", [b"", b"s" * 32, b"=", SECRET[:-1], base64.b64encode(b"s" * 31), SECRET * 2, b"\xff" * 44]
)
def test_what_is_not_32_bytes_in_base64_is_no_secret(write: Write, content: bytes) -> None:
    with pytest.raises(KeyUnusable, match=r"N101 .*/key: (not base64|does not hold 32 bytes in base64)"):
        keys.load_secret(write(content))


def test_a_password_is_the_first_line(write: Write) -> None:
    assert keys.load_password(write("p\u00e4ss wort\r\nnot this\n".encode())) == "p\u00e4ss wort"


@pytest.mark.parametrize("content", [b"", b"\n", b"  \nsecond line\n", b"p\xe4ss\n"])
def test_a_file_without_a_password_in_its_first_line_is_refused(write: Write, content: bytes) -> None:
    with pytest.raises(KeyUnusable, match=r"N101 .*/key: (its first line is empty|no text in UTF-8)"):
        keys.load_password(write(content))


def test_made_keys_are_for_the_nodes_user_alone_and_load(tmp_path: Path) -> None:
    private, public, secret = (tmp_path / "keys" / name for name in ("private.pem", "public.pem", "secret.key"))
    keys.generate_private_key(private)
    keys.write_public_half(private, public)
    keys.generate_secret(secret)
    assert [oct(path.stat().st_mode & 0o777) for path in (private.parent, private, secret)] == [
        "0o700",
        "0o600",
        "0o600",
    ]
    assert keys.load_public_key(public).kid == keys.load_private_key(private).kid
    assert len(keys.load_secret(secret)) == 32


def test_no_two_made_keys_are_alike(tmp_path: Path) -> None:
    for name in ("1", "2"):
        keys.generate_private_key(tmp_path / f"{name}.pem")
        keys.generate_secret(tmp_path / f"{name}.key")
    assert keys.load_private_key(tmp_path / "1.pem").kid != keys.load_private_key(tmp_path / "2.pem").kid
    assert keys.load_secret(tmp_path / "1.key") != keys.load_secret(tmp_path / "2.key")


@pytest.mark.parametrize("make", [keys.generate_private_key, keys.generate_secret])
def test_a_file_that_is_there_is_never_written_over(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"dear")
    with pytest.raises(KeyUnusable, match=r"N101 .*/key: File exists"):
        make(path)
    assert path.read_bytes() == b"dear"


def test_what_a_killed_process_left_of_a_key_is_gone_with_the_next_one(tmp_path: Path) -> None:
    left, fresh = tmp_path / f".a.pem.{'0f' * 8}", tmp_path / f".b.pem.{'0f' * 8}"
    for file in (left, fresh):
        file.touch()
    os.utime(left, (0, 0))
    keys.generate_private_key(tmp_path / "key.pem")
    assert sorted(file.name for file in tmp_path.iterdir()) == [fresh.name, "key.pem"]


def test_a_pipe_in_the_place_of_a_key_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pem", 0o600)
    with pytest.raises(KeyUnusable, match="no file"):
        keys.load_private_key(tmp_path / "pipe.pem")
