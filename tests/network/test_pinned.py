"""No connection outside the list: what listens beside the allowed peer is never connected to, whatever is tried.

The peer that may be called listens on 127.0.0.2, what must not be reached on 127.0.0.1 and 127.0.0.3, all on one port.
"""

import socket
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from office_node.errors import PeerUnavailable
from office_node.network.destinations import DestinationRefused, Destinations
from office_node.network.egress import Egress
from tests.network.calling import egress_to

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"])

GOOD, BAD, HOME = "127.0.0.2", "127.0.0.3", "127.0.0.1"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@dataclass
class Net:
    """Three listeners on one port: which of them was connected to, and what they say."""

    port: int = 0
    connected: list[str] = field(default_factory=list)
    says: bytes = ANSWER

    @property
    def url(self) -> str:
        return f"http://das.example.org:{self.port}/"


@dataclass
class Resolver:
    """Answers as it was told, answer by answer; the last one is given again and again."""

    answers: deque[tuple[str, ...]]
    asked: list[str] = field(default_factory=list)

    def __call__(self, host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        self.asked.append(host)
        answer = self.answers.popleft() if len(self.answers) > 1 else self.answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answer]


@pytest.fixture
def net() -> Iterator[Net]:
    net = Net()
    with ExitStack() as listeners:
        for listener in _on_one_port():
            listeners.enter_context(_answering(net, listener))
        yield net


def test_a_name_that_leads_where_it_may_is_connected_to(net: Net) -> None:
    egress, resolver = _egress(net, (GOOD,))
    assert egress.call("GET", net.url, peer="the peer").status == 200
    assert (net.connected, resolver.asked) == ([GOOD], ["das.example.org"])


def test_a_name_is_looked_up_once_for_each_connection_and_not_for_a_kept_one(net: Net) -> None:
    egress, resolver = _egress(net, (GOOD,), (BAD,))
    for _ in range(5):
        egress.call("GET", net.url, peer="the peer")
    assert (net.connected, resolver.asked) == ([GOOD], ["das.example.org"])


def test_row_24_a_resolver_that_changes_its_mind_leads_nowhere_else(net: Net) -> None:
    net.says = ANSWER.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    egress, resolver = _egress(net, (GOOD,), (BAD,), (HOME,), (GOOD,))
    assert egress.call("GET", net.url, peer="the peer").status == 200
    for address in (BAD, HOME):
        with pytest.raises(DestinationRefused, match=rf"das\.example\.org leads to {address}"):
            egress.call("GET", net.url, peer="the peer")
    assert egress.call("GET", net.url, peer="the peer").status == 200
    assert (net.connected, len(resolver.asked)) == ([GOOD, GOOD], 4)


@pytest.mark.parametrize("answer", [(BAD, GOOD), (GOOD, BAD), (HOME, BAD, GOOD)])
def test_of_two_answers_in_one_only_the_good_one_is_tried(net: Net, answer: tuple[str, ...]) -> None:
    egress, _ = _egress(net, answer)
    assert egress.call("GET", net.url, peer="the peer").status == 200
    assert net.connected == [GOOD]


def test_the_first_good_address_that_takes_the_connection_is_the_last_to_be_tried(net: Net) -> None:
    egress, _ = _egress(net, (GOOD, "127.0.0.4"), private=["127.0.0.2", "127.0.0.4"])
    assert egress.call("GET", net.url, peer="the peer").status == 200
    assert net.connected == [GOOD]


def test_a_good_address_that_is_closed_is_followed_by_the_next_good_one_only(net: Net) -> None:
    egress, _ = _egress(net, ("127.0.0.4", BAD, GOOD), private=["127.0.0.2", "127.0.0.4"])
    assert egress.call("GET", net.url, peer="the peer").status == 200
    assert net.connected == [GOOD]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "to", [f"http://{BAD}", "http://das.example.org@127.0.0.3", "http://2130706435", "//127.0.0.3"]
)
def test_row_24_a_redirect_leads_nowhere(net: Net, status: int, to: str) -> None:
    location = f"{to}:{net.port}/".encode()
    net.says = b"HTTP/1.1 %d Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (status, location)
    egress, resolver = _egress(net, (GOOD,))
    assert egress.call("GET", net.url, peer="the peer").status == status
    assert (net.connected, resolver.asked) == ([GOOD], ["das.example.org"])


@pytest.mark.parametrize(
    "host",
    [
        *["127.0.0.3", "das.example.org@127.0.0.3", "user:das.example.org@127.0.0.3", "das.example.org%40127.0.0.3"],
        *["2130706435", "0x7f000003", "0x7f.0.0.3", "0177.0.0.3", "017700000003", "127.3", "127.0.3", "127.0.0.3."],
        *["[::ffff:127.0.0.3]", "[::ffff:7f00:3]", "[64:ff9b::7f00:3]", "[::1]", "[::127.0.0.3]", "0", "localhost"],
        *["\u2460\u2461\u2466.0.0.3", "127\u30020\u30020\u30023", "127.0.0.3\\@das.example.org"],
        *["127.0.0.3#@das.example.org", "127.0.0.3?@das.example.org", "127.0.0.3\t.das.example.org"],
    ],
)
def test_no_spelling_of_an_address_leads_there(net: Net, host: str) -> None:
    egress, resolver = _egress(net, (BAD,))
    with pytest.raises(DestinationRefused):
        egress.call("GET", f"http://{host}:{net.port}/", peer="the peer")
    assert (net.connected, resolver.asked) == ([], [])


def test_a_name_that_the_system_takes_for_an_address_leads_to_it_only_if_it_may(net: Net) -> None:
    egress = egress_to(destinations=Destinations([f"http://localhost:{net.port}"]))  # looked up by the system
    assert egress.call("GET", f"http://LocalHost:{net.port}/", peer="the peer").status == 200
    assert net.connected == [HOME]


def test_an_unknown_name_is_the_lines_fault(net: Net) -> None:
    def unknown(*_: Any, **__: Any) -> list[tuple[Any, ...]]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    egress = egress_to(destinations=Destinations([net.url], resolve=unknown))
    with pytest.raises(PeerUnavailable, match="N601 the peer cannot be reached: NameResolutionError"):
        egress.call("GET", net.url, peer="the peer")


def test_no_spelling_of_a_proxy_variable_is_believed(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme in ("http", "https", "all", "ftp", "socks"):
        for name in (f"{scheme}_proxy", f"{scheme}_PROXY".upper(), f"{scheme.title()}_Proxy"):
            monkeypatch.setenv(name, f"http://{BAD}:{net.port}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "nothing.example.org")
    monkeypatch.setenv("REQUEST_METHOD", "")
    egress, _ = _egress(net, (GOOD,))
    assert egress.call("GET", net.url, peer="the peer").status == 200
    assert net.connected == [GOOD]


def _egress(net: Net, *answers: tuple[str, ...], private: list[str] | None = None) -> tuple[Egress, Resolver]:
    resolver = Resolver(deque(answers))
    destinations = Destinations([net.url], private_networks=private or [GOOD], resolve=resolver)
    return egress_to(destinations=destinations), resolver


def _on_one_port() -> list[socket.socket]:
    """A listening socket on each address."""
    while True:
        with ExitStack() as made:
            home = made.enter_context(socket.create_server((HOME, 0)))
            port = home.getsockname()[1]
            try:
                others = [made.enter_context(socket.create_server((address, port))) for address in (GOOD, BAD)]
            except OSError:
                continue  # taken on another address
            made.pop_all()
            return [home, *others]


@contextmanager
def _answering(net: Net, listener: socket.socket) -> Iterator[None]:
    """Counts every connection, and answers each request on it until the peer or the test has had enough."""
    address, net.port = listener.getsockname()

    def serve() -> None:
        while True:
            connection, _ = listener.accept()
            if ended.is_set():
                connection.close()
                return
            net.connected.append(address)
            threading.Thread(target=converse, args=(connection,), daemon=True).start()

    def converse(connection: socket.socket) -> None:
        with connection:
            while connection.recv(65536):
                connection.sendall(net.says)
                if b"close" in net.says:
                    return

    ended = threading.Event()
    thread = threading.Thread(target=serve)
    thread.start()
    with listener:
        try:
            yield
        finally:
            ended.set()
            socket.create_connection((address, net.port)).close()
            thread.join()
