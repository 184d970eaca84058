"""Flask's test client, but over HTTP to the processes of an office: the same calls, the same shape of answer."""

import contextlib
import select
from collections import deque
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from werkzeug.datastructures import Headers
from werkzeug.test import Client, EnvironBuilder, TestResponse

_CONNECTIONS = 8
"""So many stay open and are used in turn, that consecutive requests meet different worker processes."""
_PATIENCE_SECONDS = 60.0
_IN_PIECES_OF = 65_536


class OverHttp(Client):
    """Requests as a test describes them to Flask's client; a repeated or odd header field goes out as it is."""

    def __init__(self, url: str) -> None:
        super().__init__(_no_application)
        self._address = urlsplit(url).netloc
        self._made: list[HTTPConnection] = []
        self._idle: deque[HTTPConnection] = deque()

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """What the processes answer. Many threads may ask at once."""
        builder = EnvironBuilder(*args, **kwargs)
        connection = self._connection()
        _send(connection, builder)
        answer = connection.getresponse()
        content = answer.read()
        self._idle.append(connection)
        status = f"{answer.status} {answer.reason}"
        return TestResponse([content], status, Headers(answer.getheaders()), builder.get_request())

    def ports(self) -> set[int]:
        """Our ends of the connections that are open."""
        return {connection.sock.getsockname()[1] for connection in self._made if connection.sock}

    def close(self) -> None:
        for connection in self._made:
            connection.close()

    def _connection(self) -> HTTPConnection:
        if len(self._made) < _CONNECTIONS or not self._idle:
            connection = HTTPConnection(self._address, timeout=_PATIENCE_SECONDS)
            self._made.append(connection)
            return connection
        connection = self._idle.popleft()
        if connection.sock and select.select([connection.sock], [], [], 0)[0]:
            connection.close()  # the other side ended it; http.client opens it anew
        return connection


def _send(connection: HTTPConnection, builder: EnvironBuilder) -> None:
    environ = builder.get_environ()
    target = f"{builder.path}?{builder.query_string}" if builder.query_string else builder.path
    connection.putrequest(builder.method, target, skip_accept_encoding=True)
    for name, value in builder.headers.to_wsgi_list():
        if name.lower() not in ("content-type", "content-length"):  # of these the builder knows more than the test
            connection.putheader(name, value)
    if environ.get("CONTENT_TYPE"):
        connection.putheader("Content-Type", environ["CONTENT_TYPE"])
    body = environ["wsgi.input"].read()
    chunked = not environ.get("CONTENT_LENGTH") and bool(body)
    if chunked:
        connection.putheader("Transfer-Encoding", "chunked")
    elif environ.get("CONTENT_LENGTH"):
        connection.putheader("Content-Length", environ["CONTENT_LENGTH"])
    pieces = (body[at : at + _IN_PIECES_OF] for at in range(0, len(body), _IN_PIECES_OF))
    with contextlib.suppress(ConnectionError):  # refused before it was sent whole; the answer has come all the same
        connection.endheaders(pieces if body else None, encode_chunked=chunked)


def _no_application(_environ: Any, _start_response: Any) -> Any:
    raise AssertionError("requests go over HTTP")
