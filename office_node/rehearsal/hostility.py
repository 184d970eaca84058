"""How hostile simulated WIPO is: what each visit of each place meets, drawn from a seed.

A fate depends on the seed, the place and which visit of it this is, and on nothing else: the same calls in the same
order meet the same, however the places' visits fall between each other.
"""

import threading
from collections import Counter
from enum import StrEnum
from random import Random
from typing import Any, Final


class Fate(StrEnum):
    """What becomes of one call."""

    WELL = "well"
    # Nothing happens.
    ERROR_500 = "500 before anything happened"
    GATEWAY_PAGE = "502 with a page of a gateway"
    BUSY_FOR_SECONDS = "503 with Retry-After in seconds"
    BUSY_UNTIL = "503 with Retry-After as a date"
    TOO_MANY = "429 with Retry-After"
    SILENCE = "accepted, and nothing said"
    HUNG_UP = "hung up before anything happened"
    UNAUTHORIZED = "401 storm"
    DEAD_URL = "presigned URL has expired"
    # It happens, and the office may not learn of it.
    ANSWER_LOST = "answer lost after the effect"
    ERROR_AFTER = "500 after the effect"
    DRIPS = "one byte a second"
    RESET = "reset in the middle of the body"
    TRUNCATED = "JSON cut in the middle"
    WRONG_TYPE = "a page's content type"
    OTHER_STATUS = "201 for 204, or 204 for 201"
    # It happens and is said, otherwise than the contract has it.
    NEW_MEMBER = "an unknown member more"
    MISSING_MEMBER = "a member missing"
    RENAMED_MEMBER = "a member renamed"
    MOVED_CLOCK = "clock moved"
    KEYS_ROTATED = "keys rotated"
    # Calls on the office.
    TWICE = "called twice"
    LATE = "called late, behind a later one"
    EARLY = "called before its time"


_BEFORE = (Fate.ERROR_500, Fate.GATEWAY_PAGE, Fate.BUSY_FOR_SECONDS, Fate.BUSY_UNTIL, Fate.TOO_MANY, Fate.SILENCE)
_LOST = (Fate.ANSWER_LOST, Fate.ERROR_AFTER, Fate.RESET)
_UNREADABLE = (Fate.DRIPS, Fate.TRUNCATED, Fate.WRONG_TYPE, Fate.OTHER_STATUS)
_DRIFT = (Fate.NEW_MEMBER, Fate.MISSING_MEMBER, Fate.RENAMED_MEMBER, Fate.MOVED_CLOCK)
_LINE = (*_BEFORE, Fate.HUNG_UP, *_LOST, *_UNREADABLE, *_DRIFT)
_API = (*_LINE, Fate.UNAUTHORIZED)
_STORE = (*_BEFORE, Fate.HUNG_UP, Fate.DEAD_URL, Fate.RESET)
_FATES: Final = {
    "jwks": (*_BEFORE, Fate.HUNG_UP, Fate.RESET, Fate.TRUNCATED, Fate.KEYS_ROTATED),
    "token_endpoint": (*_LINE, Fate.KEYS_ROTATED),
    "uploads": (*_STORE, Fate.ANSWER_LOST, Fate.ERROR_AFTER),
    "downloads": _STORE,
    "url_uploads": (*_API, Fate.DEAD_URL),
    "url_downloads": (*_API, Fate.DEAD_URL),
    "notifying": (Fate.TWICE, Fate.LATE, Fate.EARLY),
    "forwarding": (Fate.TWICE,),
}
_STORM_CALLS = 3


class Hostility:
    """Draws fates, and writes down what it drew."""

    def __init__(self, share: float = 0.0, seed: int = 0) -> None:
        """`share` of the calls meet something; none with 0."""
        self._share = share
        self._seed = seed
        self._visits: Counter[str] = Counter()
        self._transcript: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def next(self, place: str) -> tuple[Fate, Random]:
        """What the next visit of `place` meets, and chance for the details, of the same seed."""
        if not self._share:
            return Fate.WELL, Random(0)
        with self._lock:
            self._visits[place] += 1
            visit = self._visits[place]
            fate = self._fate(place, visit)
            if fate is not Fate.WELL:
                self._transcript.append({"place": place, "visit": visit, "fate": fate.value})
        return fate, self._chance(place, visit, "details")

    def transcript(self) -> list[dict[str, Any]]:
        """Every visit that met something: place, which visit of it, what."""
        with self._lock:
            return list(self._transcript)

    def _fate(self, place: str, visit: int) -> Fate:
        if place in ("token_endpoint", "jwks"):
            return self._drawn(place, visit)
        storms = (self._drawn(place, former) for former in range(max(1, visit - _STORM_CALLS + 1), visit))
        return Fate.UNAUTHORIZED if Fate.UNAUTHORIZED in storms else self._drawn(place, visit)

    def _drawn(self, place: str, visit: int) -> Fate:
        chance = self._chance(place, visit, "fate")
        return chance.choice(_FATES.get(place, _API)) if chance.random() < self._share else Fate.WELL

    def _chance(self, place: str, visit: int, what: str) -> Random:
        return Random(f"{self._seed} {place} {visit} {what}")
