"""The web worker: one loop that waits for callers, and threads that answer whole requests.

Of gunicorn's threaded worker it keeps the process, the threads and the way from a parsed request to its answer.
What it does otherwise stands in `reception` and `arrivals`: no thread ever waits for a caller to speak, and nobody's
goodbye holds the loop up.
"""

import errno
import resource
import socket
import struct
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import structlog
from gunicorn.http import errors as http_errors

from office_node import logs
from office_node.das.error_codes import RequestTimeout
from office_node.errors import OfficeNodeError
from office_node.web import refusals
from office_node.web.arrivals import MOST_HEAD_BYTES
from office_node.web.connection import Connection
from office_node.web.reception import Reception
from office_node.web.succession import MortalWorker

log = structlog.get_logger()

_MOST_WAITING_BYTES = 67_108_864
_LARGEST_REQUESTS = 8
_NO_DESCRIPTOR_SECONDS = 0.05
_LINE_BROKE = {errno.ENOTCONN, errno.EBADF, errno.EAGAIN}  # EAGAIN: it read nothing for SO_SNDTIMEO


class AnswerBrokeOff(OfficeNodeError):
    """Something of ours, a disk perhaps, failed in the middle of an answer."""

    code = "N722"
    hint = "the cause stands beside it; the caller asks again by itself"


class OfficeWorker(MortalWorker):
    """Answers what never reaches the application (an unreadable head, a slow caller) in DAS's shape.

    gunicorn's own handler would answer HTML and quote the offending header, a token perhaps, in answer and log.
    """

    def load_wsgi(self) -> None:
        super().load_wsgi()
        self.wsgi.wsgi_app = _closing_where_told(self.wsgi.wsgi_app)

    def run(self) -> None:
        limits = self.wsgi.config
        self._seconds: float = limits["RECEIVE_SECONDS"]
        self._send_seconds = struct.pack("@ll", int(self._seconds), 0)  # a timeval
        self._is_stranger: Callable[[str], bool] = limits["IS_STRANGER"]
        self._most_body_bytes: int = limits["MOST_BODY_BYTES"]
        # Half of the descriptors at most: files and databases need some too.
        self.worker_connections = min(self.cfg.worker_connections, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
        self._reception = Reception(
            self.poller,
            receive_seconds=self._seconds,
            idle_seconds=self.cfg.keepalive,
            most_bytes=max(_MOST_WAITING_BYTES, _LARGEST_REQUESTS * (MOST_HEAD_BYTES + self._most_body_bytes)),
            serve=self.enqueue_req,
            refuse=self._refuse_slow,
            forget=self._forget,
        )
        super().run()

    # What the loop of gunicorn calls

    def accept(self, listener: Any) -> None:
        try:
            sock, client = listener.accept()
        except OSError as exc:
            if exc.errno in (errno.EMFILE, errno.ENFILE):
                if not self._reception.make_room():
                    time.sleep(_NO_DESCRIPTOR_SECONDS)
            elif exc.errno not in (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED):
                raise
            return
        self.nr_conns += 1
        if self.nr_conns >= self.worker_connections:
            self._reception.make_room()
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, self._send_seconds)
            connection = Connection(
                self.cfg,
                self._with_tls(sock),
                (client, listener.getsockname()),
                self._most_body_bytes,
                of_stranger=self._is_stranger(client[0]),
            )
        except OSError:  # gone before we turned to it
            sock.close()
            self._forget()
            return
        self._reception.welcome(connection)

    def finish_request(self, conn: Connection, fs: "Future[bool]") -> None:
        if fs.cancelled() or fs.exception() or not fs.result():
            self._reception.see_off(conn)
        else:
            self._reception.wait_for_next(conn)

    def murder_keepalived(self, force: bool = False) -> None:
        if force:
            self._reception.close()
        else:
            self._reception.sweep()

    def _cap_keepalive(self, deadline: float) -> None:
        self._reception.hurry(deadline)

    # What a thread does

    def handle(self, conn: Connection) -> bool:
        """Answer one request; True if the connection may bring another."""
        # The thread's last request may have been another caller's: its ids must not stand on lines of this one.
        logs.unbind_all()
        request = None
        try:
            # Blocking, and bounded by SO_SNDTIMEO: with a timeout of its own Python waits before each piece until a
            # third of the line's buffer is free, and would wait where there is room enough for the answer.
            conn.sock.setblocking(True)
            request = next(conn.parser)
            request._expected_100_continue = False  # told already, or not worth telling
            if conn.arrival.is_cut:
                request.force_close()
            refusals.check(request)
            return bool(self.handle_request(request, conn)) and conn.begin_next()
        except (StopIteration, http_errors.NoMoreData):
            log.debug("nothing more to answer")
        except OSError as exc:
            _note_broken_line(exc)
        except Exception as exc:
            self.handle_error(request, conn.sock, conn.client, exc)
        return False

    def handle_request(self, req: Any, conn: Any) -> Any:
        try:
            return super().handle_request(req, conn)
        except TimeoutError:  # a reader that took nothing for too long; "download cut" has told it
            return False

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        refusal, status = refusals.refusal_for(exc)
        if status == 500:
            log.error("bug", code=refusal.code, exc_info=exc)
        else:
            log.warning("request head refused", code=refusal.code, reason=type(exc).__name__, status=status)
        try:
            client.sendall(refusals.answer(refusal, status, self.wsgi.config))
        except OSError:
            log.debug("caller went away before it was refused")

    # Our own

    def _with_tls(self, sock: socket.socket) -> socket.socket:
        if not self.cfg.is_ssl:
            return sock
        sock.setblocking(False)
        context = self.cfg.ssl_context(self.cfg, None)
        wrapped: socket.socket = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return wrapped

    def _refuse_slow(self, connection: Connection) -> None:
        refusal = RequestTimeout("The request did not arrive in time")
        log.warning("request refused", code=refusal.code, reason=refusal.message, status=refusal.status)
        connection.send_at_once(refusals.answer(refusal, refusal.status, self.wsgi.config))

    def _forget(self) -> None:
        self.nr_conns -= 1


def _closing_where_told(application: Any) -> Any:
    """gunicorn takes an application's `Connection: close` away unread; this makes it close the connection."""

    def closing(environ: dict[str, Any], start_response: Any) -> Any:
        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            if ("Connection", "close") in headers:
                start_response.__self__.force_close()  # gunicorn's Response
            return start_response(status, headers, exc_info)

        return application(environ, start)

    return closing


def _note_broken_line(exc: OSError) -> None:
    if isinstance(exc, ConnectionError) or exc.errno in _LINE_BROKE or type(exc).__module__ == "ssl":
        log.debug("caller went away")
    else:
        log.error("answer broke off", code=AnswerBrokeOff.code, hint=AnswerBrokeOff.hint, exc_info=exc)
