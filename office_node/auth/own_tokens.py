"""Tokens of the office's own authorization server (RFC 9068)."""

from collections.abc import Callable, Mapping
from typing import Any

from joserfc.jwk import ECKey

from office_node import clock
from office_node.auth.client_assertion import RegisteredClient
from office_node.auth.signatures import check_certificate, is_signed_by
from office_node.auth.token_verifier import NotAllowed, VerifiedClaims, names_one_of, scopes_with
from office_node.auth.unverified_jws import NotTrusted, UnverifiedJws, check_times, media_type


class OwnTokenVerifier:
    """Checks what the office itself issued. `keys` gives, by `kid`, the keys whose tokens count now."""

    def __init__(
        self,
        *,
        issuer: str,
        audience: str,
        keys: Callable[[], Mapping[str, ECKey]],
        clients: Mapping[str, RegisteredClient],
    ) -> None:
        self.issuer = issuer
        self._audience = audience
        self._keys = keys
        self._clients = clients

    def verify(self, unverified: UnverifiedJws, required_scope: str) -> VerifiedClaims:
        """What a token proves whose `iss` is us. Raises `NotTrusted`, or `NotAllowed` if only the scope is missing."""
        if unverified.header["alg"] != "ES256" or media_type(unverified.header) != "at+jwt":
            raise NotTrusted("not an ES256 token of type at+jwt")
        key = self._keys().get(unverified.header.get("kid", ""))
        if key is None:
            raise NotTrusted("kid is none of ours")
        if not is_signed_by(key, unverified.compact, "ES256"):
            raise NotTrusted("the signature is not ours")
        check_certificate(unverified.header, key)
        subject = self._subject(unverified.claims)
        # What was taken from the client since counts at once, as the client itself would.
        scopes = scopes_with(required_scope, unverified.claims).intersection(self._clients[subject].scopes)
        if required_scope not in scopes:
            raise NotAllowed(required_scope)
        return VerifiedClaims(subject, scopes, "own")

    def _subject(self, claims: dict[str, Any]) -> str:
        if not names_one_of(claims.get("aud"), (self._audience,)):
            raise NotTrusted("aud is not us")
        check_times(claims, clock.now().timestamp())
        subject = claims.get("sub")
        if not isinstance(subject, str) or subject not in self._clients:
            raise NotTrusted("sub is not on the list of clients")
        return subject
