"""What simulated WIPO's places suffer from when an office rehearses bad days, and how often each was asked."""

import threading
from collections import Counter
from typing import Any, Final

PLACES: Final = (
    "jwks",
    "token_endpoint",
    "notifications",
    "url_uploads",
    "uploads",
    "downloads",
    "file_status",
    "registrations",
    "certificates",
    "registration_status",
    "retrievals",
    "url_downloads",
    "file_deletions",
)
FAULTS: Final = ("ok", "down", "500", "html", "hang", "empty", "broken-members")
_LONGEST_SILENCE_SECONDS = 30


class UnknownFault(Exception):
    """No such place, or no such fault there; the message says which."""


class Faults:
    """The fault of each place, and the count of its visits; every place begins well."""

    def __init__(self) -> None:
        self._faults = dict.fromkeys(PLACES, "ok")
        self._visits = Counter(dict.fromkeys(PLACES, 0))
        self._changed = threading.Condition()

    def now(self) -> dict[str, str]:
        return dict(self._faults)

    def set(self, faults: dict[str, Any]) -> None:
        """Some places get a fault, or are well again ("ok"). Raises `UnknownFault`, and then changes nothing."""
        for place, fault in faults.items():
            if place not in PLACES or fault not in FAULTS or (fault == "broken-members" and place != "jwks"):
                raise UnknownFault(f"{place}: {fault}")
        with self._changed:
            self._faults.update(faults)
            self._changed.notify_all()

    def visit(self, place: str) -> str:
        """Count a visit of `place`; returns the fault it finds there."""
        with self._changed:
            self._visits[place] += 1
        return self._faults.get(place, "ok")

    def visits(self) -> dict[str, int]:
        """How often each place was asked, whatever it answered."""
        with self._changed:
            return dict(self._visits)

    def wait_out(self, place: str) -> None:
        """Say nothing for 30 s, or until the place is well again."""
        with self._changed:
            self._changed.wait_for(lambda: self._faults[place] != "hang", timeout=_LONGEST_SILENCE_SECONDS)


def with_broken_members(members: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A key set in which a reader has to overlook what it cannot use (RFC 7517 5); the good ones come last."""
    return [
        {"kty": "OCTOPUS", "kid": "unknown kty", "use": "sig"},
        {"kty": "RSA", "kid": "without n", "use": "sig", "alg": "RS256", "e": "AQAB"},
        {"kty": "EC", "kid": "odd curve", "use": "sig", "crv": "P-999", "x": "AA", "y": "AA"},
        {"kid": "without kty"},
        *members,
    ]
