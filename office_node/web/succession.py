"""How the web worker of old settings makes room for its successor: it takes no more requests, and says so.

gunicorn alone answers what comes on kept-alive connections for some seconds after it was told to end, then ends by
force when its time is over. Here a worker says when the last request under its settings was taken, and what runs then,
a big document on a slow line perhaps, has an hour.
"""

import mmap
import os
import signal
import threading
import time
from enum import IntEnum
from types import FrameType
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from office_node.das import error_codes
from office_node.web import refusals

STOP_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGQUIT})
"""Held back by the master around a fork, until the worker can listen to them."""
_LAST_CALL_SECONDS = 5.0  # for a request that was under way when we were told; an orderly one needs milliseconds
_LONGEST_DOWNLOAD_SECONDS = 3600


class Stage(IntEnum):
    """How far a worker is, as the master sees it."""

    BOOTING = 0
    SERVING = 1
    CLOSED = 2
    """Takes no request any more; what it took may still run."""


class MortalWorker(ThreadWorker):  # type: ignore[misc]
    """A worker that is told by SIGHUP that others have taken its place."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stage = mmap.mmap(-1, 1)  # made before the fork: the master sees what the worker writes
        self._running = 0
        self._closed = False
        self._told_at: float | None = None
        self._orphaned_at: float | None = None
        self._drain_seconds = self.cfg.graceful_timeout
        self._lock = threading.Lock()

    @property
    def stage(self) -> Stage:
        return Stage(self._stage[0])

    def init_signals(self) -> None:
        super().init_signals()
        signal.signal(signal.SIGHUP, self._be_succeeded)
        signal.siginterrupt(signal.SIGHUP, False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def _be_succeeded(self, number: int, frame: FrameType | None) -> None:
        self.cfg.set("graceful_timeout", _LONGEST_DOWNLOAD_SECONDS)
        self.handle_exit(number, frame)

    def notify(self) -> None:
        """Called by the loop of the worker, at least once a second."""
        super().notify()
        if os.getppid() != self.ppid:
            self._end_without_master()
        if self.alive:
            self._stage[0] = Stage.SERVING
        elif not self._accepting:
            self._take_the_last()

    def _take_the_last(self) -> None:
        now = time.monotonic()
        if self._told_at is None:
            self._told_at = now
            for listener in self.sockets:
                listener.close()  # or a node that is started anew could not bind while a download lasts
        with self._lock:
            if self.nr_conns == self._running or now > self._told_at + _LAST_CALL_SECONDS:
                self._closed = True
                self._stage[0] = Stage.CLOSED

    def _end_without_master(self) -> None:
        self.alive = False
        now = time.monotonic()
        self._orphaned_at = self._orphaned_at or now
        if now > self._orphaned_at + self._drain_seconds:
            os._exit(1)  # nobody is left to end us, and an orderly exit would wait for the slowest reader

    def handle_request(self, req: Any, conn: Any) -> Any:
        with self._lock:
            taken = not self._closed
            self._running += taken
        if not taken:
            return self._refuse(conn)
        try:
            kept_alive = super().handle_request(req, conn)
        finally:
            with self._lock:
                self._running -= 1
                closed = self._closed
        return kept_alive and not closed

    def _refuse(self, conn: Any) -> bool:
        """What came too late is asked to come again: to our successor."""
        refusal = error_codes.Unavailable("The service has just been reloaded")
        answer = refusals.answer(refusal, refusal.status, self.wsgi.config, **{"Retry-After": "1"})
        conn.sock.sendall(answer)
        return False
