"""Simulated WIPO as a server: the places of WIPO, and those of the office that rehearses."""

import io
import signal
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from office_node.rehearsal import offices_places, wipos_places
from office_node.rehearsal.central import Central
from office_node.rehearsal.hostile_answers import HANG_UP, MOVE_CLOCK

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


def create_app(central: Central) -> Flask:
    """Simulated WIPO as a WSGI application."""
    app = Flask("office_node.rehearsal", static_folder=None)
    app.register_blueprint(wipos_places.make_blueprint(central))
    app.register_blueprint(offices_places.make_blueprint(central))
    return app


def listening(central: Central, host: str, port: int) -> BaseWSGIServer:
    """Simulated WIPO as a server that takes connections, and answers them once it is let serve."""
    return make_server(host, port, create_app(central), threaded=True, request_handler=_Quiet)


def serve(central: Central, host: str, port: int) -> None:
    """Serve until interrupted."""
    server = listening(central, host, port)
    # shutdown() waits for serve_forever(), which a signal handler interrupts: so from another thread.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"simulated WIPO listens on {host}:{port}", flush=True)
    try:
        server.serve_forever(poll_interval=0.1)
    finally:
        central.store.close()


class _Quiet(WSGIRequestHandler):
    """No access log, and no word on a request that is none: the lines would hold whatever a query holds."""

    _moved_seconds = 0.0
    timeout = 120
    """A peer that neither sends nor takes a byte for so long is gone."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""

    def log_error(self, format: str, *args: object) -> None:
        """Say nothing."""

    def make_environ(self) -> "WSGIEnvironment":
        """With ways for a place to hang up, and to say another date."""
        return super().make_environ() | {HANG_UP: self._hang_up, MOVE_CLOCK: self._move_clock}

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The Date of an answer, by the clock that simulated WIPO has for it."""
        return super().date_time_string((time.time() if timestamp is None else timestamp) + self._moved_seconds)

    def _move_clock(self, seconds: float) -> None:
        self._moved_seconds = seconds

    def _hang_up(self) -> None:
        """Close the connection hard, whatever the peer still sends; the server would take that in first."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.shutdown(socket.SHUT_RDWR)
        self.rfile.close()
        self.rfile = io.BytesIO()
