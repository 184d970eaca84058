"""How often somebody may call, counted over every web process and host that shares the counters."""

import math
import threading

import limits
import structlog
from limits.errors import StorageError
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from office_node import clock, logs
from office_node.errors import OfficeNodeError

log = structlog.get_logger()

_TOLD_EVERY_SECONDS = 30
_REST_SECONDS = 1.0  # broken counters are left alone for so long: a call must not wait for them each time
_MOST_REMEMBERED = 10_000


class TooManyRequests(OfficeNodeError):
    """More calls than the settings allow in the present window."""

    code = "N418"
    owner = "caller"
    hint = "if the caller needs more, raise [ingress] rate_per_client or rate_per_address"

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class RateLimit:
    """One limit: so many calls in a window that begins with the first of them.

    Counters that cannot be used let every call through: a limit protects, it authenticates nobody.
    """

    def __init__(self, counters: Storage, rate: str, what: str) -> None:
        """`rate` as in "10/minute"; `what` names whom it counts, such as "address"."""
        self._limiter = FixedWindowRateLimiter(counters)
        self._rate = limits.parse(rate)
        self._what = what
        self._spent: dict[str, float] = {}
        self._spent_lock = threading.Lock()
        self._rests_until = 0.0
        self._troubles = logs.Repeats(_TOLD_EVERY_SECONDS)

    def count(self, who: str) -> None:
        """One more call of `who`. Raises `TooManyRequests`."""
        now = clock.now().timestamp()
        ends = self._spent_until(who, now)
        if ends is None and not now < self._rests_until <= now + _REST_SECONDS:
            try:
                ends = self._hit(who)
            except StorageError as exc:
                self._rests_until = now + _REST_SECONDS
                self._tell(exc.storage_error)
        if ends is not None:
            wait = min(max(1, math.ceil(ends - now)), self._rate.get_expiry())
            raise TooManyRequests(f"more than {self._rate} from {self._what} {who}", wait)

    def _hit(self, who: str) -> float | None:
        """When the window of `who` ends, if it is spent."""
        if self._limiter.hit(self._rate, self._what, who):
            return None
        ends = self._limiter.get_window_stats(self._rate, self._what, who).reset_time
        with self._spent_lock:
            if len(self._spent) >= _MOST_REMEMBERED:
                self._spent.clear()
            self._spent[who] = ends
        return ends

    def _spent_until(self, who: str, now: float) -> float | None:
        """The same from memory: a flood must not cost a look at the counters for each call."""
        with self._spent_lock:
            ends = self._spent.get(who)
            if ends is None or now < ends <= now + self._rate.get_expiry():
                return ends
            del self._spent[who]
            return None

    def _tell(self, trouble: Exception) -> None:
        assert isinstance(trouble, OfficeNodeError), "what counters raise"  # noqa: S101  for the type alone
        if times := self._troubles.due(trouble.code):
            reason, hint = trouble.message, trouble.next_step
            log.error("calls go through uncounted", code=trouble.code, reason=reason, hint=hint, times=times)
