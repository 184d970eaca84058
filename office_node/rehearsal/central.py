"""The state of simulated WIPO: whom it knows, what it mints, what had an effect.

Sources: protocol.md 2.2 to 2.4.
"""

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from office_node.rehearsal.exchange import Exchange
from office_node.rehearsal.ledger import Ledger
from office_node.rehearsal.operator import Operator

TOKEN_PATH = "/am/oauth2/access_token"  # noqa: S105  a path, not a password
TOKEN_SECONDS = 3600
_ISSUER_PATH = "/am/oauth2"


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


class Central:
    """The state of simulated WIPO; gone when it stops."""

    def __init__(self, settings: CentralSettings) -> None:
        self.settings = settings
        self.issuer = settings.public_url + _ISSUER_PATH
        self.ledger = Ledger()
        operator = Operator(
            office_url=settings.office_url,
            client_id=settings.wipo_client_id,
            key=settings.wipo_key,
            scope=settings.scope,
        )
        self.exchange = Exchange(operator, self.ledger)
        # WIPO's kids hold characters that a careless peer would escape.
        self.signing_key = RSAKey.generate_key(2048, {"kid": "rehearsal/kid+1=", "use": "sig", "alg": "RS256"})
        self._next_answers: deque[dict[str, Any]] = deque()
        self._lock = threading.Lock()

    def script(self, answers: list[dict[str, Any]]) -> None:
        """What the next notifications are answered, one each: `status`, `retry_after`, `hold_seconds`,
        `after_effect` (whether the effect happens first)."""
        with self._lock:
            self._next_answers.extend(answers)

    def next_answer(self) -> dict[str, Any]:
        """The scripted answer that is due, else none."""
        with self._lock:
            return self._next_answers.popleft() if self._next_answers else {}

    def authenticate(self, assertion: str) -> str | None:
        """The office's client id, if the assertion is the office's (RFC 7523 3)."""
        claims = self._claims_of_the_office(assertion)
        client_id = self.settings.office_client_id
        audience = claims.get("aud")
        good = (
            claims.get("iss") == client_id
            and claims.get("sub") == client_id
            and audience in (self.settings.public_url + TOKEN_PATH, [self.settings.public_url + TOKEN_PATH])
            and isinstance(claims.get("exp"), int | float)
            and claims["exp"] > time.time()
        )
        return client_id if good else None

    def _claims_of_the_office(self, assertion: str) -> dict[str, Any]:
        for key in self.settings.office_public_keys:
            try:
                return jwt.decode(assertion, key, algorithms=["ES256"]).claims
            except (JoseError, ValueError):
                continue
        return {}

    def mint(self, client_id: str) -> str:
        """An access token in the shape of WIPO's OpenAM (protocol.md 2.4)."""
        now = int(time.time())
        claims = {
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
            "scope": [self.settings.scope],
            "auth_time": now,
            "realm": "/",
            "exp": now + TOKEN_SECONDS,
            "iat": now,
            "expires_in": TOKEN_SECONDS,
            "jti": uuid4().hex,
        }
        header = {"typ": "JWT", "kid": self.signing_key.kid, "alg": "RS256"}
        return jwt.encode(header, claims, self.signing_key, algorithms=["RS256"])

    def knows(self, authorization: str) -> bool:
        """Whether the header carries a token of ours that still lives."""
        try:
            token = jwt.decode(authorization.removeprefix("Bearer "), self.signing_key, algorithms=["RS256"])
        except (JoseError, ValueError):
            return False
        return token.claims["exp"] > time.time() and self.settings.scope in token.claims["scope"]
