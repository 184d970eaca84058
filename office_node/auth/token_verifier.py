"""An access token goes in unverified, `VerifiedClaims` come out, and nothing else is passed on.

Sources: RFC 9068 4, RFC 8725, auth-checks.md table (b).
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from office_node import clock
from office_node.auth.client_assertion import es256_registry
from office_node.auth.unverified_jws import NotTrusted, check_times, media_type, take_apart
from office_node.errors import OfficeNodeError


class NotAllowed(OfficeNodeError):
    """A good token that does not reach this far."""

    code = "N402"
    owner = "caller"
    hint = "allow the scope to this client in [[authorization_server.clients]], if it should have it"

    def __init__(self, scope: str) -> None:
        super().__init__(f"the token does not carry the scope {scope}")
        self.scope = scope


@dataclass(frozen=True, slots=True)
class VerifiedClaims:
    """Who calls, and what for: proven."""

    client_id: str
    scopes: frozenset[str]


class OwnTokenVerifier:
    """Checks tokens of the office's own authorization server."""

    def __init__(
        self, *, issuer: str, audience: str, keys: Callable[[], Mapping[str, ECKey]], clients: Collection[str]
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys = keys
        self._clients = clients

    def verify(self, unverified_token: str, required_scope: str) -> VerifiedClaims:
        """What the token proves. Raises `NotTrusted`, or `NotAllowed` if only the scope is missing."""
        unverified = take_apart(unverified_token)
        if unverified.header["alg"] != "ES256" or media_type(unverified.header) != "at+jwt":
            raise NotTrusted("not an ES256 token of type at+jwt")
        key = self._keys().get(unverified.header.get("kid", ""))
        if key is None:
            raise NotTrusted("kid is none of ours")
        try:
            jws.deserialize_compact(unverified_token, key, registry=es256_registry())
        except (JoseError, ValueError):
            raise NotTrusted("the signature is not ours") from None
        return self._check_claims(unverified.claims, required_scope)

    def _check_claims(self, claims: dict[str, Any], required_scope: str) -> VerifiedClaims:
        if claims.get("iss") != self._issuer:
            raise NotTrusted("iss is not us")
        if not _names(claims.get("aud"), self._audience):
            raise NotTrusted("aud is not us")
        check_times(claims, clock.now().timestamp())
        subject = claims.get("sub")
        if not isinstance(subject, str) or subject not in self._clients:
            raise NotTrusted("sub is not on the list of clients")
        scopes = _scopes(claims.get("scope"))
        if required_scope not in scopes:
            raise NotAllowed(required_scope)
        return VerifiedClaims(subject, scopes)


def _names(audience: object, us: str) -> bool:
    return audience == us or (isinstance(audience, list) and us in audience)


def _scopes(value: object) -> frozenset[str]:
    """Scopes as text or as a list of texts (protocol.md 2.4)."""
    if value is None:
        return frozenset()
    if isinstance(value, str):
        return frozenset(value.split())
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return frozenset(value)
    raise NotTrusted("scope is neither text nor a list of texts")
