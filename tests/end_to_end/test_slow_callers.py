"""Who speaks slowly or not at all costs no thread: everybody else is answered, and the slow are told and let go."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from tests.conftest import MakeOffice
from tests.databases import on_sqlite
from tests.end_to_end.served import JWKS, jwks, line_to, read_answer, read_to_end, serve, web_processes
from tests.office import Office, eventually

HEAD = b"GET /oauth2/jwks HTTP/1.1\r\nHost: office\r\nX-Long: "
BODY = b"POST /oauth2/access_token HTTP/1.1\r\nHost: office\r\nContent-Length: 5000\r\n\r\n"
CHUNKS = b"POST /oauth2/access_token HTTP/1.1\r\nHost: office\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n"
FEW: dict[str, Any] = {"workers": 2, "threads": 10, "max_downloads": 2}
MANY = 300
TLS_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"

pytestmark = on_sqlite


def test_hundreds_of_slow_callers_silence_nobody(new_office: MakeOffice) -> None:
    office = serve(new_office, **FEW)
    with _dripping(office, [HEAD] * 200 + [BODY] * 100 + [CHUNKS] * 100) as slow, _silent(office, 100) as silent:
        assert [jwks(office).status_code for _ in range(20)] == [200] * 20
        ends = [read_to_end(line) for line in slow]
        assert {end.partition(b"\r\n")[0] for end in ends} <= {b"HTTP/1.1 408 Request Timeout", b""}
        assert sum(b"REQUEST_TIMEOUT" in end for end in ends) > 300  # a line may be cut before its answer is read
        assert [read_to_end(line) for line in silent] == [b""] * 100
    told = [entry for entry in office.log_lines() if entry.get("code") == "N529"]
    assert len(told) == 400
    _assert_nothing_is_left(office)


def test_stalled_handshakes_and_slow_callers_over_tls_silence_nobody(new_office: MakeOffice) -> None:
    office = serve(new_office, tls=True, **FEW)
    with (
        _dripping(office, [HEAD] * 30 + [BODY] * 30, tls=True) as slow,
        _silent(office, 25) as silent,
        _silent(office, 25, TLS_HELLO) as stalled,
        _silent(office, 25, JWKS) as in_clear,
    ):
        assert [jwks(office).status_code for _ in range(20)] == [200] * 20
        ends = [read_to_end(line) for line in slow]
        assert all(b" 408 " in end or end == b"" for end in ends)
        assert sum(b"REQUEST_TIMEOUT" in end for end in ends) > 40
        assert [read_to_end(line) for line in silent + stalled] == [b""] * 50
        assert all(b"HTTP/1.1" not in read_to_end(line) for line in in_clear)
    _assert_nothing_is_left(office)


def test_who_gives_up_in_the_middle_leaves_nothing(new_office: MakeOffice) -> None:
    office = serve(new_office, **FEW, receive_seconds=60)
    for start in (b"", HEAD, BODY + b"a=b", CHUNKS + b"a=b"):
        for _ in range(20):
            with line_to(office) as line:
                line.sendall(start)
    assert jwks(office).status_code == 200
    _assert_nothing_is_left(office)


def test_more_callers_than_there_is_room_for_make_room_for_who_comes(new_office: MakeOffice) -> None:
    office = serve(new_office, workers=1, threads=10, max_downloads=2, receive_seconds=60)
    [process] = web_processes(office)
    process.rlimit(7, (200, 200))  # RLIMIT_NOFILE
    with _silent(office, 300, HEAD):
        assert [jwks(office).status_code for _ in range(20)] == [200] * 20
    eventually(lambda: office.told("callers turned away"))
    assert "Traceback" not in office.log_file.read_text()


def test_a_slow_caller_that_was_answered_before_is_told_too(new_office: MakeOffice) -> None:
    office = serve(new_office, **FEW)
    with line_to(office) as line:
        line.sendall(JWKS + JWKS[:20])
        assert read_answer(line)[0] == 200
        status, body = read_answer(line)
        assert (status, b"REQUEST_TIMEOUT" in body) == (408, True)
        assert line.recv(1) == b""


def test_callers_that_ask_on_and_read_nothing_silence_nobody(new_office: MakeOffice) -> None:
    office = serve(new_office, workers=1, threads=10, max_downloads=2, receive_seconds=20)
    lines = [_line_with_little_room(office) for _ in range(15)]
    for line in lines:
        line.sendall(MANY * JWKS)
    for _ in range(12):  # seconds: so long may it take until the buffers of ten lines are full
        time.sleep(1)
        assert jwks(office).status_code == 200
    assert office.told("answered") < len(lines) * MANY / 2
    assert [read_answer(lines[-1])[0] for _ in range(MANY // 2)] == [200] * (MANY // 2)
    for line in lines:
        line.close()


def _line_with_little_room(office: Office) -> socket.socket:
    """A line whose buffers a hundred answers fill."""
    host, _, port = office.url.removeprefix("http://").rpartition(":")
    line = socket.socket()
    line.settimeout(30)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2304)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    line.connect((host, int(port)))
    return line


def _assert_nothing_is_left(office: Office) -> None:
    def open_lines() -> int:
        return sum(one.status != "LISTEN" for process in web_processes(office) for one in process.net_connections())

    eventually(lambda: open_lines() == 0)
    assert all(process.num_threads() <= 10 + 3 for process in web_processes(office))
    assert "Traceback" not in office.log_file.read_text()


@contextmanager
def _silent(office: Office, count: int, start: bytes = b"") -> Iterator[list[socket.socket]]:
    lines = [line_to(office) for _ in range(count)]
    for line in lines:
        line.sendall(start)
    yield lines
    for line in lines:
        line.close()


@contextmanager
def _dripping(office: Office, starts: list[bytes], *, tls: bool = False) -> Iterator[list[socket.socket]]:
    """Lines that begin so and then send a byte each from time to time."""
    done = threading.Event()
    lines = [line_to(office, tls=tls) for _ in starts]

    def drip() -> None:
        while not done.wait(0.3):
            for line in lines:
                with suppress(OSError):
                    line.send(b"a")

    for line, start in zip(lines, starts, strict=True):
        line.sendall(start)
    thread = threading.Thread(target=drip)
    thread.start()
    yield lines
    done.set()
    thread.join()
    for line in lines:
        line.close()
