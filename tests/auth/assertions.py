"""Assertions and tokens as a test wants them: honest until it bends a claim, the header or the very bytes."""

import base64
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID
from joserfc.jwk import ECKey, RSAKey

from office_node.settings import API_SCOPE


class _Absent:
    def __repr__(self) -> str:
        return "absent"


ABSENT: Any = _Absent()
"""As the value of a claim, a header or a form parameter: it is left out."""
NO_CHAINS: tuple[Any, ...] = ([], [""], ["MIIB" * 3], ["-----"], [7], [None], "MIIB", {}, None, 7)
"""As the value of `x5c`: nothing that begins with a certificate."""
P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass(frozen=True, slots=True)
class Caller:
    """A client that the office registered, with its private keys."""

    client_id: str
    profile: Literal["strict", "compat"]
    keys: tuple[ECKey, ...]
    issuer: str

    @property
    def key(self) -> ECKey:
        return self.keys[0]

    @property
    def token_endpoint(self) -> str:
        return f"{self.issuer}/oauth2/access_token"

    def header(self, **changes: Any) -> dict[str, Any]:
        """The honest header with `changes`; only a strict client names its key."""
        named = {"kid": self.key.kid} if self.profile == "strict" else {}
        return _changed({"alg": "ES256", "typ": "JWT", **named}, changes)

    def claims(self, **changes: Any) -> dict[str, Any]:
        """The honest claims with `changes`; a compat client sends what WIPO documents, and nothing else."""
        now = int(time.time())
        honest = {"iss": self.client_id, "sub": self.client_id, "aud": self.token_endpoint, "exp": now + 1000}
        if self.profile == "strict":
            honest |= {"aud": self.issuer, "exp": now + 60, "iat": now, "jti": uuid4().hex}
        return _changed(honest, changes)

    def assertion(self, header: dict[str, Any] | None = None, key: ECKey | None = None, **claims: Any) -> str:
        """An honest assertion, with changes in header and claims, or signed by another key."""
        return signed(key or self.key, self.header(**(header or {})), self.claims(**claims))


@dataclass(frozen=True, slots=True)
class OwnTokens:
    """Makes what the office mints, with the office's key, and bends it."""

    key: ECKey
    issuer: str

    def token(self, header: dict[str, Any] | None = None, key: ECKey | None = None, **claims: Any) -> str:
        now = int(time.time())
        honest_header = {"alg": "ES256", "typ": "at+jwt", "kid": self.key.kid}
        honest_claims = {
            "iss": self.issuer,
            "sub": "strict-office",
            "client_id": "strict-office",
            "aud": self.issuer,
            "iat": now,
            "exp": now + 900,
            "jti": uuid4().hex,
            "scope": API_SCOPE,
        }
        return signed(key or self.key, _changed(honest_header, header or {}), _changed(honest_claims, claims))


def signed(key: ECKey, header: Any, claims: Any) -> str:
    """A compact JWS over whatever `header` and `claims` are, signed with ES256."""
    signing_input = f"{segment(header)}.{segment(claims)}"
    return f"{signing_input}.{segment(es256(key, signing_input))}"


def segment(part: Any) -> str:
    """base64url without padding: of bytes as they are, of anything else as JSON."""
    data = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def nested(members: dict[str, Any], depth: int) -> bytes:
    """A JSON object with one member more, an array so many times in itself."""
    return json.dumps(members).encode()[:-1] + b', "deep": ' + b"[" * depth + b"]" * depth + b"}"


def opened(part: str) -> bytes:
    """What `segment` closed."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def es256(key: ECKey, signing_input: str) -> bytes:
    """r and s, 32 bytes each."""
    r, s = decode_dss_signature(der(key, signing_input, hashes.SHA256()))
    return r.to_bytes(32) + s.to_bytes(32)


def der(key: ECKey, signing_input: str, digest: hashes.HashAlgorithm) -> bytes:
    """An ECDSA signature as OpenSSL writes it."""
    private = key.private_key
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    return private.sign(signing_input.encode(), ec.ECDSA(digest))


def x5c(key: ECKey | RSAKey, longer_by: int = 0) -> list[str]:
    """A chain that begins with a certificate which `key` signed for itself, with so many characters after it."""
    private = key.private_key
    assert isinstance(private, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody")])
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, private.public_key(), 1, begins, begins + timedelta(days=3650))
    certificate = builder.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    return [base64.b64encode(certificate).decode(), *(["MIIB" * (longer_by // 4)] if longer_by else [])]


def resigned(compact: str, signature: bytes) -> str:
    """The same signing input under other signature bytes."""
    return f"{compact.rpartition('.')[0]}.{segment(signature)}"


def signature_of(compact: str) -> bytes:
    return opened(compact.rpartition(".")[2])


def twin(compact: str) -> str:
    """The same assertion under its second valid signature, (r, n - s)."""
    signature = signature_of(compact)
    s = int.from_bytes(signature[32:])
    return resigned(compact, signature[:32] + (P256_ORDER - s).to_bytes(32))


def _changed(honest: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**honest, **changes}.items() if value is not ABSENT}
