"""Connections that a whole call's deadline bounds, made only to addresses that were judged.

A socket's timeout bounds one read, so a peer that drips bytes is never late. Here the timeout is set anew before each
read and each sending, to what is left of the call: no other thread watches, and a kept connection is never harmed.
"""

import io
import math
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from http.client import HTTPResponse
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError

Find = Callable[[str, str, int], list[str]]
"""Scheme, host and port to the addresses to connect to, at least one. May refuse, with any error of the node's."""

_LEAST_SECONDS = 0.001  # 0 would mean "do not wait" to a socket
# A call runs in one thread; the connection that serves it may have served another before.
_deadline: ContextVar[float] = ContextVar("deadline", default=math.inf)


@contextmanager
def bounded(deadline: float) -> Iterator[None]:
    """Within the block, this thread's waits for a peer end at `deadline`, on the monotonic clock."""
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


def extend(seconds: float) -> None:
    """Within a `bounded` block: the wait that begins now ends in so many seconds. For transfers, which end when
    nothing moves any more and not when they have taken long."""
    _deadline.set(time.monotonic() + seconds)


def _left() -> float:
    return _deadline.get() - time.monotonic()


class _SocketReader(io.RawIOBase):
    """Reads a socket, each time for no longer than the socket's timeout or what is left of the call."""

    def __init__(self, connection: socket.socket, raw: io.RawIOBase) -> None:
        self._socket = connection
        self._raw = raw
        self._timeout = connection.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = _left()
        if left <= 0:
            raise TimeoutError("the call's time is up")
        self._socket.settimeout(_shorter(self._timeout, left))
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    """Reads head and body until the deadline."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_SocketReader(sock, self.fp.detach()))


class _Connection(HTTPConnection):
    response_class = _Response
    _scheme = "http"

    def __init__(self, *args: Any, find: Find, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._find = find

    @property
    def timeout(self) -> float | None:
        return _shorter(self._timeout, max(_LEAST_SECONDS, _left()))

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        self._timeout = seconds

    def _new_conn(self) -> socket.socket:
        # Judged here, whatever a parser on the way made of the URL: this is what is connected to. Through a proxy it
        # is where the tunnel leads, and what is found are the proxy's addresses.
        host, port = (self._tunnel_host, self._tunnel_port) if self._tunnel_host else (self.host, self.port)
        try:
            found = self._find(self._scheme, host, port or self.port)
        except socket.gaierror as exc:
            raise NameResolutionError(self.host, self, exc) from exc
        connection = self._connect_to_one_of(found)
        connection.settimeout(self.timeout)  # for the TLS handshake, less what connecting took
        return connection

    def _connect_to_one_of(self, addresses: list[str]) -> socket.socket:
        name = self.host
        try:
            for address in addresses[:-1]:
                self.host = address  # a literal, which nobody looks up
                with suppress(ConnectTimeoutError):  # refused ones are of that class too
                    return super()._new_conn()
            self.host = addresses[-1]
            return super()._new_conn()
        finally:
            self.host = name  # TLS verifies the name, not the address

    def send(self, data: Any) -> None:
        if self.sock is not None:
            self.sock.settimeout(self.timeout)
        super().send(data)


class _TlsConnection(_Connection, HTTPSConnection):
    _scheme = "https"


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def pools(find: Find) -> dict[str, Any]:
    """For a urllib3 PoolManager's `pool_classes_by_scheme`; each new connection asks `find` where it leads."""
    return {"http": partial(_Pool, find=find), "https": partial(_TlsPool, find=find)}


def _shorter(timeout: float | None, left: float) -> float | None:
    if timeout is None:
        return None if left == math.inf else left
    return min(timeout, left)
