"""What the shipped nginx.conf keeps from the node: slow callers, big bodies, unknown paths, forged origins, old TLS."""

import socket
import ssl
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from office_node.auth.token_issuer import METADATA_PATH
from tests.end_to_end.nginx import NGINX, Nginx, start_nginx
from tests.office import free_port
from tests.peer import Peer, listening_peer

pytestmark = pytest.mark.skipif(not NGINX, reason="needs nginx: apt-get install nginx-light")


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[tuple[Nginx, Peer]]:
    """nginx of little patience, in front of somebody who remembers what he heard."""
    with listening_peer() as peer:
        behind = peer.url.removeprefix("http://")
        limits = {"client_header_timeout": 1, "client_body_timeout": 1}
        nginx = start_nginx(tmp_path / "nginx", free_port(), behind, tmp_path, **limits)
        yield nginx, peer
        nginx.stop()


def test_a_caller_cannot_say_where_he_comes_from(alone: tuple[Nginx, Peer]) -> None:
    nginx, peer = alone
    forged = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9", "X-Real-IP": "203.0.113.9"}
    forged |= {"X-Forwarded-Proto": "http", "x_forwarded_for": "203.0.113.9", "Host": "das.example.org"}
    requests.get(f"{nginx.url}/oauth2/jwks", headers=forged, verify=str(nginx.certificate), timeout=30)
    heard = {name.lower(): value for name, value in peer.heard[-1].headers.items()}
    assert "203.0.113.9" not in str(heard)
    assert (heard["x-forwarded-for"], heard["x-forwarded-proto"]) == ("127.0.0.1", "https")
    assert heard["host"] == "das.example.org"


def test_what_is_too_large_or_unknown_never_reaches_the_node(alone: tuple[Nginx, Peer]) -> None:
    nginx, peer = alone
    call = requests.Session()
    call.trust_env = False
    call.verify = str(nginx.certificate)
    heard = len(peer.heard)
    with call:
        big = call.post(f"{nginx.url}/oauth2/access_token", data=b"x" * 65_537, timeout=30)
        assert big.status_code == 413
        for path in ("/", "/rehearsal/ledger", "/das/v1/elsewhere", "/oauth2/", "/requestsX/", "/_library/", "/.git/"):
            assert call.get(f"{nginx.url}{path}", timeout=30).status_code == 404, path
        assert len(peer.heard) == heard
        assert call.get(f"{nginx.url}{METADATA_PATH}", timeout=30).status_code == 200
        for path in ("/requests/files", "/das/v1/requests/retrievals", "/das-api/v1/requests/files/url-downloads"):
            assert call.get(f"{nginx.url}{path}", timeout=30).status_code == 200, path
        for path in ("/oauth2/jwks", "/.well-known/oauth-authorization-server"):
            assert call.get(f"{nginx.url}{path}", timeout=30).status_code == 200, path


def test_slow_callers_are_cut_while_others_are_served(alone: tuple[Nginx, Peer]) -> None:
    nginx, peer = alone
    heard = len(peer.heard)
    trust = ssl.create_default_context(cafile=str(nginx.certificate))
    head = b"POST /oauth2/access_token HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    with ExitStack() as stack:
        slow = []
        for beginning in [head, head + b"Content-Length: 100\r\n\r\nx"] * 20:
            line = stack.enter_context(socket.create_connection(("127.0.0.1", nginx.port), timeout=30))
            slow.append(stack.enter_context(trust.wrap_socket(line, server_hostname="127.0.0.1")))
            slow[-1].sendall(beginning)
        for _ in range(10):
            assert requests.get(f"{nginx.url}/oauth2/jwks", verify=str(nginx.certificate), timeout=30).ok
        assert all(_was_cut(line) for line in slow)
    assert len(peer.heard) == heard + 10, "of the slow ones nothing was passed on"


def test_tls_1_1_is_refused_and_1_2_and_1_3_are_served(alone: tuple[Nginx, Peer]) -> None:
    nginx, _ = alone
    assert [_handshake(nginx, version) for version in ("TLSv1_2", "TLSv1_3")] == ["TLSv1.2", "TLSv1.3"]
    for old in ("TLSv1", "TLSv1_1"):
        with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
            _handshake(nginx, old)


def _handshake(nginx: Nginx, version: str) -> str | None:
    """The version that was agreed on by a client that speaks this one alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of old versions, which are meant
        trust = ssl.create_default_context(cafile=str(nginx.certificate))
        trust.minimum_version = trust.maximum_version = ssl.TLSVersion[version]
    trust.set_ciphers("DEFAULT@SECLEVEL=0")  # or this side would not even offer the old ones
    with (
        socket.create_connection(("127.0.0.1", nginx.port), timeout=30) as line,
        trust.wrap_socket(line, server_hostname="127.0.0.1") as spoken,
    ):
        return spoken.version()


def _was_cut(line: ssl.SSLSocket) -> bool:
    try:
        told = line.recv(1000)
    except (ConnectionError, ssl.SSLError):
        return True
    return told == b"" or b" 408 " in told
