"""Through the office's proxy: a tunnel to what is allowed, under the same rules; and nothing else goes there."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pytest
from cryptography import x509

from office_node.errors import PeerUnavailable
from office_node.network.destinations import DestinationRefused, Destinations
from office_node.network.egress import Egress
from office_node.network.trust import HandshakeFailed
from tests.network.calling import egress_to
from tests.network.certificates import Authority, leaf, new_authority, server_context, tls_peer
from tests.office import free_port
from tests.peer import listening_peer

TARGET = x509.DNSName("das.example.org")


@dataclass
class Proxy:
    """What it was asked, and what it does: leads every tunnel to `port`, or answers `says`."""

    url: str
    asked: list[bytes] = field(default_factory=list)
    port: int = 443
    says: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return new_authority(tmp_path / "ca.pem")


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with _proxy() as proxy:
        yield proxy


def test_a_call_goes_through_the_tunnel_and_the_name_is_the_proxys_to_look_up(
    proxy: Proxy, authority: Authority, tmp_path: Path
) -> None:
    with _target(authority, tmp_path) as port:
        proxy.port = port
        answer = _egress(proxy, authority).call("GET", f"https://das.example.org:{port}/a?b=c", peer="the peer")
        assert answer.status == 200
    [asked] = proxy.asked
    assert asked.startswith(b"CONNECT das.example.org:%d HTTP/1." % port)
    assert b"/a?b=c" not in asked


def test_within_the_tunnel_the_peers_name_is_verified(proxy: Proxy, authority: Authority, tmp_path: Path) -> None:
    other = x509.DNSName("proxy.example.org")
    with _target(authority, tmp_path, other) as port, pytest.raises(HandshakeFailed, match="for another name"):
        _call(proxy, authority, port)


def test_within_the_tunnel_the_peers_chain_is_verified(proxy: Proxy, authority: Authority, tmp_path: Path) -> None:
    stranger = new_authority(tmp_path / "stranger.pem")
    with _target(stranger, tmp_path) as port, pytest.raises(HandshakeFailed, match="from an unknown issuer"):
        _call(proxy, authority, port)


def test_within_the_tunnel_the_deadline_holds(proxy: Proxy, authority: Authority, tmp_path: Path) -> None:
    drip = [b"HTTP/1.1 200 OK\r\nX-Endless: ", *[b"x"] * 100]
    server = server_context(leaf(authority, tmp_path, name=TARGET))
    with tls_peer(server, drip) as url, pytest.raises(PeerUnavailable, match="did not answer in time"):
        _call(proxy, authority, int(url.rstrip("/").rpartition(":")[2]))


@pytest.mark.parametrize("says", [b"", b"HTTP/1.1 200 ", b"HTTP/1.1 200 OK\r\nX-Endless: 1\r\n"])
def test_a_proxy_that_falls_silent_is_given_up(proxy: Proxy, authority: Authority, says: bytes) -> None:
    proxy.says = says
    with pytest.raises(PeerUnavailable):
        _call(proxy, authority, 8443)


def test_a_proxy_that_says_no_is_told_with_its_word(proxy: Proxy, authority: Authority) -> None:
    proxy.says = b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"
    with pytest.raises(PeerUnavailable, match=r"through the proxy: .* 407 ") as refused:
        _call(proxy, authority, 8443)
    assert "[egress] proxy" in refused.value.next_step


def test_a_proxy_that_is_not_there_is_told_as_such(authority: Authority) -> None:
    with pytest.raises(PeerUnavailable, match="through the proxy"):
        _call(Proxy(f"http://127.0.0.1:{free_port()}"), authority, 8443)


def test_a_host_outside_the_list_is_not_asked_for(proxy: Proxy, authority: Authority) -> None:
    egress = _egress(proxy, authority)
    for url in ("https://evil.example/", "https://das.example.org@evil.example/", "https://169.254.169.254/"):
        with pytest.raises(DestinationRefused):
            egress.call("GET", url, peer="the peer")
    assert proxy.asked == []


def test_what_lies_on_this_machine_is_called_directly(proxy: Proxy, authority: Authority, tmp_path: Path) -> None:
    with listening_peer() as plain, tls_peer(server_context(leaf(authority, tmp_path))) as tls:
        egress = _egress(proxy, authority, plain.url, tls)
        assert [egress.call("GET", url, peer="the peer").status for url in (plain.url, tls)] == [200, 200]
    assert proxy.asked == []


def test_the_proxy_may_be_named_and_lie_with_the_office(authority: Authority, tmp_path: Path, proxy: Proxy) -> None:
    asked = []

    def resolve(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    proxy.url = proxy.url.replace("127.0.0.1", "proxy.office.example")
    with _target(authority, tmp_path) as port:
        proxy.port = port
        destinations = Destinations([f"https://das.example.org:{port}"], proxy=proxy.url, resolve=resolve)
        egress = egress_to(destinations=destinations, ca_file=authority.file)
        assert egress.call("GET", f"https://das.example.org:{port}/", peer="the peer").status == 200
    assert asked == ["proxy.office.example"]


@pytest.mark.parametrize("address", ["169.254.169.254", "224.0.0.1", "0.0.0.0", "240.0.0.1"])
def test_the_proxys_name_leads_to_no_special_address(address: str) -> None:
    def resolve(*_: Any, **__: Any) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 3128))]

    destinations = Destinations(["https://das.example.org"], proxy="http://proxy:3128", resolve=resolve)
    with pytest.raises(DestinationRefused, match="proxy leads to"):
        egress_to(destinations=destinations).call("GET", "https://das.example.org/", peer="the peer")


def test_variables_name_no_way_round_the_proxy(
    proxy: Proxy, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "*")
    with _target(authority, tmp_path) as port:
        assert _call(proxy, authority, port) == 200
    assert len(proxy.asked) == 1


def _call(proxy: Proxy, authority: Authority, port: int) -> int:
    proxy.port = port
    url = f"https://das.example.org:{port}/"
    return _egress(proxy, authority, url).call("GET", url, peer="the peer").status


def _egress(proxy: Proxy, authority: Authority, *named: str) -> Egress:
    def resolve(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("the proxy's address needs no lookup, and the peer's is not ours")

    names = named or [f"https://das.example.org:{proxy.port}"]
    return egress_to(destinations=Destinations(names, proxy=proxy.url, resolve=resolve), ca_file=authority.file)


@contextmanager
def _target(authority: Authority, folder: Path, name: x509.GeneralName = TARGET) -> Iterator[int]:
    with tls_peer(server_context(leaf(authority, folder, name=name))) as url:
        yield int(url.rstrip("/").rpartition(":")[2])


@contextmanager
def _proxy() -> Iterator[Proxy]:
    """A proxy that knows CONNECT alone, for one connection after the other."""

    def serve() -> None:
        while True:
            connection, _ = listener.accept()
            with connection:
                if ended.is_set():
                    return
                connection.settimeout(3)
                _lead(proxy, connection)

    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = Proxy(f"http://127.0.0.1:{listener.getsockname()[1]}")
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield proxy
        finally:
            ended.set()
            socket.create_connection(listener.getsockname()).close()
            thread.join()


def _lead(proxy: Proxy, connection: socket.socket) -> None:
    proxy.asked.append(connection.recv(65536))
    connection.sendall(proxy.says)
    if b" 200 C" not in proxy.says:
        if b" 407 " not in proxy.says:
            connection.recv(1)  # until the caller has had enough
        return
    with socket.create_connection(("127.0.0.1", proxy.port)) as target:
        back = threading.Thread(target=_pour, args=(target, connection))
        back.start()
        _pour(connection, target)
        back.join()


def _pour(source: socket.socket, into: socket.socket) -> None:
    try:
        while block := source.recv(65536):
            into.sendall(block)
        into.shutdown(socket.SHUT_WR)
    except OSError:
        return
