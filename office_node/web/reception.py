"""Where connections wait: for a request to come whole, for the next one, for their end. All in one thread."""

import selectors
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog

from office_node.errors import OfficeNodeError
from office_node.web.connection import Connection, Progress

log = structlog.get_logger()

_SWEEP_SECONDS = 0.25
_GOODBYE_SECONDS = 2.0
_INTEREST = {Progress.READ: selectors.EVENT_READ, Progress.WRITE: selectors.EVENT_WRITE}


class ReceptionFull(OfficeNodeError):
    """More callers, or more of their bytes, wait than this process holds; those that waited longest had to go."""

    code = "N721"
    hint = "if they are honest, raise [web] workers; if they are not, keep them out with [ingress] allow"


class Reception:
    """Holds every connection that no thread serves.

    `serve` takes one whose request is there, `refuse` tells one that it was too slow, `forget` counts those that ended.
    """

    def __init__(
        self,
        poller: selectors.BaseSelector,
        *,
        receive_seconds: float,
        idle_seconds: float,
        most_bytes: int,
        serve: Callable[[Connection], None],
        refuse: Callable[[Connection], None],
        forget: Callable[[], None],
    ) -> None:
        self._poller = poller
        self._receive_seconds = receive_seconds
        self._idle_seconds = idle_seconds
        self._most_bytes = most_bytes
        self._serve, self._refuse, self._forget = serve, refuse, forget
        self._waiting: dict[Connection, None] = {}  # in the order in which their waits began
        self._leaving: dict[Connection, None] = {}
        self._held_bytes = 0
        self._ends_at = float("inf")
        self._next_sweep = 0.0
        self._turned_away = 0

    def welcome(self, connection: Connection) -> None:
        """A caller came; it has said nothing yet."""
        self._wait(connection, self._receive_seconds)

    def wait_for_next(self, connection: Connection) -> None:
        """A caller was answered, and may ask again; perhaps it has already."""
        if not connection.arrival.received:
            connection.sock.setblocking(False)
            self._wait(connection, self._idle_seconds)
        elif (progress := connection.look()) is Progress.DUE:
            connection.hand_over()
            self._serve(connection)
        else:
            connection.sock.setblocking(False)
            self._held_bytes += len(connection.arrival.received)
            self._wait(connection, self._receive_seconds, progress)

    def see_off(self, connection: Connection) -> None:
        """End a connection without waiting for its caller, and without taking back what it was told last."""
        try:
            connection.say_goodbye()
        except OSError:
            self._end(connection)
            return
        if connection.is_silent():
            self._end(connection)
            return
        connection.deadline = time.monotonic() + _GOODBYE_SECONDS
        self._leaving[connection] = None
        self._poller.register(connection.sock, selectors.EVENT_READ, partial(self._while_leaving, connection))

    def make_room(self) -> bool:
        """Let go who waited longest. False if nobody waits."""
        for group in (self._leaving, self._waiting):
            for connection in group:
                self._turned_away += 1
                self._drop(connection)
                return True
        return False

    def sweep(self) -> None:
        """End whose time is over."""
        now = time.monotonic()
        if now < self._next_sweep:
            return
        self._next_sweep = now + _SWEEP_SECONDS
        for connection in [one for one in self._leaving if one.deadline <= now]:
            self._drop(connection)
        for connection in [one for one in self._waiting if min(one.deadline, self._ends_at) <= now]:
            self._dismiss(connection)
        if self._turned_away:
            log.warning(
                "callers turned away", code=ReceptionFull.code, hint=ReceptionFull.hint, count=self._turned_away
            )
            self._turned_away = 0

    def hurry(self, ends_at: float) -> None:
        """The process stops: nobody waits longer than `ends_at`, on the monotonic clock."""
        self._ends_at = ends_at

    def close(self) -> None:
        """Everybody has to go now."""
        for connection in [*self._waiting, *self._leaving]:
            self._drop(connection)

    def _wait(self, connection: Connection, seconds: float, progress: Progress = Progress.READ) -> None:
        connection.deadline = time.monotonic() + seconds
        self._waiting[connection] = None
        self._poller.register(connection.sock, _INTEREST[progress], partial(self._while_waiting, connection))

    def _while_waiting(self, connection: Connection, _socket: Any) -> None:
        if connection not in self._waiting:  # dropped by another one's event of the same round
            return
        had = len(connection.arrival.received)
        progress = connection.advance()
        got = len(connection.arrival.received) - had
        self._held_bytes += got
        if progress is Progress.GONE:
            self._drop(connection)
        elif progress is Progress.DUE:
            self._leave(connection)
            connection.hand_over()
            self._serve(connection)
        else:
            if got and not had:
                connection.deadline = time.monotonic() + self._receive_seconds
            callback = partial(self._while_waiting, connection)
            self._poller.modify(connection.sock, _INTEREST[progress], callback)
            self._keep_within_bounds()

    def _while_leaving(self, connection: Connection, _socket: Any) -> None:
        if connection in self._leaving and connection.is_silent():
            self._drop(connection)

    def _keep_within_bounds(self) -> None:
        if self._held_bytes > self._most_bytes:
            self._turned_away += 1
            self._drop(max(self._waiting, key=lambda one: len(one.arrival.received)))

    def _dismiss(self, connection: Connection) -> None:
        if not connection.arrival.received or connection.is_stuck:  # there is no room to tell it anything
            self._drop(connection)
            return
        self._leave(connection)
        self._refuse(connection)
        self.see_off(connection)

    def _drop(self, connection: Connection) -> None:
        self._leave(connection)
        self._end(connection)

    def _leave(self, connection: Connection) -> None:
        """Neither waiting nor leaving any more."""
        if connection in self._waiting:
            del self._waiting[connection]
            self._held_bytes -= len(connection.arrival.received)
        else:
            del self._leaving[connection]
        self._poller.unregister(connection.sock)

    def _end(self, connection: Connection) -> None:
        connection.close()
        self._forget()
