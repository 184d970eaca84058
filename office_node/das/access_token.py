"""Our token at WIPO: asked for with `private_key_jwt`, renewed when four fifths of its life are over.

While the token endpoint is down, the old token serves until its life ends.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, ClassVar

import structlog
from authlib.oauth2.rfc7523 import private_key_jwt_sign
from joserfc.jwk import ECKey

from office_node.das.clock_guard import ClockGuard
from office_node.errors import Owner, PeerUnavailable, Postponed
from office_node.network.egress import Answer, Egress

log = structlog.get_logger()

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_SECONDS = 60  # protocol.md C-13
_RENEWED_AT = 0.8  # reliability.md 1
_RENEWAL_RETRY_SECONDS = 30
TOKEN_ENDPOINT = "WIPO's token endpoint"  # noqa: S105  a name, not a password


class AccessDenied(PeerUnavailable):
    """WIPO does not take our word for who we are. What waits is not at fault: it waits until a human has acted."""

    code = "N603"
    owner: ClassVar[Owner] = "operator"
    hint = "compare [wipo] client_id and the key's certificate with what WIPO has registered; mind its two-year expiry"


class AccessTokens:
    """Gives the present access token; threads share it, and one of them at a time renews it."""

    def __init__(
        self,
        egress: Egress,
        *,
        token_url: str,
        client_id: str,
        key: Callable[[], ECKey],
        scope: str,
        clock_guard: ClockGuard,
    ) -> None:
        self._egress = egress
        self._token_url = token_url
        self._client_id = client_id
        self._key = key
        self._scope = scope
        self._clock = clock_guard
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = 0.0  # on the monotonic clock, as is the next
        self._ends_at = 0.0

    def current(self, *, instead_of: str | None = None) -> str:
        """A token to present. `instead_of` is one that WIPO has just refused.

        Raises `AccessDenied` when WIPO refuses our credentials, `ClockWrong` when our clock is so far off that it
        would, else `PeerUnavailable`.
        """
        with self._lock:
            if self._token == instead_of:
                self._renew_at = self._ends_at = 0.0  # what WIPO refused is dead, whatever its life was to be
            if time.monotonic() >= self._renew_at:
                self._renew()
            return self._token

    def _renew(self) -> None:
        asked_at = time.monotonic()
        try:
            self._token, seconds = self._ask()
        except AccessDenied:
            raise  # no outage: a human must learn of it now
        except Postponed:
            if time.monotonic() >= self._ends_at:
                raise  # nothing was asked; a token that lives serves as before
        except PeerUnavailable as exc:
            self._keep_or_raise(exc)
        else:
            self._renew_at = asked_at + _RENEWED_AT * seconds
            self._ends_at = asked_at + seconds

    def _keep_or_raise(self, failure: PeerUnavailable) -> None:
        now = time.monotonic()
        if now >= self._ends_at:
            raise failure
        log.warning("access token not renewed, the old one still serves", code=failure.code, reason=failure.message)
        wait = max(_RENEWAL_RETRY_SECONDS, failure.retry_after_seconds or 0)
        self._renew_at = min(now + wait, self._ends_at)

    def _ask(self) -> tuple[str, float]:
        if self._clock.needs_a_look():
            self._called("GET")  # without an assertion: whatever it answers, it says the date
        self._clock.insist()
        form = {
            "grant_type": "client_credentials",
            "scope": self._scope,
            "client_assertion_type": JWT_BEARER,
            "client_assertion": self._assertion(),
        }
        answer = self._called("POST", data=form)
        if not answer.is_success:
            self._clock.insist()  # the likely reason
            raise _refusal(answer)
        return _token_in(answer.json())

    def _called(self, method: str, **request: Any) -> Answer:
        asked_at = time.monotonic()
        headers = {"Accept": "application/json"}
        answer = self._egress.call(method, self._token_url, peer=TOKEN_ENDPOINT, headers=headers, **request)
        self._clock.measure(answer.headers, time.monotonic() - asked_at)
        return answer

    def _assertion(self) -> str:
        # Authlib would sign RS256 and allow an hour: both are said here.
        sign: Callable[..., str] = private_key_jwt_sign  # Authlib has no types
        return sign(self._key(), self._client_id, self._token_url, alg="ES256", expires_in=_ASSERTION_SECONDS)


def _refusal(answer: Answer) -> PeerUnavailable:
    said = answer.json()
    error = said.get("error") if isinstance(said, dict) else None
    what = f"{TOKEN_ENDPOINT} answered {answer.status}" + (f" ({error})" if isinstance(error, str) else "")
    if answer.status in (400, 401, 403) and error:
        return AccessDenied(what, needs_rest=True)
    return PeerUnavailable(what, retry_after_seconds=answer.retry_after_seconds)


def _token_in(said: Any) -> tuple[str, float]:
    token = said.get("access_token") if isinstance(said, dict) else None
    if not isinstance(token, str) or not token:
        raise PeerUnavailable(f"{TOKEN_ENDPOINT} answered without an access token")
    seconds = said.get("expires_in", 300)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < 1e6:
        seconds = 300
    return token, float(seconds)
