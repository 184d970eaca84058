"""Requests byte by byte, for what no client library would send."""

import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPResponse
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes


def head(method: str, target: str, host: str, *lines: str) -> bytes:
    """The head of a request, with its empty line."""
    return "\r\n".join((f"{method} {target} HTTP/1.1", f"Host: {host}", *lines, "", "")).encode("latin-1")


def chunked(body: bytes, size: int = 1000) -> bytes:
    """`body` in the chunked transfer coding."""
    parts = (body[start : start + size] for start in range(0, len(body), size))
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def connect(url: str) -> socket.socket:
    """A line to the web processes."""
    parts = urlsplit(url)
    return socket.create_connection((str(parts.hostname), int(parts.port or 80)), timeout=30)


def say(url: str, pieces: Iterable[bytes]) -> Answer:
    """Send these bytes, say that no more will come, and read one answer.

    A server may refuse before everything was said; what it answered is there to be read all the same.
    """
    with connect(url) as line:
        with suppress(OSError):
            for piece in pieces:
                line.sendall(piece)
            line.shutdown(socket.SHUT_WR)
        response = HTTPResponse(line)
        response.begin()
        return Answer(response.status, dict(response.headers), response.read())
