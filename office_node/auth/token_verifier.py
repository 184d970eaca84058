"""An access token goes in unverified, `VerifiedClaims` come out, and nothing else is passed on.

Who issued a token decides everything about its check: `own_tokens` and `wipo_tokens` hold one each. What they share
stands here. Sources: RFC 9068 4, RFC 8725, auth-checks.md table (b).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from office_node.auth.unverified_jws import NotTrusted, UnverifiedJws, take_apart
from office_node.errors import OfficeNodeError


class NotAllowed(OfficeNodeError):
    """A good token that does not reach this far."""

    code = "N402"
    owner = "caller"
    hint = "allow the scope to this client in [[authorization_server.clients]], if it should have it"

    def __init__(self, scope: str, *, hint: str | None = None) -> None:
        super().__init__(f"the token does not carry the scope {scope}", hint=hint)
        self.scope = scope


class IssuerNotAccepted(NotTrusted):
    """A token of somebody whose tokens do not count here."""

    code = "N406"
    hint = "if the caller is WIPO, compare iss with [trust] accept and [wipo_authorization_server] issuer"


@dataclass(frozen=True, slots=True)
class VerifiedClaims:
    """Who calls, and what for: proven."""

    client_id: str
    scopes: frozenset[str]
    trust: Literal["own", "wipo"]
    """Which setup the token came from."""


class IssuerTokens(Protocol):
    """The check of one issuer's tokens."""

    @property
    def issuer(self) -> str:
        """`iss` of its tokens, letter by letter."""

    def verify(self, unverified: UnverifiedJws, required_scope: str) -> VerifiedClaims:
        """What the token proves. Raises `NotTrusted`, or `NotAllowed` if only the scope is missing.

        Raises `WipoKeysUnavailable` when it cannot be checked now.
        """


class TokenVerifier:
    """Gives each token to the one check of the issuer it names."""

    def __init__(self, accepted: Iterable[IssuerTokens]) -> None:
        self._accepted = {tokens.issuer: tokens for tokens in accepted}

    def verify(self, unverified_token: str, required_scope: str) -> VerifiedClaims:
        """What the token proves. Raises `NotTrusted`, or `NotAllowed` if only the scope is missing.

        Raises `WipoKeysUnavailable` when a token of WIPO's cannot be checked now.
        """
        unverified = take_apart(unverified_token)
        issuer = unverified.claims.get("iss")
        tokens = self._accepted.get(issuer) if isinstance(issuer, str) else None
        if tokens is None:
            raise IssuerNotAccepted(f"iss is {issuer!a:.120}, whose tokens are not accepted")
        return tokens.verify(unverified, required_scope)


def names_one_of(audience: object, ours: Collection[str]) -> bool:
    """Whether `aud`, a text or a list (RFC 7519 4.1.3), names one of `ours`."""
    named = audience if isinstance(audience, list) else [audience]
    return any(isinstance(item, str) and item in ours for item in named)


def scopes_with(required_scope: str, claims: dict[str, Any], hint: str | None = None) -> frozenset[str]:
    """The scopes of a token whose other claims are good. Raises `NotAllowed`, with `hint` for our log."""
    scopes = _scopes(claims.get("scope"))
    if required_scope not in scopes:
        raise NotAllowed(required_scope, hint=hint)
    return scopes


def _scopes(value: object) -> frozenset[str]:
    """Scopes as text or as a list of texts (protocol.md 2.4)."""
    if value is None:
        return frozenset()
    if isinstance(value, str):
        return frozenset(value.split())
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return frozenset(value)
    raise NotTrusted("scope is neither text nor a list of texts")
