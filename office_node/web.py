"""The web door: gunicorn with threads, its limits from our settings, its own refusals in DAS's shape."""

import json
import logging
from pathlib import Path
from typing import Any

import structlog
from gunicorn import glogging
from gunicorn.app.base import BaseApplication
from gunicorn.http import errors as http_errors
from gunicorn.workers.gthread import ThreadWorker

from office_node import logs
from office_node.das import error_codes
from office_node.das.error_codes import DasRefusal
from office_node.settings import Settings

log = structlog.get_logger()

_REASONS = {
    400: "Bad Request",
    414: "URI Too Long",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
}


def gunicorn_options(settings: Settings) -> dict[str, Any]:
    """gunicorn's settings for this node; config/gunicorn.conf.py hands out the same."""
    web = settings.web
    return {
        "bind": web.listen,
        "workers": web.workers,
        "worker_class": "office_node.web.OfficeWorker",
        "threads": web.threads,
        "graceful_timeout": web.drain_seconds,
        "keepalive": 75,
        "limit_request_line": 4094,
        "limit_request_fields": 64,
        "limit_request_field_size": 16_380,  # a WIPO token of 5 KB and its x5c fit (auth-checks.md 69)
        "logger_class": "office_node.web.JsonLogger",
        "accesslog": None,  # our own access line leaves the query out
        # The heartbeat file must not wait for a disk.
        "worker_tmp_dir": "/dev/shm" if Path("/dev/shm").is_dir() else None,  # noqa: S108
        "control_socket_disable": True,
    }


class WebServer(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn around the node's application; each worker process builds its own node."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        for name, value in gunicorn_options(self._settings).items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        from office_node.app import create_app
        from office_node.wiring import build_node

        return create_app(build_node(self._settings))


class JsonLogger(glogging.Logger):  # type: ignore[misc]
    """gunicorn's own messages as JSON lines like all others."""

    def setup(self, cfg: Any) -> None:
        self.loglevel = logging.INFO
        self.error_log.propagate = True
        self.error_log.setLevel(logging.INFO)
        self.access_log.propagate = False
        if not logging.getLogger().handlers:
            logs.configure(process="web")

    def reopen_files(self) -> None:
        """Nothing to reopen: lines go to standard error."""


class OfficeWorker(ThreadWorker):  # type: ignore[misc]
    """Answers what never reaches the application (an unreadable or oversized head) in DAS's shape.

    gunicorn's own handler would answer HTML and quote the offending header, a token perhaps, in answer and log.
    """

    def handle(self, conn: Any) -> Any:
        # The thread's last request may have been another caller's: its ids must not stand on lines of this one.
        logs.unbind_all()
        return super().handle(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        try:
            return super().handle_request(req, conn)
        except TimeoutError:  # a reader that took nothing for too long; "download cut" has told it
            return False

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        refusal, status = _refusal(exc)
        if status == 500:
            log.error("bug", code=refusal.code, exc_info=exc)
        else:
            log.warning("request head refused", code=refusal.code, reason=type(exc).__name__, status=status)
        body = json.dumps(refusal.body(wrapped=self.wsgi.config["WRAP_ERRORS"])).encode()
        head = (
            f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
            f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        try:
            client.sendall(head.encode() + body)
        except OSError:
            log.debug("caller went away before it was refused")


def _refusal(exc: Exception) -> tuple[DasRefusal, int]:
    match exc:
        case http_errors.LimitRequestHeaders():
            return error_codes.HeaderTooLarge("The request's head is too large"), 431
        case http_errors.LimitRequestLine():
            return error_codes.Malformed("The address is too long"), 414
        case http_errors.ParseException() | http_errors.ConfigurationProblem():
            return error_codes.Malformed("The request's head cannot be read"), 400
        case _:
            return error_codes.InternalError("The service failed"), 500
