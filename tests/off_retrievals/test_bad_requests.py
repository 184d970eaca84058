"""Requests that are none, byte by byte on real web processes: a 4xx in DAS's shape, nothing written, memory flat."""

import json
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

import psutil
import pytest

from tests.off_retrievals.bench import Bench, das_codes, message
from tests.off_retrievals.wire import Answer, chunked, head, say

PLACE = "/das/v1/requests/retrievals"
LOCATE = "/das/v1/requests/files/url-downloads"
JSON = "Content-Type: application/json"
CHUNKED = "Transfer-Encoding: chunked"
LIMIT = 65_536
MEGABYTE = 1_000_000
GROWTH_BYTES = 25_000_000
"""Half of what fifty kept bodies of a megabyte would be."""


@pytest.fixture
def line(served_bench: Bench) -> Iterator["Line"]:
    """A line to the office that sees, when the test is done, that nothing was written and nothing was a bug."""
    before, told = served_bench.row_counts(), len(served_bench.office.log_lines())
    yield Line(served_bench)
    assert served_bench.row_counts() == before
    assert not [entry for entry in served_bench.office.log_lines()[told:] if entry["level"] in ("error", "critical")]
    assert served_bench.call("GET", "retrievals").status_code == 200


class Line:
    """Says requests with a good token, in any form."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self._host = urlsplit(bench.office.url).netloc
        self._token = f"Authorization: Bearer {bench.token()}"

    def head(self, method: str, target: str, *lines: str) -> bytes:
        return head(method, target, self._host, self._token, *lines)

    def say(self, *pieces: bytes) -> Answer:
        return say(self.bench.office.url, pieces)

    def post(self, body: bytes, *lines: str, target: str = PLACE) -> Answer:
        return self.say(self.head("POST", target, *lines), body)


def _body(bench: Bench) -> bytes:
    """A message that would be accepted."""
    return json.dumps(message(bench.keep().wanted)).encode()


def _refused(answer: Answer, *statuses: int) -> bool:
    assert das_codes(answer) == [-1000]
    return answer.status_code in statuses


@pytest.mark.parametrize("target", [PLACE, LOCATE, "/requests/url-downloads"])
@pytest.mark.parametrize("size", [LIMIT + 1, MEGABYTE])
def test_a_body_over_the_limit_is_refused(line: Line, target: str, size: int) -> None:
    answer = line.post(b"[" * size, JSON, f"Content-Length: {size}", target=target)
    assert _refused(answer, 413)


def test_a_body_of_which_only_the_length_was_sent_is_refused_at_once(line: Line) -> None:
    assert _refused(line.post(b"", JSON, "Content-Length: 99999999999999999999"), 413)


@pytest.mark.parametrize("size", [LIMIT + 1, MEGABYTE])
@pytest.mark.parametrize("filling", [b"[", b" "])
def test_a_chunked_body_over_the_limit_is_refused(line: Line, filling: bytes, size: int) -> None:
    kept = json.dumps({"operationCategory": "retrieval"}).encode()
    assert _refused(line.post(chunked(kept.ljust(size, filling)), JSON, CHUNKED), 413)


def test_a_message_is_not_taken_from_the_start_of_a_body_over_the_limit(served_bench: Bench) -> None:
    line, body = Line(served_bench), _body(served_bench)
    before = served_bench.row_counts()
    assert _refused(line.post(chunked(body.ljust(LIMIT + 1)), JSON, CHUNKED), 413)
    assert served_bench.row_counts() == before


def test_a_body_of_just_the_limit_is_read(served_bench: Bench) -> None:
    line = Line(served_bench)
    for coded in (True, False):
        body = _body(served_bench).ljust(LIMIT)
        sent = (chunked(body), JSON, CHUNKED) if coded else (body, JSON, f"Content-Length: {LIMIT}")
        assert line.post(*sent).status_code == 201


BROKEN_CHUNKS = {
    "no size": b"zz\r\n{}\r\n0\r\n\r\n",
    "a negative size": b"-2\r\n{}\r\n0\r\n\r\n",
    "a size of 70 digits": b"f" * 70 + b"\r\n{}",
    "a size line without end": b"1" * 100_000,
    "a chunk longer than told": b"1\r\n{}\r\n0\r\n\r\n",
    "no line break after the size": b"2{}\r\n0\r\n\r\n",
    "cut inside a chunk": b"ff\r\n{",
    "cut before the end": b"2\r\n{}\r\n",
    "cut inside the end": b"2\r\n{}\r\n0\r\n",
    "a bad extension": b"2;\x00=\r\n{}\r\n0\r\n\r\n",
    "a bad trailer": b"2\r\n{}\r\n0\r\nContent-Length: 9\r\n\r\n",
    "a huge trailer": b"2\r\n{}\r\n0\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("body", BROKEN_CHUNKS.values(), ids=BROKEN_CHUNKS)
def test_a_chunked_body_that_breaks_its_own_rules_is_refused(line: Line, body: bytes) -> None:
    assert _refused(line.post(body, JSON, CHUNKED), 400)


def test_a_body_shorter_than_told_is_not_taken_for_the_whole(served_bench: Bench) -> None:
    line, body = Line(served_bench), _body(served_bench)
    before = served_bench.row_counts()
    assert _refused(line.post(body, JSON, f"Content-Length: {len(body) + 1}"), 400)
    assert _refused(line.post(body[:-1], JSON, f"Content-Length: {len(body)}"), 400)
    assert served_bench.row_counts() == before


BAD_LINES: dict[str, tuple[tuple[str, ...], int]] = {
    "no length": (("Content-Length: many",), 400),
    "a negative length": (("Content-Length: -2",), 400),
    "a signed length": (("Content-Length: +2",), 400),
    "a length in other digits": (("Content-Length: \xb2",), 400),
    "two lengths": (("Content-Length: 2", "Content-Length: 3"), 400),
    "a length and chunks": (("Content-Length: 2", CHUNKED), 400),
    "chunks twice": ((CHUNKED, CHUNKED), 400),
    "an unknown coding": (("Transfer-Encoding: brotli",), 400),
    "a coding that does not end": (("Transfer-Encoding: gzip",), 400),
    "an expectation": (("Content-Length: 2", "Expect: miracles"), 400),
    "a folded line": (("Content-Length: 2", "X-A: b", " c"), 400),
    "a control character": (("Content-Length: 2", "X-A: a\x01b"), 400),
    "a NUL": (("Content-Length: 2", "X-A: a\0b"), 400),
    "a line without a colon": (("Content-Length: 2", "nonsense"), 400),
    "a name with a blank": (("Content-Length: 2", "X A: b"), 400),
    "a second host": (("Content-Length: 2", "Host: evil.example"), 400),
    "a second type": (("Content-Length: 2", JSON), 400),
    "64 KB in one line": (("Content-Length: 2", "X-A: " + "a" * 65_536), 431),
    "200 lines": (("Content-Length: 2", *(f"X-{number}: a" for number in range(200))), 431),
    "2 MB of lines": (("Content-Length: 2", *(f"X-{number}: {'a' * 16_000}" for number in range(125))), 431),
}


@pytest.mark.parametrize(("lines", "status"), BAD_LINES.values(), ids=BAD_LINES)
def test_a_head_that_breaks_the_rules_is_refused(line: Line, lines: tuple[str, ...], status: int) -> None:
    assert _refused(line.post(b"{}", JSON, *lines), status)


def test_what_a_refused_head_held_is_neither_told_nor_logged(line: Line) -> None:
    secret = "c2VjcmV0LXRoYXQtbm9ib2R5LW1heS1yZWFk"
    starts = (
        line.head("GET", PLACE, f"X-A: {secret}\x01"),
        line.head("GET", PLACE, f"X-A: {secret}{'a' * 65_536}"),
        line.head("GET", PLACE, f"Authorization Bearer {secret}"),
        line.head("GET", PLACE, f"{secret} : b"),
        line.head("GET", f"{PLACE}?signature={secret} and more"),
        line.head("GET", f"{PLACE}?signature={secret}\xe9"),
        line.head("GET", f"{PLACE}?signature={secret}{'a' * 5000}"),
        f"{secret} / HTTP/1.1\r\n\r\n".encode(),
    )
    for start in starts:
        answer = line.say(start)
        assert _refused(answer, 400, 414, 431)
        assert secret.encode() not in answer.content
    assert secret not in line.bench.office.log_file.read_text()


BAD_STARTS = {
    "an address too long": (b"GET /das/v1/requests/retrievals?requestAckId=" + b"a" * 5000 + b" HTTP/1.1\r\n\r\n", 414),
    "an address of 500 KB": (b"GET /" + b"a" * 500_000 + b" HTTP/1.1\r\n\r\n", 414),
    "a raw byte in the address": (b"GET /das/v1/requests/retrievals?ackId=\xe9 HTTP/1.1\r\n\r\n", 400),
    "a NUL in the address": (b"GET /das/v1\0/requests HTTP/1.1\r\n\r\n", 400),
    "words": (b"hello world\r\n\r\n", 400),
    "another protocol": (b"GET / SPDY/1\r\n\r\n", 400),
    "a later protocol": (b"GET / HTTP/3.0\r\n\r\n", 400),
    "a method in small letters": (b"get / HTTP/1.1\r\n\r\n", 400),
    "no address": (b"GET HTTP/1.1\r\n\r\n", 400),
    "a tunnel": (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: a\r\n\r\n", 404),
    "everything": (b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 404),
    "line feeds alone": (b"GET / HTTP/1.1\nHost: a\n\n", 400),
}


@pytest.mark.parametrize(("start", "status"), BAD_STARTS.values(), ids=BAD_STARTS)
def test_a_start_that_breaks_the_rules_is_refused(line: Line, start: bytes, status: int) -> None:
    assert _refused(line.say(start), status)


def test_a_refused_head_carries_no_id_of_an_earlier_request(served_bench: Bench) -> None:
    line = Line(served_bench)
    for _ in range(5):
        served_bench.call("POST", "retrievals", json=message(served_bench.keep().wanted))
        assert _refused(line.say(line.head("GET", PLACE, "nonsense")), 400)
    refused = [entry for entry in served_bench.office.log_lines() if entry["event"] == "request head refused"]
    assert len(refused) >= 5
    assert not [entry for entry in refused if "acknowledgement_id" in entry or "client_id" in entry]


def _oversized() -> Iterable[tuple[bytes, tuple[str, ...]]]:
    yield b"[" * MEGABYTE, (JSON, f"Content-Length: {MEGABYTE}")
    yield chunked(b"[" * MEGABYTE), (JSON, CHUNKED)


def _memory(bench: Bench) -> int:
    [server] = [psutil.Process(process.pid) for process in bench.office.processes]
    return sum(process.memory_info().rss for process in (server, *server.children()))


def test_bodies_over_the_limit_leave_nothing_in_memory(line: Line) -> None:
    def say_fifty() -> None:
        for _ in range(25):
            assert all(_refused(line.post(body, *lines), 413) for body, lines in _oversized())

    say_fifty()  # buffers and threads of the processes come up once
    before = _memory(line.bench)
    say_fifty()
    assert _memory(line.bench) - before < GROWTH_BYTES
