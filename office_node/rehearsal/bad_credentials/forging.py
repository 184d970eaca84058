"""JWTs written by hand, so that anything in them can be wrong. Shared with nothing of the node."""

import base64
import hmac
import json
from collections.abc import Callable
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc.jwk import ECKey, RSAKey

Signer = Callable[[bytes], bytes]
ABSENT: Final[Any] = object()
"""As the value of a claim, a header or a form parameter: it is left out."""
P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def changed(honest: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**honest, **changes}.items() if value is not ABSENT}


def compact(header: Any, claims: Any, sign: Signer) -> str:
    """A compact JWS over whatever `header` and `claims` are; bytes stand as they are, the rest as JSON."""
    signing_input = f"{segment(header)}.{segment(claims)}"
    return f"{signing_input}.{segment(sign(signing_input.encode()))}"


def segment(part: Any) -> str:
    data = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def opened(part: str) -> bytes:
    """What `segment` closed."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token."""
    header, claims, _ = token.split(".")
    return json.loads(opened(header)), json.loads(opened(claims))


def signature(token: str) -> bytes:
    return opened(token.rpartition(".")[2])


def resigned(token: str, new_signature: bytes) -> str:
    """The same signing input under other signature bytes."""
    return f"{token.rpartition('.')[0]}.{segment(new_signature)}"


def repainted(token: str, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """Header and claims changed after signing; the signature stays."""
    old_header, old_claims = parts(token)
    new = f"{segment(changed(old_header, header or {}))}.{segment(changed(old_claims, claims))}"
    return f"{new}.{token.rpartition('.')[2]}"


def twin(token: str) -> str:
    """The same assertion under its second valid signature, (r, n - s)."""
    old = signature(token)
    return resigned(token, old[:32] + (P256_ORDER - int.from_bytes(old[32:])).to_bytes(32))


def nested(members: dict[str, Any], depth: int) -> bytes:
    """A JSON object with one member more, an array so many times in itself."""
    return json.dumps(members).encode()[:-1] + b', "deep": ' + b"[" * depth + b"]" * depth + b"}"


def raw_claim(members: dict[str, Any], name: str, spelling: str) -> bytes:
    """Claims in which one is written as `spelling`, which may be more than JSON allows."""
    return json.dumps({**members, name: "@"}).replace('"@"', spelling).encode()


def es(key: ECKey, digest: hashes.HashAlgorithm | None = None) -> Signer:
    """ECDSA as RFC 7518 3.4 writes it: r and s, each as long as the curve."""

    def sign(data: bytes) -> bytes:
        r, s = decode_dss_signature(der(key, data, digest))
        size = (_private(key).curve.key_size + 7) // 8
        return r.to_bytes(size) + s.to_bytes(size)

    return sign


def der(key: ECKey, data: bytes, digest: hashes.HashAlgorithm | None = None) -> bytes:
    """ECDSA as OpenSSL writes it."""
    return _private(key).sign(data, ec.ECDSA(digest or hashes.SHA256()))


def rs(key: RSAKey, digest: hashes.HashAlgorithm | None = None) -> Signer:
    return lambda data: _rsa(key).sign(data, padding.PKCS1v15(), digest or hashes.SHA256())


def ps(key: RSAKey) -> Signer:
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size)
    return lambda data: _rsa(key).sign(data, pss, hashes.SHA256())


def hs(secret: bytes) -> Signer:
    return lambda data: hmac.digest(secret, data, "sha256")


def unsigned(_data: bytes) -> bytes:
    return b""


def _private(key: ECKey) -> ec.EllipticCurvePrivateKey:
    private = key.private_key
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise TypeError("no private key")
    return private


def _rsa(key: RSAKey) -> rsa.RSAPrivateKey:
    private = key.private_key
    if not isinstance(private, rsa.RSAPrivateKey):
        raise TypeError("no private key")
    return private
