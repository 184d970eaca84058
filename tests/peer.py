"""A peer that says what a test wants it to say: real HTTP on loopback, scripted answer by answer."""

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Heard:
    """One request that reached the peer."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Says:
    """One answer; `body` may be JSON-ready data, text or bytes."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


@dataclass
class Peer:
    """What it was told, and what it will say; the last answer is said again and again."""

    url: str
    heard: list[Heard] = field(default_factory=list)
    answers: deque[Says] = field(default_factory=lambda: deque([Says()]))

    def will_say(self, *answers: Says) -> None:
        self.answers.clear()
        self.answers.extend(answers)

    def next_answer(self) -> Says:
        return self.answers.popleft() if len(self.answers) > 1 else self.answers[0]


@contextmanager
def listening_peer() -> Iterator[Peer]:
    """A peer on a free port, for the length of the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            peer.heard.append(Heard(self.command, self.path, dict(self.headers.items()), body))
            said = peer.next_answer()
            content = said.content()
            self.date = said.headers.get("Date")
            self.send_response(said.status)
            for name, value in said.headers.items():
                if name != "Date":
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def date_time_string(self, timestamp: float | None = None) -> str:
            return self.date or super().date_time_string(timestamp)

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    peer = Peer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield peer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
