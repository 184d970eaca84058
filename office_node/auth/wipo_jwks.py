"""WIPO's public keys: fetched when a token asks for one, kept as long as their HTTP headers say.

One fetch at a time, in a thread of its own, and no lock is held over it: whoever can be answered from what is here is.
Sources: protocol.md 2.6 rows 3 to 5, auth-checks.md 89 to 96, reliability.md 1 (JWKS).
"""

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import ClassVar

import structlog

from office_node.auth.key_set import KeySet, PublishedKey, read_key_set
from office_node.auth.unverified_jws import NotTrusted
from office_node.errors import OfficeNodeError, Owner
from office_node.network.egress import Egress
from office_node.network.freshness import seconds_fresh

log = structlog.get_logger()

FETCH_SECONDS = 5.0
"""The longest fetch (auth-checks.md 93)."""
_LONGEST_WAIT_SECONDS = FETCH_SECONDS + 1  # the system's name lookup comes on top of a fetch
_LONGEST_LIFE_SECONDS = 86_400.0
_REFRESHED_AT = 0.8  # of a set's life, so that callers seldom wait
# A flood of invented kids must not keep every thread waiting for a server that hangs: an honest fetch ends within
# the first seconds, and afterwards only so many wait on.
_EVERYBODY_WAITS_SECONDS = 2.0
_MOST_PATIENT = 8


class WipoKeysUnavailable(OfficeNodeError):
    """A token cannot be checked now, because WIPO's keys cannot be had."""

    code = "N404"
    owner: ClassVar[Owner] = "WIPO"
    hint = "the line `WIPO's keys not fetched` tells the cause; check [wipo_authorization_server] jwks_url"


@dataclass(frozen=True, slots=True)
class KeyTimes:
    """How long keys live; each in seconds."""

    cache: float
    """Life of a set whose headers do not say."""
    refetch: float
    """Rest after a fetch that failed, or that did not bring the key it was made for."""
    keep: float
    """How long a set serves past its life while no newer one can be had."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A set as one fetch brought it; moments are on the monotonic clock."""

    keys: KeySet
    refresh_at: float = 0.0
    stale_at: float = 0.0
    dead_at: float = 0.0


@dataclass(slots=True)
class _Flight:
    """A fetch on its way, and who waits for it."""

    began: float
    wanted: frozenset[str]
    """The unknown kid it was made for, if it was."""
    landed: threading.Event = field(default_factory=threading.Event)
    patient: int = 0

    def board(self, known: bool) -> float:
        """Until when to wait. Called with the lock held."""
        if not known:
            if self.patient >= _MOST_PATIENT:
                return self.began + _EVERYBODY_WAITS_SECONDS
            self.patient += 1
        return self.began + _LONGEST_WAIT_SECONDS


class WipoKeys:
    """The present keys of WIPO's authorization server; one for a process, threads share it."""

    def __init__(
        self,
        egress: Egress,
        url: str,
        *,
        algorithms: Collection[str],
        times: KeyTimes,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._egress = egress
        self._url = url
        self._algorithms = algorithms
        self._times = times
        self._now = monotonic
        self._lock = threading.Lock()
        self._held = _Held({})
        self._flight: _Flight | None = None
        self._failed = False  # the last fetch
        self._rest_until = float("-inf")

    def find(self, kid: str) -> tuple[PublishedKey, ...]:
        """What WIPO publishes under `kid`; more than one key only if it repeats the kid.

        Raises `NotTrusted` for a kid that WIPO does not publish, `WipoKeysUnavailable` if that cannot be known now.
        """
        held = self._held
        if kid in held.keys and self._now() < held.refresh_at:
            return held.keys[kid]
        was_under_way = self._flight
        flight = self._flight_to_wait_for(kid)
        if flight and flight is was_under_way and flight.landed.is_set() and kid not in self._held.keys:
            # It may have been answered before WIPO published this kid.
            flight = self._flight_to_wait_for(kid)
        with self._lock:
            held = self._held
            if self._now() < held.dead_at:
                if kid in held.keys:
                    return held.keys[kid]
                if not self._failed and (flight is None or flight.landed.is_set()):
                    raise NotTrusted("kid is none that WIPO publishes")
        raise WipoKeysUnavailable("WIPO's keys cannot be had at this moment")

    def _flight_to_wait_for(self, kid: str) -> _Flight | None:
        """The fetch that has landed, or was waited for long enough; None for who may go on without one."""
        with self._lock:
            held, now = self._held, self._now()
            known = kid in held.keys and now < held.dead_at
            if known and now < held.refresh_at:
                return None  # brought by a fetch that landed just now
            flight = self._flight or self._depart(now, frozenset() if known else frozenset([kid]))
            if flight is None or (known and (now < held.stale_at or self._failed)):
                return None
            until = flight.board(known)
        flight.landed.wait(max(0.0, until - now))
        return flight

    def _depart(self, now: float, wanted: frozenset[str]) -> _Flight | None:
        """A new fetch; None while the last one's rest lasts. Called with the lock held."""
        if now < self._rest_until:
            return None
        flight = _Flight(now, wanted)
        threading.Thread(target=self._fly, args=(flight,), name="wipo-keys", daemon=True).start()
        self._flight = flight
        return flight

    def _fly(self, flight: _Flight) -> None:
        fetched = self._fetch(flight.began)
        with self._lock:
            self._failed = fetched is None
            self._held = fetched or self._held  # a fetch that failed takes nothing away
            if fetched is None or not flight.wanted <= fetched.keys.keys():
                self._rest_until = flight.began + self._times.refetch
            self._flight = None
        flight.landed.set()

    def _fetch(self, began: float) -> _Held | None:
        try:
            answer = self._egress.call("GET", self._url, peer="WIPO's key server")
            keys = read_key_set(answer, self._algorithms)
        except OfficeNodeError as exc:
            left = max(0, round(self._held.dead_at - self._now()))
            log.warning(
                "WIPO's keys not fetched", code=exc.code, reason=exc.message, hint=exc.next_step, old_serve_seconds=left
            )
            return None
        except Exception as exc:  # the thread has to land, whatever happens: others wait for it
            log.error("bug", code=OfficeNodeError.code, exc_info=exc)
            return None
        said = seconds_fresh(answer.headers)
        # An answer that may not be kept at all is kept for as long as no other is fetched anyway.
        life = min(max(self._times.cache if said is None else said, self._times.refetch), _LONGEST_LIFE_SECONDS)
        log.info("WIPO's keys fetched", keys=len(keys), seconds=round(life))
        return _Held(keys, began + _REFRESHED_AT * life, began + life, began + life + self._times.keep)
