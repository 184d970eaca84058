"""Tokens of WIPO's authorization server, an OpenAM: protocol.md 2.4 and 2.6.

They are no tokens of RFC 9068: `typ` is JWT, `aud` is a client id, there is no `client_id`, `scope` is a list.
"""

from collections.abc import Collection
from typing import Any

from office_node import clock
from office_node.auth.signatures import SigningKey, check_certificate, is_signed_by
from office_node.auth.token_verifier import VerifiedClaims, names_one_of, scopes_with
from office_node.auth.unverified_jws import NotTrusted, UnverifiedJws, check_times, media_type
from office_node.auth.wipo_jwks import WipoKeys

_ACCEPTED_TYPES = ("jwt", "at+jwt")
_SECTION = "[wipo_authorization_server]"


class WipoTokenVerifier:
    """Checks what WIPO issued."""

    def __init__(
        self,
        *,
        issuer: str,
        audiences: Collection[str],
        client_ids: Collection[str],
        algorithms: Collection[str],
        keys: WipoKeys,
    ) -> None:
        self.issuer = issuer
        self._audiences = audiences
        self._client_ids = client_ids
        self._algorithms = algorithms
        self._keys = keys

    def verify(self, unverified: UnverifiedJws, required_scope: str) -> VerifiedClaims:
        """What a token proves whose `iss` is WIPO. Raises `NotTrusted`, or `NotAllowed` if only the scope is missing.

        Raises `WipoKeysUnavailable` when WIPO's keys cannot be had.
        """
        check_certificate(unverified.header, self._signer(unverified))
        subject = self._subject(unverified.claims)
        scopes = scopes_with(required_scope, unverified.claims, hint="WIPO has to ask its server for the scope")
        return VerifiedClaims(subject, scopes, "wipo")

    def _signer(self, unverified: UnverifiedJws) -> SigningKey:
        header = unverified.header
        alg, kid = header["alg"], header.get("kid", "")
        if alg not in self._algorithms:
            raise NotTrusted("alg is not accepted", hint=f"compare {_SECTION} algorithms with what WIPO documents")
        if "typ" in header and media_type(header) not in _ACCEPTED_TYPES:
            raise NotTrusted("typ of another kind of token")
        if not kid:
            raise NotTrusted("no kid")  # protocol.md 2.6 row 4, auth-checks.md 95
        for published in self._keys.find(kid):
            # RFC 8725 3.1: a key is for the algorithms it was published for, whatever the token says.
            if alg in published.algorithms and is_signed_by(published.key, unverified.compact, alg):
                return published.key
        raise NotTrusted("not signed by the key of WIPO that it names")

    def _subject(self, claims: dict[str, Any]) -> str:
        """Who calls. WIPO has signed these claims, so the log may repeat them."""
        check_times(claims, clock.now().timestamp())
        audience, subject = claims.get("aud"), claims.get("sub")
        if not names_one_of(audience, self._audiences):
            raise NotTrusted(
                f"aud is {audience!a:.120}", hint=f"if that is this office, add it to {_SECTION} audiences"
            )
        # OpenAM signs refresh and id tokens with the same key, iss and aud (auth-checks.md 1.7).
        if claims.get("tokenName", "access_token") != "access_token":
            raise NotTrusted("tokenName of another kind of token")
        if not isinstance(subject, str) or subject not in self._client_ids:
            raise NotTrusted(f"sub is {subject!a:.120}", hint=f"if WIPO calls as that, add it to {_SECTION} client_ids")
        return subject
