"""The bound on downloads that run at once: readers that do not read never silence the API."""

import hashlib
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPResponse
from pathlib import Path

import pytest

from tests.off_retrievals.bench import OTHER, TWO_CLIENTS, WIPO, Bench, Kept, das_codes, make_bench, message
from tests.off_retrievals.conftest import MakeBench
from tests.off_retrievals.wire import connect, head
from tests.office import eventually, make_office, pdf

DOWNLOADS = 2
LARGE = 50_000_000  # more than the buffers of a loopback line hold


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory, keys_folder: Path) -> Iterator[Bench]:
    """An office with one web process of ten threads, two of them for downloads."""
    web = {"web": {"workers": 1, "threads": 10, "max_downloads": DOWNLOADS}}
    bench = make_bench(make_office(tmp_path_factory.mktemp("narrow"), keys_folder, None, {**TWO_CLIENTS, **web}))
    bench.serve()
    yield bench
    bench.close()


@pytest.fixture(scope="module")
def large(narrow: Bench) -> Kept:
    return narrow.keep(pdf(LARGE))


@pytest.fixture(scope="module")
def link(narrow: Bench, large: Kept) -> str:
    return narrow.offer(large)[1]


@pytest.fixture
def readers() -> Iterator[ExitStack]:
    """Where slow readers are kept until the test ends."""
    with ExitStack() as stack:
        yield stack


def _begin(link: str) -> socket.socket:
    """A reader that asks for the whole document and reads none of it."""
    line, host = connect(link), link.split("/")[2]
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    line.sendall(head("GET", link.partition(host)[2], host))
    return line


def _is_served(bench: Bench, link: str) -> bool:
    return bench.fetch(link, Range="bytes=0-0").status_code == 206


def _occupy(link: str, readers: ExitStack) -> list[socket.socket]:
    """Fill every slot; the downloads of the test before may still be ending."""
    served: list[socket.socket] = []

    def begin() -> bool:
        line = readers.enter_context(_begin(link))
        if line.recv(12, socket.MSG_PEEK | socket.MSG_WAITALL) == b"HTTP/1.1 200":
            served.append(line)
        return len(served) == DOWNLOADS

    eventually(begin)
    return served


def test_one_download_too_many_is_put_off(narrow: Bench, link: str, readers: ExitStack) -> None:
    _occupy(link, readers)
    for headers in ({}, {"Range": "bytes=0-0"}):
        answer = narrow.fetch(link, **headers)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "5"
        assert das_codes(answer) == [-1000]
        assert answer.json()["code"] == "BUSY"


def test_row_34_the_api_answers_while_every_slot_is_taken(narrow: Bench, link: str, readers: ExitStack) -> None:
    _occupy(link, readers)
    kept = narrow.keep()
    for _ in range(20):
        assert narrow.call("GET", "retrievals").status_code == 200
    assert narrow.fetch(link, "HEAD").status_code == 200
    forwarded = narrow.call("POST", "retrievals", json=message(kept.wanted))
    narrow.prepare(forwarded.json()["requestAckId"])
    assert narrow.call("POST", "url-downloads", json=kept.wanted.members()).status_code == 200
    assert narrow.fetch(link).status_code == 503


def test_a_slot_comes_back_when_its_reader_goes_away(narrow: Bench, link: str, readers: ExitStack) -> None:
    lines = _occupy(link, readers)
    assert not _is_served(narrow, link)
    lines[0].close()
    eventually(lambda: _is_served(narrow, link))


def test_row_34_a_slow_reader_gets_its_whole_document_and_gives_its_slot_back(
    narrow: Bench, large: Kept, link: str, readers: ExitStack
) -> None:
    line, _ = _occupy(link, readers)
    assert not _is_served(narrow, link)
    response = HTTPResponse(line)
    response.begin()
    assert hashlib.sha256(response.read()).digest() == hashlib.sha256(large.content).digest()
    eventually(lambda: _is_served(narrow, link))


def test_one_client_cannot_take_every_slot(new_bench: MakeBench) -> None:
    bench = new_bench({"web": {"max_downloads": 3, "max_downloads_per_client": 2}})
    kept = bench.keep(pdf(2_000_000))  # more than one block, so that a download runs until it is read or closed
    links = {name: _offer(bench, kept, name) for name in (WIPO, OTHER)}
    running = [bench.http.get(links[WIPO]) for _ in range(2)]
    assert [answer.status_code for answer in running] == [200, 200]
    refused = bench.http.get(links[WIPO])
    assert (refused.status_code, refused.get_json()["code"], refused.headers["Retry-After"]) == (503, "BUSY", "5")
    running.append(bench.http.get(links[OTHER]))
    assert running[-1].status_code == 200
    assert bench.http.get(links[OTHER]).status_code == 503, "all three are taken"
    running.pop(0).close()
    running.append(bench.http.get(links[WIPO]))
    assert running[-1].status_code == 200
    for answer in running:
        answer.close()


def _offer(bench: Bench, kept: Kept, client_id: str) -> str:
    caller = bench.caller(client_id)
    acknowledgement_id = caller.forward(kept.wanted)
    bench.prepare(acknowledgement_id)
    return caller.link(kept.wanted, acknowledgement_id)


def test_refused_downloads_leave_no_slot_taken(narrow: Bench, link: str) -> None:
    eventually(lambda: _is_served(narrow, link))
    for _ in range(3 * DOWNLOADS):
        assert narrow.fetch(link, Range=f"bytes={2 * LARGE}-").status_code == 416
        assert narrow.fetch(link, **{"If-None-Match": "*"}).status_code == 304
        assert narrow.fetch(link, **{"If-Match": '"another"'}).status_code == 412
        assert narrow.fetch(link + "x").status_code == 403
    assert _is_served(narrow, link)
