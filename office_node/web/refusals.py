"""Answers that the application does not give, in DAS's shape; and what is refused of a head that gunicorn takes."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from gunicorn.http import errors as http_errors

from office_node.das import error_codes
from office_node.das.error_codes import DasRefusal

_REASONS = {
    400: "Bad Request",
    408: "Request Timeout",
    414: "URI Too Long",
    415: "Unsupported Media Type",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


class AmbiguousHost(http_errors.ParseException):  # type: ignore[misc]  # gunicorn ships no types
    """The address names one host, the Host line another."""


def check(head: Any) -> None:
    """Raises what `refusal_for` turns into an answer.

    Nothing of ours undoes a coding, so a coded body would be taken for what it is not.
    """
    hosts = {value.lower() for name, value in head.headers if name == "HOST"}
    for name, value in head.headers:
        if name == "TRANSFER-ENCODING" and value.strip().lower() != "chunked":
            raise http_errors.InvalidHeader(name, req=head)
        if name == "CONTENT-ENCODING" and value.strip().lower() != "identity":
            what = "The body's content coding is not taken"
            raise error_codes.WrongMediaType(what)
    if "://" in head.uri and not head.uri.startswith("/") and {urlsplit(head.uri).netloc.lower()} != hosts:
        raise AmbiguousHost  # RFC 9112 3.2.2


def refusal_for(exc: Exception) -> tuple[DasRefusal, int]:
    """What the caller reads, and the status."""
    match exc:
        case DasRefusal():
            return exc, exc.status
        case http_errors.LimitRequestHeaders():
            return error_codes.HeaderTooLarge("The request's head is too large"), 431
        case http_errors.LimitRequestLine():
            return error_codes.Malformed("The address is too long"), 414
        case http_errors.ParseException() | http_errors.ConfigurationProblem():
            return error_codes.Malformed("The request's head cannot be read"), 400
        case _:
            return error_codes.InternalError("The service failed"), 500


def answer(refusal: DasRefusal, status: int, config: Mapping[str, Any], **more: str) -> bytes:
    """The whole answer, after which the connection ends; `config` is the application's, `more` are further headers."""
    body = json.dumps(refusal.body(wrapped=config["WRAP_ERRORS"])).encode()
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\n"
        + "".join(f"{name}: {value}\r\n" for name, value in {**config["SECURITY_HEADERS"], **more}.items())
        + f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
