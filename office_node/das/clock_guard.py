"""How far our clock is from WIPO's, read from the Date of its answers (RFC 9110 6.6.1); far off, nothing is signed.

An assertion signed by a wrong clock is refused as expired or as not yet valid, and nobody guesses why. The Date has
whole seconds and the answer was under way: the measure is good to a second.
"""

import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import ClassVar

import structlog

from office_node import clock, logs
from office_node.errors import Owner, Postponed

log = structlog.get_logger()

WARN_SECONDS, REFUSE_SECONDS = 5.0, 30.0  # reliability.md 1
_LOOK_AGAIN_SECONDS = 10.0
_TOLD_EVERY_SECONDS = 3600


class ClockWrong(Postponed):
    """This machine's clock is so far off that WIPO would refuse what is signed by it."""

    code = "N614"
    owner: ClassVar[Owner] = "operator"
    hint = "set this machine's clock, best by NTP; the node goes on by itself once it is right"


class ClockGuard:
    """Remembers the last measure, and follows the steps that the clock makes after it."""

    def __init__(self, record: Callable[[float], None] = lambda _seconds: None) -> None:
        """`record` is told each measure: by how many seconds our clock is ahead."""
        self._record = record
        self._told = logs.Repeats(_TOLD_EVERY_SECONDS)
        self._ahead: float | None = None
        self._measured_at = 0.0
        self._offset = 0.0

    def measure(self, headers: Mapping[str, str], took_seconds: float) -> None:
        """Read an answer that just came, and how long it was waited for; one without a date says nothing."""
        try:
            theirs = parsedate_to_datetime(headers.get("Date", "")).timestamp() + 0.5
        except (ValueError, TypeError):
            return
        self._measured_at, self._offset = time.monotonic(), _offset()
        self._ahead = clock.now().timestamp() - took_seconds / 2 - theirs
        self._record(self._ahead)
        if abs(self._ahead) >= WARN_SECONDS and (times := self._told.due("skew")):
            told = {"ahead_seconds": round(self._ahead, 1), "times": times, "hint": ClockWrong.hint}
            log.warning("our clock differs from WIPO's", code=ClockWrong.code, **told)

    @property
    def ahead_seconds(self) -> float | None:
        """By how much our clock is ahead now; None while nothing was measured."""
        return None if self._ahead is None else self._ahead + _offset() - self._offset

    def needs_a_look(self) -> bool:
        """Whether the clock seems to be too far off, and the last measure is not of just now."""
        is_old = time.monotonic() - self._measured_at >= _LOOK_AGAIN_SECONDS
        return self._is_too_far() and (is_old or abs(_offset() - self._offset) >= 1)

    def insist(self) -> None:
        """Raises `ClockWrong` when nothing may be signed."""
        ahead = self.ahead_seconds
        if ahead is not None and self._is_too_far():
            way = "ahead of" if ahead > 0 else "behind"
            what = f"our clock is {abs(ahead):.0f} s {way} WIPO's: nothing is signed"
            raise ClockWrong(what, retry_after_seconds=_LOOK_AGAIN_SECONDS)

    def _is_too_far(self) -> bool:
        ahead = self.ahead_seconds
        return ahead is not None and abs(ahead) >= REFUSE_SECONDS


def _offset() -> float:
    """Between the two clocks of this machine; it changes only when one of them is set."""
    return clock.now().timestamp() - time.monotonic()
