"""The state of simulated WIPO: whom it knows, what it mints, what had an effect.

Sources: protocol.md 2.2, 2.3, 2.5.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from office_node.rehearsal.exchange import Exchange
from office_node.rehearsal.faults import Faults
from office_node.rehearsal.files import CONTENT_TYPES, Files
from office_node.rehearsal.hostility import Hostility
from office_node.rehearsal.ledger import Ledger
from office_node.rehearsal.object_store import ObjectStore
from office_node.rehearsal.operator import Operator
from office_node.rehearsal.pace import Pace
from office_node.rehearsal.registry import Registry
from office_node.rehearsal.requests import Requests
from office_node.rehearsal.scripts import Scripts
from office_node.rehearsal.token_server import TokenServer

TOKEN_PATH = "/am/oauth2/access_token"  # noqa: S105  a path, not a password
ISSUER_PATH = "/am/oauth2"
Setup = Literal["own", "wipo"]


@dataclass(frozen=True, slots=True)
class OtherOffice:
    """An office beside the one that rehearses; it takes tokens of WIPO's server."""

    client_id: str
    url: str
    public_keys: tuple[ECKey, ...]


@dataclass(frozen=True, slots=True)
class CentralSettings:
    """Who simulated WIPO is, and which office it knows."""

    public_url: str
    office_url: str
    wipo_client_id: str
    wipo_key: ECKey
    office_client_id: str
    office_public_keys: tuple[ECKey, ...]
    """One, or two while the office's key rolls over."""
    scope: str
    issuer: str = ""
    """`iss` of WIPO's tokens; below public_url if not given."""
    setups: tuple[Setup, ...] = ("own",)
    """Whose tokens the office accepts; the first is used unless another is asked for."""
    profile: Literal["strict", "compat"] = "compat"
    """How the office registered simulated WIPO at its own token endpoint."""
    max_assertion_seconds: int = 3600
    """How far ahead the office lets an assertion expire."""
    jwks_seconds: int = 900
    """How long the published key set may be kept."""
    pace: Pace = field(default_factory=Pace)
    others: tuple[OtherOffice, ...] = ()
    """Offices beside the one that rehearses."""
    hostile: float = 0.0
    """The share of calls that something befalls."""
    seed: int = 0
    """From which it is drawn what befalls them."""


class Central:
    """The state of simulated WIPO; gone when it stops."""

    def __init__(self, settings: CentralSettings) -> None:
        self.settings = settings
        self.ledger = Ledger()
        self.faults = Faults()
        self.hostility = Hostility(settings.hostile, settings.seed)
        self.tokens = TokenServer(settings.issuer or settings.public_url + ISSUER_PATH, settings.scope)
        first, others = settings.office_client_id, settings.others
        told = self.ledger, self.hostility, settings.pace
        self.exchange = Exchange({setup: self.operator(setup) for setup in settings.setups}, *told)
        self.exchanges = {first: self.exchange}
        """With every office, by its client id."""
        self.exchanges |= {
            other.client_id: Exchange({"wipo": self.operator("wipo", other.url)}, *told) for other in others
        }
        self.store = ObjectStore(settings.public_url)
        self.files = Files(self.store, settings.pace, self.ledger)
        self.registry = Registry(self.files, settings.pace, self.ledger)
        self.scripts = Scripts()
        self.requests = Requests(self.files, self.store, settings.pace, self.ledger)

    def operator(self, setup: Setup, office_url: str = "") -> Operator:
        """A caller of the office, as WIPO calls in `setup`; of the one that rehearses if no other is named."""
        mint: Callable[[], str] = partial(self.tokens.mint, self.settings.wipo_client_id)
        return Operator(
            office_url=office_url or self.settings.office_url,
            client_id=self.settings.wipo_client_id,
            key=self.settings.wipo_key,
            scope=self.settings.scope,
            mint=mint if setup == "wipo" else None,
        )

    def download_url(self, file_id: str, seconds: float = 900) -> str:
        """A presigned URL that the bytes of a file come from. Raises `Refused` if there is no such file."""
        return self.store.url("objects", file_id, CONTENT_TYPES[self.files.find(file_id).format], seconds)

    def authenticate(self, assertion: str) -> str | None:
        """The client id of the office whose assertion it is (RFC 7523 3)."""
        keys = {self.settings.office_client_id: self.settings.office_public_keys}
        keys |= {other.client_id: other.public_keys for other in self.settings.others}
        return next((name for name in keys if self._is_of(name, assertion, keys[name])), None)

    def _is_of(self, client_id: str, assertion: str, keys: tuple[ECKey, ...]) -> bool:
        claims = _claims(assertion, keys)
        audience = claims.get("aud")
        return (
            claims.get("iss") == client_id
            and claims.get("sub") == client_id
            and audience in (self.settings.public_url + TOKEN_PATH, [self.settings.public_url + TOKEN_PATH])
            and isinstance(claims.get("exp"), int | float)
            and claims["exp"] > time.time()
        )

    def caller(self, authorization: str) -> str | None:
        """Whose token the header carries, if it is one of ours that still lives."""
        return self.tokens.bearer(authorization.removeprefix("Bearer "))


def _claims(assertion: str, keys: tuple[ECKey, ...]) -> dict[str, Any]:
    for key in keys:
        try:
            return jwt.decode(assertion, key, algorithms=["ES256"]).claims
        except (JoseError, ValueError):
            continue
    return {}
