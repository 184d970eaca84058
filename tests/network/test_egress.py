"""The one session that calls out: bounded in time and size, believing nothing, following nothing."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from email.utils import format_datetime

import pytest

from office_node import clock
from office_node.errors import PeerUnavailable
from office_node.network.egress import Answer
from tests.network.calling import egress_to
from tests.office import free_port
from tests.peer import Says, listening_peer


def test_an_answer_comes_back_whatever_its_status() -> None:
    with listening_peer() as peer:
        peer.will_say(Says(418, {"short": "stout"}))
        answer = egress_to(peer.url).call("GET", f"{peer.url}/tea", peer="the pot")
    assert (answer.status, answer.json()) == (418, {"short": "stout"})
    assert peer.heard[0].headers["User-Agent"] == "office-node/test"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_even_to_where_the_node_may_call(status: int) -> None:
    with listening_peer() as elsewhere, listening_peer() as peer:
        peer.will_say(Says(status, b"moved", headers={"Location": f"{elsewhere.url}/there"}))
        answer = egress_to(peer.url, elsewhere.url).call("GET", peer.url, peer="the peer")
        assert (answer.status, answer.body, elsewhere.heard) == (status, b"moved", [])


@pytest.mark.parametrize("location", ["http://[", "//", "http://\u00e9\u00e9:99999/", "ftp://there", ""])
def test_a_redirect_to_nowhere_is_an_answer_as_others(location: str) -> None:
    with listening_peer() as peer:
        peer.will_say(Says(302, b"moved", headers={"Location": location}))
        assert egress_to(peer.url).call("GET", peer.url, peer="the peer").body == b"moved"


def test_an_endless_redirect_is_cut_as_other_answers_are() -> None:
    with listening_peer() as peer:
        peer.will_say(Says(302, b"x" * 1_100_000, headers={"Location": "/there"}))
        with pytest.raises(PeerUnavailable, match="more than"):
            egress_to(peer.url).call("GET", peer.url, peer="the peer")


def test_a_cookie_is_not_kept() -> None:
    with listening_peer() as peer:
        peer.will_say(Says(200, headers={"Set-Cookie": "session=1; Path=/"}))
        egress = egress_to(peer.url)
        for _ in range(2):
            egress.call("GET", peer.url, peer="the peer")
        assert [heard.headers.get("Cookie") for heard in peer.heard] == [None, None]


def test_a_closed_port_is_the_lines_fault_and_told_without_the_url() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(PeerUnavailable) as raised:
        egress_to(url).call("GET", f"{url}/secret?signature=abc", peer="the peer")
    assert "the peer cannot be reached" in str(raised.value)
    assert "signature" not in str(raised.value)


def test_row_13_a_silent_peer_is_given_up() -> None:
    with _socket_that(lambda _connection: None) as url, pytest.raises(PeerUnavailable, match="did not answer in time"):
        egress_to(url).call("GET", url, peer="the peer")


def test_row_13_a_dripping_peer_is_given_up_at_the_deadline_though_it_is_never_silent() -> None:
    stop = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not stop.wait(0.1):
            connection.sendall(b"x" * 10)

    with _socket_that(drip) as url:
        with pytest.raises(PeerUnavailable, match="in time"):
            egress_to(url).call("GET", url, peer="the peer")
        stop.set()


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nX-Endless: "])
def test_row_13_a_peer_that_drips_its_head_is_given_up_at_the_deadline(beginning: bytes) -> None:
    stop = threading.Event()
    given_up = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(beginning)
        for _ in range(100):
            if stop.wait(0.1):
                return
            try:
                connection.sendall(b"H")
            except OSError:
                given_up.set()
                return

    with _socket_that(drip) as url:
        with pytest.raises(PeerUnavailable, match="did not answer in time"):
            egress_to(url).call("GET", url, peer="the peer")
        assert given_up.wait(5)
        stop.set()


def test_continue_upon_continue_is_given_up_at_the_deadline() -> None:
    def drip(connection: socket.socket) -> None:
        for _ in range(30):
            time.sleep(0.1)
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with _socket_that(drip) as url, pytest.raises(PeerUnavailable, match="did not answer in time"):
        egress_to(url).call("GET", url, peer="the peer")


def test_a_kept_connection_has_the_whole_time_again_for_each_call() -> None:
    heard: list[bytes] = []

    def answer_slowly(connection: socket.socket) -> None:
        connection.settimeout(5)
        for number in range(3):
            if number:
                heard.append(connection.recv(65536))
            time.sleep(0.5)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with _socket_that(answer_slowly) as url:  # it takes one connection only
        egress = egress_to(url, read_seconds=2)
        assert [egress.call("GET", url, peer="the peer").status for _ in range(3)] == [200, 200, 200]
        assert len(heard) == 2


def test_threads_that_share_it_have_a_deadline_each() -> None:
    with listening_peer() as peer, _socket_that(lambda _connection: None) as silent:
        peer.will_say(Says(200, {"fine": True}))
        egress = egress_to(peer.url, silent)

        def call(url: str) -> int | None:
            try:
                return egress.call("GET", url, peer="the peer").status
            except PeerUnavailable:
                return None

        with ThreadPoolExecutor(5) as threads:
            assert list(threads.map(call, [silent, *[peer.url] * 20])) == [None, *[200] * 20]


def test_an_endless_answer_is_cut() -> None:
    with listening_peer() as peer:
        peer.will_say(Says(200, b"x" * 1_100_000))
        with pytest.raises(PeerUnavailable, match="more than"):
            egress_to(peer.url).call("GET", peer.url, peer="the peer")


def test_row_14_a_cut_answer_is_the_lines_fault() -> None:
    def cut(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    with _socket_that(cut, close=True) as url, pytest.raises(PeerUnavailable):
        egress_to(url).call("GET", url, peer="the peer")


def test_row_14_no_answer_is_read_as_json_that_is_none() -> None:
    assert Answer(200, {}, b"<html>").json() is None
    assert Answer(200, {}, b"[" * 100_000).json() is None


@pytest.mark.parametrize(("value", "expected"), [("120", 120), ("0", 0), ("", None), ("soon", None), ("-3", None)])
def test_retry_after_is_read_as_seconds(value: str, expected: float | None) -> None:
    assert Answer(503, {"Retry-After": value}, b"").retry_after_seconds == expected


def test_retry_after_is_read_as_a_date() -> None:
    at = format_datetime(clock.now() + timedelta(seconds=100), usegmt=True)
    seconds = Answer(503, {"Retry-After": at}, b"").retry_after_seconds
    assert seconds is not None
    assert 95 < seconds <= 100


@contextmanager
def _socket_that(act: Callable[[socket.socket], None], *, close: bool = False) -> Iterator[str]:
    """A raw listener whose first connection is handed to `act` after its request was read."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                try:
                    act(connection)
                except OSError:
                    return
                if not close:
                    done.wait(10)

        done = threading.Event()
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        done.set()
        thread.join()
