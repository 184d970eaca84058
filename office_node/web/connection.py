"""One caller's connection: its handshake, what it says, its end; none of it ever waits."""

import select
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto
from typing import Any

from gunicorn.http.parser import RequestParser
from gunicorn.http.unreader import Unreader

from office_node.web.arrivals import Arrival

_PIECE_BYTES = 65_536
_MOST_UNREAD_BYTES = 16_777_216  # of a caller that goes on sending after it was refused


class Progress(Enum):
    """What a connection needs next."""

    READ = auto()
    WRITE = auto()
    DUE = auto()
    """A thread: its request is there."""
    GONE = auto()


class Connection:
    """Between requests it belongs to the loop that waits for callers, during one to the thread that answers."""

    def __init__(
        self,
        cfg: Any,
        sock: socket.socket,
        addresses: tuple[Any, Any],
        most_body_bytes: int,
        *,
        of_stranger: bool = False,
    ) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.client, self.server = addresses
        self.deadline = 0.0
        self._of_stranger = of_stranger
        self.arrival = Arrival(most_body_bytes, of_stranger=of_stranger)
        self.parser = RequestParser(cfg, (), self.client)
        self.parser.unreader = self._come = _Come()
        self._most_body_bytes = most_body_bytes
        self._is_open = not isinstance(sock, ssl.SSLSocket)  # else after its handshake
        self._unread_bytes = 0
        self._room = select.poll()
        self._room.register(sock, select.POLLOUT)
        self._is_due = False

    @property
    def is_stuck(self) -> bool:
        """Whether the request is there and waits for its caller to read what it was told before."""
        return self._is_due

    def advance(self) -> Progress:
        """Take what came. At most one piece: other connections have their turn."""
        if self._is_due:
            return self._due()
        try:
            if not self._is_open:
                self.sock.do_handshake()  # type: ignore[attr-defined]
                self._is_open = True
            piece = self.sock.recv(_PIECE_BYTES)
        except ssl.SSLWantWriteError:
            return Progress.WRITE
        except (BlockingIOError, ssl.SSLWantReadError):
            return Progress.READ
        except OSError:
            return Progress.GONE
        if not piece:
            return self._come_to_end()
        self.arrival.received += piece
        return self.look()

    def look(self) -> Progress:
        """Whether the request is there already; a caller that asks whether to go on is told."""
        if self.arrival.is_due():
            return self._due()
        if self.arrival.wants_continue:
            self.arrival.wants_continue = False
            self.send_at_once(b"HTTP/1.1 100 Continue\r\n\r\n")
        return Progress.READ

    def _come_to_end(self) -> Progress:
        """Of a cut body the application tells the caller; of a cut head there is nobody to tell."""
        if not self.arrival.has_head:
            return Progress.GONE
        self.arrival.is_cut = True
        return self._due()

    def _due(self) -> Progress:
        """A thread would wait for a caller that asks on and reads nothing: first there has to be room for an answer."""
        self._is_due = True
        return Progress.DUE if self._room.poll(0) else Progress.WRITE

    def hand_over(self) -> None:
        """Give what came to the parser."""
        self._is_due = False
        self._come.unread(bytes(self.arrival.received))
        self._come.shortage = self.arrival.shortage
        self.arrival.received.clear()

    def begin_next(self) -> bool:
        """Pass over what nobody read of the body; False if the next request's beginning cannot be known."""
        try:
            known = not self.arrival.is_cut and self.parser.finish_body()
        except Exception:  # a chunk that breaks the rules: its request was answered, there is no second answer
            return False
        self.arrival = Arrival(self._most_body_bytes, self._come.take_buffered(), of_stranger=self._of_stranger)
        return bool(known)

    def send_at_once(self, message: bytes) -> None:
        """Send some bytes if there is room for them, as there is unless the caller reads nothing."""
        with suppress(OSError):
            self.sock.send(message)

    def say_goodbye(self) -> None:
        """Tell the caller that nothing more comes. What it is still sending has to be read before the end: closing
        before would take back the last answer (RFC 9112 9.6). Raises `OSError` if it is gone.
        """
        self.sock.setblocking(False)
        if isinstance(self.sock, ssl.SSLSocket):
            with suppress(OSError, ValueError):  # that the caller's own goodbye is not there yet, for one
                self.sock.unwrap()
        self.sock.shutdown(socket.SHUT_WR)

    def is_silent(self) -> bool:
        """Read and forget; True when the caller has ended too, or will not."""
        try:
            piece = self.sock.recv(_PIECE_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True
        self._unread_bytes += len(piece)
        return not piece or self._unread_bytes > _MOST_UNREAD_BYTES

    def close(self) -> None:
        """Close at once; closing twice does nothing."""
        self.sock.close()


class _Come(Unreader):  # type: ignore[misc]
    """What came, for the parser; it never waits for more."""

    def __init__(self) -> None:
        super().__init__()
        self.shortage: Callable[[], Exception] = NotImplementedError

    def chunk(self, size_hint: int | None = None) -> bytes:
        raise self.shortage()
