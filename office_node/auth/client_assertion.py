"""`private_key_jwt`: which registered client wrote this assertion? Every check is written out.

Sources: RFC 7523 3, RFC 7521 4.2, OpenID Connect Core 9, FAPI 2.0 5.3.2.1; auth-checks.md tables (a) and (c).
A strict client obeys FAPI 2.0 and OpenID: `aud` is the issuer alone, as a string, and `jti` is required. A compat
client may also send what WIPO documents: `aud` the token endpoint, no `jti`, no `kid`.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from joserfc import jws
from joserfc.jwk import ECKey

from office_node import clock
from office_node.auth.certificates import DatedKey
from office_node.auth.signatures import check_certificate, is_signed_by
from office_node.auth.unverified_jws import (
    CLOCK_TOLERANCE_SECONDS,
    ES256_SIGNATURE_BYTES,
    NotTrusted,
    UnverifiedJws,
    check_times,
    media_type,
    take_apart,
)
from office_node.auth.used_assertions import UsedAssertions

_ACCEPTED_TYPES = ("", "jwt", "client-authentication+jwt")
_LONGEST_JTI = 256
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # FIPS 186-4 D.1.2.3


@dataclass(frozen=True, slots=True)
class RegisteredClient:
    """A client of our token endpoint, as the settings describe it."""

    client_id: str
    profile: Literal["strict", "compat"]
    keys: tuple[DatedKey, ...]
    """Two while they roll over; one whose certificate has ended is not accepted."""
    scopes: tuple[str, ...]


class ClientAssertions:
    """Authenticates clients of the token endpoint."""

    def __init__(
        self,
        clients: Mapping[str, RegisteredClient],
        *,
        issuer: str,
        token_endpoint: str,
        max_seconds: int,
        used_assertions: UsedAssertions,
    ) -> None:
        self._clients = clients
        self._issuer = issuer
        self._token_endpoint = token_endpoint
        self._max_seconds = max_seconds
        self._used = used_assertions
        self._most_keys = max((len(client.keys) for client in clients.values()), default=1)
        self._decoy = ECKey.generate_key("P-256")  # stands in where there is no key to check with
        self._decoy_assertion = jws.serialize_compact({"alg": "ES256"}, b"{}", self._decoy)

    def authenticate(self, unverified_assertion: str, client_id_parameter: str | None) -> RegisteredClient:
        """The client that signed the assertion, which is spent by this call.

        Raises `NotTrusted` with the reason for our log, and `DatabaseUnavailable` if it cannot be spent.
        """
        unverified = take_apart(unverified_assertion)
        subject = unverified.claims.get("sub")
        client = self._clients.get(subject) if isinstance(subject, str) else None
        # Before anything is refused: the time of a refusal tells nobody which clients there are (auth-checks.md 57).
        signer = self._signer(unverified, client)
        if not isinstance(subject, str) or unverified.claims.get("iss") != subject:
            raise NotTrusted("iss and sub do not name one client")
        if client_id_parameter is not None and client_id_parameter != subject:
            raise NotTrusted("the client_id parameter names another client")  # RFC 7521 4.2
        if client is None:
            raise NotTrusted("the client is not registered")
        _check_signature(unverified, client, signer)
        self._check_claims(unverified.claims, client)
        # Last, so that a forged or misdirected assertion never burns the jti of an honest one.
        expires_at = datetime.fromtimestamp(float(unverified.claims["exp"]), UTC)
        if not self._used.claim(_replay_key(unverified, client), expires_at):
            raise NotTrusted(f"client {client.client_id}: assertion used before")
        return client

    def _signer(self, unverified: UnverifiedJws, client: RegisteredClient | None) -> ECKey | None:
        """The client's key that signed; None if none did. Finding none costs the same whoever is named, and how."""
        kid = unverified.header.get("kid")
        # WIPO sends no kid: then each of the client's keys may be the one (two while they roll over).
        keys = [dated.key for dated in client.keys if kid is None or dated.key.kid == kid] if client else []
        decoys = [self._decoy] * ((self._most_keys if kid is None else 1) - len(keys))
        compact = unverified.compact if _is_es256(unverified) else self._decoy_assertion
        signer = next((key for key in [*keys, *decoys] if is_signed_by(key, compact, "ES256")), None)
        return None if signer is self._decoy else signer

    def _check_claims(self, claims: dict[str, Any], client: RegisteredClient) -> None:
        now = clock.now().timestamp()
        check_times(claims, now)
        if float(claims["exp"]) > now + self._max_seconds + CLOCK_TOLERANCE_SECONDS:
            raise NotTrusted(f"client {client.client_id}: exp is more than {self._max_seconds} s ahead")
        if not self._audience_is_us(claims.get("aud"), client):
            raise NotTrusted(f"client {client.client_id}: aud is not this server")
        jti = claims.get("jti")
        if client.profile == "strict" and "jti" not in claims:
            raise NotTrusted(f"client {client.client_id}: no jti")
        if "jti" in claims and not (isinstance(jti, str) and 0 < len(jti) <= _LONGEST_JTI):
            raise NotTrusted(f"client {client.client_id}: jti is no short text")

    def _audience_is_us(self, audience: object, client: RegisteredClient) -> bool:
        if client.profile == "strict":
            return audience == self._issuer  # FAPI 2.0 5.3.2.1: the issuer, as a string, and nothing beside it
        if isinstance(audience, list) and len(audience) == 1:
            audience = audience[0]
        return isinstance(audience, str) and audience in (self._issuer, self._token_endpoint)


def _check_signature(unverified: UnverifiedJws, client: RegisteredClient, signer: ECKey | None) -> None:
    if unverified.header["alg"] != "ES256":
        raise NotTrusted(f"client {client.client_id}: alg is not ES256")
    if media_type(unverified.header) not in _ACCEPTED_TYPES:
        raise NotTrusted(f"client {client.client_id}: typ of another kind of token")
    if len(unverified.signature) != ES256_SIGNATURE_BYTES:
        raise NotTrusted(f"client {client.client_id}: the signature does not have 64 bytes")
    if signer is None:
        raise NotTrusted(f"client {client.client_id}: not signed by its key")
    check_certificate(unverified.header, signer)
    # A renewed certificate may hold the same key: one that counts now is enough.
    held = [dated for dated in client.keys if dated.key.thumbprint() == signer.thumbprint()]
    void = [dated.void_because(clock.now()) for dated in held]
    if all(void):
        raise NotTrusted(f"client {client.client_id}: signed by its key, but {void[0]}")


def _is_es256(unverified: UnverifiedJws) -> bool:
    return unverified.header["alg"] == "ES256" and len(unverified.signature) == ES256_SIGNATURE_BYTES


def _replay_key(unverified: UnverifiedJws, client: RegisteredClient) -> str:
    """What must not be seen twice, as a digest: (client, jti), or without a jti the assertion itself.

    The assertion itself is the signing input with r and min(s, n - s): (r, n - s) is a second valid signature, and
    two honest assertions of one second share their signing input.
    """
    jti = unverified.claims.get("jti")
    if jti is not None:
        spent = json.dumps([client.client_id, jti]).encode()
    else:
        r, s = unverified.signature[:32], int.from_bytes(unverified.signature[32:])
        spent = unverified.signing_input + b"\n" + r + min(s, _P256_ORDER - s).to_bytes(32)
    return hashlib.sha256(spent).hexdigest()
