"""How fast messages for WIPO are taken up, by all workers together: a backlog must not come down on WIPO as a herd."""

import structlog
from limits.errors import StorageError
from limits.storage import Storage

from office_node import logs

log = structlog.get_logger()

_KEY = "messages taken up for WIPO"
_WINDOW_SECONDS = 1
_TOLD_EVERY_SECONDS = 60


class Pace:
    """So many in each second, counted where every worker counts."""

    def __init__(self, counters: Storage, per_second: int) -> None:
        self._counters = counters
        self._per_second = per_second
        self._told = logs.Repeats(_TOLD_EVERY_SECONDS)

    def allow(self, count: int) -> int:
        """How many of `count` may be taken up now."""
        try:
            taken = int(self._counters.incr(_KEY, _WINDOW_SECONDS, count))
        except StorageError as exc:
            if times := self._told.due("pace"):
                log.warning("pace not kept", reason=str(exc.storage_error), times=times)
            return count  # better too fast than not at all
        return max(0, min(count, self._per_second - (taken - count)))
