"""Who does not hang up, breaks the rules after its answer, or comes while the node stops, harms nobody but itself."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from tests.conftest import MakeOffice
from tests.databases import on_sqlite
from tests.end_to_end.served import JWKS, jwks, line_to, read_answer, read_to_end, serve, web_processes
from tests.off_retrievals.bench import Bench, make_bench
from tests.off_retrievals.wire import head
from tests.office import Office, eventually, make_office, pdf

CLOSING = JWKS[:-2] + b"Connection: close\r\n\r\n"
LARGE = 50_000_000  # more than the buffers of a loopback line hold


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, keys_folder: Path) -> Iterator[Office]:
    """Web processes that the requests of this file share."""

    def new(overrides: dict[str, dict[str, object]]) -> Office:
        return make_office(tmp_path_factory.mktemp("rude"), keys_folder, None, overrides)

    made = serve(new, workers=1, threads=10, max_downloads=2)
    yield made
    made.close()


def test_callers_that_do_not_hang_up_hold_nobody_up(office: Office) -> None:
    lines = [line_to(office) for _ in range(100)]  # two seconds for each of them would outlast any caller's patience
    for line in lines:
        line.sendall(CLOSING)
    assert [read_answer(line)[0] for line in lines] == [200] * 100
    assert jwks(office).status_code == 200
    for line in lines:
        line.close()


def test_a_refused_caller_reads_why_although_it_goes_on_sending(office: Office) -> None:
    with line_to(office) as line:
        line.sendall(b"POST /oauth2/access_token HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n")
        line.sendall(b"a" * 3_000_000)
        assert read_answer(line)[0] == 413


AFTER_THE_ANSWER = {
    "a bad chunk": b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "a bad chunk behind a good one": b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nxyz\r\n",
    "no line break after a chunk": b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}xx\r\n0\r\n\r\n",
    "a bad trailer": b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nContent-Length: 9\r\n\r\n",
}


@pytest.mark.parametrize("rest", AFTER_THE_ANSWER.values(), ids=AFTER_THE_ANSWER)
def test_one_request_has_one_answer(office: Office, rest: bytes) -> None:
    with line_to(office) as line:
        line.sendall(b"POST /nowhere HTTP/1.1\r\nHost: a\r\n" + rest + JWKS)
        assert read_to_end(line).count(b"HTTP/1.1 ") == 1


REFUSED = {
    "packed and chunked": (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
    "identity": (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n", 400),
    "in two lines": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "a packed body": (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", 415),
    "another host in the address": (b"GET http://evil.example/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "another port in the address": (b"GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a user in the address": (b"GET http://a@evil.example/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a host in the address alone": (b"GET http://a/ HTTP/1.1\r\n\r\n", 400),
}


@pytest.mark.parametrize(("request_", "status"), REFUSED.values(), ids=REFUSED)
def test_row_38_what_could_be_read_in_two_ways_is_refused(office: Office, request_: bytes, status: int) -> None:
    with line_to(office) as line:
        line.sendall(request_ + JWKS)
        answer = read_to_end(line)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b'"details"' in answer


def test_an_address_with_the_host_that_is_named_is_served(office: Office) -> None:
    with line_to(office) as line:
        line.sendall(b"GET http://Office/oauth2/jwks HTTP/1.1\r\nHost: office\r\n\r\n")
        assert read_answer(line)[0] == 200


@pytest.fixture
def bench(tmp_path: Path, keys_folder: Path) -> Iterator[Bench]:
    """An office of two web processes that hands out documents."""
    made = make_bench(make_office(tmp_path, keys_folder, None, {"web": {"workers": 2}}))
    made.serve()
    yield made
    made.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_who_comes_while_the_node_stops_is_refused_at_once_and_who_is_served_is_served_to_the_end(
    bench: Bench, number: signal.Signals
) -> None:
    kept = bench.keep(pdf(LARGE))
    link = urlsplit(bench.offer(kept)[1])
    office, children = bench.office, web_processes(bench.office)
    with line_to(office) as reader:
        reader.sendall(head("GET", f"{link.path}?{link.query}", link.netloc))
        assert reader.recv(12, socket.MSG_PEEK | socket.MSG_WAITALL) == b"HTTP/1.1 200"
        os.kill(office.processes[0].pid, number)
        eventually(lambda: _is_refused(office))
        assert [child for child in children if child.is_running()], "one of them still serves the reader"
        status, body = read_answer(reader)
    assert (status, body) == (200, kept.content)
    _, alive = psutil.wait_procs(children, timeout=15)
    assert not alive


@on_sqlite
def test_orphans_of_a_killed_master_are_gone_soon(new_office: MakeOffice) -> None:
    office = serve(new_office, workers=3)
    orphans = web_processes(office)
    idle = line_to(office)
    office.processes[0].kill()
    _, alive = psutil.wait_procs(orphans, timeout=20)
    assert not alive
    assert _is_refused(office)
    idle.close()


@on_sqlite
def test_a_web_process_that_stops_leaves_its_callers_to_the_others(new_office: MakeOffice) -> None:
    office = serve(new_office, workers=2)
    for _ in range(3):
        web_processes(office)[0].terminate()
        assert [jwks(office).status_code for _ in range(50)] == [200] * 50
        eventually(lambda: len(web_processes(office)) == 2)
    assert "Traceback" not in office.log_file.read_text()


def _is_refused(office: Office) -> bool:
    try:
        line_to(office).close()
    except ConnectionRefusedError:
        return True
    return False
