"""Mints the node's own access tokens (RFC 9068, ES256), publishes the keys and the server's metadata."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from joserfc import jwt

from office_node import clock
from office_node.auth.client_assertion import RegisteredClient
from office_node.auth.key_ring import KeyRing
from office_node.auth.keys import public_jwk

TOKEN_PATH = "/oauth2/access_token"  # noqa: S105  a path, not a password
JWKS_PATH = "/oauth2/jwks"
METADATA_PATH = "/.well-known/oauth-authorization-server"  # RFC 8414 3


@dataclass(frozen=True, slots=True)
class TokenIssuer:
    """Our authorization server's issuing half."""

    issuer: str
    audience: str
    ring: KeyRing
    token_seconds: int
    scopes: tuple[str, ...]
    """Every scope that some client may have."""

    def issue(self, client: RegisteredClient, scopes: tuple[str, ...]) -> dict[str, Any]:
        """The token response of RFC 6749 5.1 for an authenticated client."""
        now = int(clock.now().timestamp())
        claims = {
            "iss": self.issuer,
            "sub": client.client_id,
            "client_id": client.client_id,
            "aud": self.audience,
            "iat": now,
            "exp": now + self.token_seconds,
            "jti": uuid4().hex,
            "scope": " ".join(scopes),
        }
        signing_key = self.ring.signing()
        header = {"typ": "at+jwt", "alg": "ES256", "kid": signing_key.kid}
        token = jwt.encode(header, claims, signing_key, algorithms=["ES256"])
        return {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": self.token_seconds,
            "scope": claims["scope"],
        }

    def jwks(self) -> dict[str, Any]:
        """The public keys with which our tokens are checked (RFC 7517), those to come among them."""
        return {"keys": [public_jwk(key) for key in self.ring.verifying().values()]}

    def metadata(self) -> dict[str, Any]:
        """The server's metadata (RFC 8414 2)."""
        return {
            "issuer": self.issuer,
            "token_endpoint": self.issuer + TOKEN_PATH,
            "jwks_uri": self.issuer + JWKS_PATH,
            "grant_types_supported": ["client_credentials"],
            "response_types_supported": [],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
            "scopes_supported": list(self.scopes),
        }
