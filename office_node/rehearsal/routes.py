"""Simulated WIPO as a server: the places of WIPO, and those of the office that rehearses."""

import signal
import threading

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from office_node.rehearsal import offices_places, wipos_places
from office_node.rehearsal.central import Central


def create_app(central: Central) -> Flask:
    """Simulated WIPO as a WSGI application."""
    app = Flask("office_node.rehearsal", static_folder=None)
    app.register_blueprint(wipos_places.make_blueprint(central))
    app.register_blueprint(offices_places.make_blueprint(central))
    return app


def serve(central: Central, host: str, port: int) -> None:
    """Serve until interrupted."""
    server = make_server(host, port, create_app(central), threaded=True, request_handler=_Quiet)
    # shutdown() waits for serve_forever(), which a signal handler interrupts: so from another thread.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"simulated WIPO listens on {host}:{port}", flush=True)
    server.serve_forever(poll_interval=0.1)


class _Quiet(WSGIRequestHandler):
    """No access log: its lines would hold whatever a query holds."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""
