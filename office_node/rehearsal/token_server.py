"""Simulated WIPO's authorization server: the keys it publishes, and access tokens in the shape of its OpenAM.

Sources: protocol.md 2.4, E19; auth-checks.md 1.5 and 1.8.
"""

import base64
import hashlib
import secrets
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeyParameters, KeySet, RSAKey

TOKEN_SECONDS = 3600
_RSA_BITS = 2048


class TokenServer:
    """Mints tokens with the key of the day; older keys stay published until they are withdrawn."""

    def __init__(self, issuer: str, scope: str) -> None:
        self.issuer = issuer
        self.scope = scope
        self.encryption_key = _new_key("enc", "RSA-OAEP-256")
        """Published beside the others, as OpenAM does; no token may count that it signed."""
        self._signing_keys = [_new_key("sig", "RS256")]
        self._lock = threading.Lock()

    @property
    def signing_key(self) -> RSAKey:
        """The key of the day."""
        return self._signing_keys[0]

    def rotate(self, *, withdraw: bool) -> None:
        """A new key, published and signing at once; the old ones stay published, or are withdrawn with `withdraw`."""
        new = _new_key("sig", "RS256")
        with self._lock:
            self._signing_keys = [new] if withdraw else [new, *self._signing_keys]

    def published(self) -> list[dict[str, Any]]:
        """The members of the key set."""
        keys = [*self._signing_keys, self.encryption_key]
        return [dict(key.as_dict(private=False)) for key in keys]

    def claims(self, client_id: str) -> dict[str, Any]:
        """The claims of an honest token, letter by letter as WIPO's sample has them (protocol.md 2.4)."""
        now = int(time.time())
        return {
            "sub": client_id,
            "cts": "OAUTH2_STATELESS_GRANT",
            "auditTrackingId": f"{uuid4()}-1",
            "iss": self.issuer,
            "tokenName": "access_token",
            "token_type": "Bearer",
            "authGrantId": uuid4().hex,
            "aud": client_id,
            "nbf": now,
            "grant_type": "client_credentials",
            "scope": [self.scope],
            "auth_time": now,
            "realm": "/",
            "exp": now + TOKEN_SECONDS,
            "iat": now,
            "expires_in": TOKEN_SECONDS,
            "jti": uuid4().hex,
        }

    def mint(self, client_id: str) -> str:
        """An access token for `client_id`, signed with the key of the day."""
        key = self.signing_key
        header = {"typ": "JWT", "kid": key.kid, "alg": "RS256"}
        return jwt.encode(header, self.claims(client_id), key, algorithms=["RS256"])

    def bearer(self, token: str) -> str | None:
        """Whose token it is, if it is one of ours that still lives, signed by a key that is still published."""
        try:
            claims = jwt.decode(token, KeySet(list(self._signing_keys)), algorithms=["RS256"]).claims
        except (JoseError, ValueError):
            return None
        lives = claims["exp"] > time.time() and self.scope in claims["scope"]
        return str(claims["sub"]) if lives else None


def _new_key(use: str, alg: str) -> RSAKey:
    private = rsa.generate_private_key(65537, _RSA_BITS)
    certificate = _certificate(private)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    parameters: KeyParameters = {
        "kid": _kid(),
        "use": use,
        "alg": alg,
        "x5t": base64.urlsafe_b64encode(hashlib.sha1(certificate, usedforsecurity=False).digest())
        .rstrip(b"=")
        .decode(),
        "x5c": [base64.b64encode(certificate).decode()],
    }
    return RSAKey.import_key(pem, parameters)


def _kid() -> str:
    """In standard base64, as OpenAM's; always one that holds `/`, `+` and `=`, which a careless peer escapes."""
    while True:
        kid = base64.b64encode(secrets.token_bytes(20)).decode()
        if set("/+=") <= set(kid):
            return kid


def _certificate(private: rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "rehearsal")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        name, name, private.public_key(), x509.random_serial_number(), now, now + timedelta(days=730)
    )
    return builder.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
