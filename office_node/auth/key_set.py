"""A peer's published key set (RFC 7517 5), read key by key: what is broken or strange in it never spoils the rest."""

import base64
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from joserfc.jwk import ECKey, RSAKey

from office_node.auth.signatures import SigningKey
from office_node.errors import Owner, PeerUnavailable
from office_node.network.egress import Answer

_LEAST_RSA_BITS = 2048  # RFC 7518 3.3
_FITTING = {"RSA": ("RS256", "PS256"), "EC": ("ES256",)}  # RFC 7518 3.1


class KeySetUnusable(PeerUnavailable):
    """The key server answered, but not with a key that we could check a token with."""

    code = "N405"
    owner: ClassVar[Owner] = "WIPO"
    hint = "compare [wipo_authorization_server] jwks_url and algorithms with what WIPO publishes there"


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """A public key, and the algorithms that we let it check."""

    key: SigningKey
    algorithms: tuple[str, ...]


KeySet = Mapping[str, tuple[PublishedKey, ...]]
"""By `kid`. A set should not repeat one; if it does, the algorithm decides (FAPI 1.0 Part 2 8.9)."""


def read_key_set(answer: Answer, algorithms: Collection[str]) -> KeySet:
    """Every key that the answer holds for one of `algorithms`. Raises `KeySetUnusable` if there is none."""
    if not answer.is_success:
        raise KeySetUnusable(f"the key server answered {answer.status}")
    document = answer.json()
    members = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(members, list):
        raise KeySetUnusable("the key server's answer is no JWK set")
    found: dict[str, tuple[PublishedKey, ...]] = {}
    for member in members:
        published = _published_key(member, algorithms)
        if published:
            found[member["kid"]] = (*found.get(member["kid"], ()), published)
    if not found:
        raise KeySetUnusable(f"none of the {len(members)} keys of the key server is for {', '.join(algorithms)}")
    return found


def _published_key(member: Any, algorithms: Collection[str]) -> PublishedKey | None:
    """None for a key that is not for us, or not whole."""
    try:
        if not isinstance(member["kid"], str) or member.get("use", "sig") != "sig":
            return None
        if "verify" not in member.get("key_ops", ["verify"]):  # RFC 7517 4.3
            return None
        fitting = tuple(alg for alg in _FITTING[member["kty"]] if alg in algorithms and member.get("alg", alg) == alg)
        key = _public_key(member)
    except Exception:  # whatever a stranger wrote and a library thinks of it
        return None
    return PublishedKey(key, fitting) if key and fitting else None


def _public_key(member: dict[str, Any]) -> SigningKey | None:
    """The key of the members that make it up, and of no other."""
    if member["kty"] == "EC":
        return ECKey.import_key(_only(member, "kty", "crv", "x", "y")) if member["crv"] == "P-256" else None
    if _bits(member["n"]) < _LEAST_RSA_BITS:
        return None
    return RSAKey.import_key(_only(member, "kty", "n", "e"))


def _only(member: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: member[name] for name in names}


def _bits(number: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(number + "=" * (-len(number) % 4))).bit_length()
