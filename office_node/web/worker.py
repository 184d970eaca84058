"""The web worker: threads that answer, and the refusals that never reach the application."""

import json
from typing import Any

import structlog
from gunicorn.http import errors as http_errors

from office_node import logs
from office_node.das import error_codes
from office_node.das.error_codes import DasRefusal
from office_node.web.succession import MortalWorker

log = structlog.get_logger()

_REASONS = {
    400: "Bad Request",
    414: "URI Too Long",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
}


class OfficeWorker(MortalWorker):
    """Answers what never reaches the application (an unreadable or oversized head) in DAS's shape.

    gunicorn's own handler would answer HTML and quote the offending header, a token perhaps, in answer and log.
    """

    def load_wsgi(self) -> None:
        super().load_wsgi()
        self.wsgi.wsgi_app = _closing_where_told(self.wsgi.wsgi_app)

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
            f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\n"
            + "".join(f"{name}: {value}\r\n" for name, value in self.wsgi.config["SECURITY_HEADERS"].items())
            + f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        try:
            client.sendall(head.encode() + body)
        except OSError:
            log.debug("caller went away before it was refused")


def _closing_where_told(application: Any) -> Any:
    """gunicorn takes an application's `Connection: close` away unread; this makes it close the connection."""

    def closing(environ: dict[str, Any], start_response: Any) -> Any:
        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            if ("Connection", "close") in headers:
                start_response.__self__.force_close()  # gunicorn's Response
            return start_response(status, headers, exc_info)

        return application(environ, start)

    return closing


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
