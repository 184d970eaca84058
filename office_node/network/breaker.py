"""A peer that fails again and again is left alone for a while: asked before each call, told how it went."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import structlog

from office_node.errors import PeerUnavailable, Postponed
from office_node.network.destinations import DestinationRefused

log = structlog.get_logger()

_BROKEN = 500


class Breaker(Protocol):
    """Knows which peers had better be left alone, in every process at once."""

    def look(self, name: str) -> tuple[float, bool]:
        """Seconds until the peer may be called, 0 if it may be now; and whether it failed when it was called last."""

    def answered(self, name: str) -> None: ...

    def failed(self, name: str) -> bool:
        """Whether nobody calls it for a while now."""


class PeerRests(Postponed):
    """The peer failed several times in a row: nobody calls it until its rest is over, then one call looks how it is."""

    code = "N613"
    hint = "the node looks again by itself; the lines before this one tell how the peer failed"


@dataclass(slots=True)
class Call:
    """How far a call came."""

    status: int | None = None


@contextmanager
def watched(breaker: Breaker | None, peer: str) -> Iterator[Call]:
    """A call of `peer`, if `breaker` lets it through. Raises `PeerRests`.

    A line that fails before any answer, and a status of 500 and above, are failures of the peer. A line that was cut
    after it had carried a part of an answer is none, and where the node may not call is none of the peer's.
    """
    call = Call()
    if breaker is None:
        yield call
        return
    seconds, is_failing = breaker.look(peer)
    if seconds > 0:
        raise PeerRests(f"{peer} failed several times in a row and is left alone", retry_after_seconds=seconds)
    try:
        yield call
    except DestinationRefused:
        raise
    except PeerUnavailable:
        if call.status is None:
            _tell_failed(breaker, peer)
        raise
    if call.status is None or call.status >= _BROKEN:
        _tell_failed(breaker, peer)
    elif is_failing:
        breaker.answered(peer)


def _tell_failed(breaker: Breaker, peer: str) -> None:
    if breaker.failed(peer):
        log.error("peer left alone for a while", code=PeerRests.code, peer=peer, hint=PeerRests.hint)
