"""Whom the session trusts: the pinned CA and nobody else, by name, in time, over TLS 1.2 or later. Real handshakes."""

import ipaddress
import socket
import ssl
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from office_node.errors import PeerUnavailable
from office_node.network import trust
from office_node.network.egress import Egress
from office_node.network.trust import TrustUnusable

HERE = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
ELSEWHERE = x509.DNSName("das.example.org")


@dataclass(frozen=True)
class Authority:
    """A CA of our own; `file` holds its certificate."""

    file: Path
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return _authority(tmp_path / "ca.pem")


@pytest.fixture
def context(monkeypatch: pytest.MonkeyPatch) -> list[ssl.SSLContext]:
    """The contexts that sessions of the test are given."""
    made: list[ssl.SSLContext] = []
    make = trust.tls_context

    def remember(ca_file: Path | None) -> ssl.SSLContext:
        made.append(make(ca_file))
        return made[-1]

    monkeypatch.setattr(trust, "tls_context", remember)
    return made


def test_a_pinned_ca_is_trusted_and_stays_the_only_one(
    authority: Authority, tmp_path: Path, context: list[ssl.SSLContext]
) -> None:
    egress = _egress(authority.file)
    before = context[0].cert_store_stats()
    for _ in range(2):
        with _tls_peer(_server_context(_leaf(authority, tmp_path))) as url:
            assert egress.call("GET", url, peer="the peer").status == 200
    assert context[0].cert_store_stats() == before == {"x509": 1, "crl": 0, "x509_ca": 1}
    assert len(context[0].get_ca_certs()) == 1
    assert (context[0].verify_mode, context[0].check_hostname) == (ssl.CERT_REQUIRED, True)


def test_asking_for_no_verification_changes_nothing(authority: Authority, tmp_path: Path) -> None:
    stranger = _authority(tmp_path / "stranger.pem")
    with _tls_peer(_server_context(_leaf(stranger, tmp_path))) as url, pytest.raises(PeerUnavailable, match="TLS"):
        _egress(authority.file).call("GET", url, peer="the peer", verify=False)


def test_a_certificate_of_another_ca_is_refused(authority: Authority, tmp_path: Path) -> None:
    stranger = _authority(tmp_path / "stranger.pem")
    _assert_refused(authority, _server_context(_leaf(stranger, tmp_path)))


def test_our_own_ca_is_unknown_to_who_trusts_the_public_ones(authority: Authority, tmp_path: Path) -> None:
    with _tls_peer(_server_context(_leaf(authority, tmp_path))) as url, pytest.raises(PeerUnavailable, match="TLS"):
        _egress(None).call("GET", url, peer="the peer")


def test_an_expired_certificate_is_refused(authority: Authority, tmp_path: Path) -> None:
    _assert_refused(authority, _server_context(_leaf(authority, tmp_path, days=-1)))


def test_a_certificate_of_another_name_is_refused(authority: Authority, tmp_path: Path) -> None:
    _assert_refused(authority, _server_context(_leaf(authority, tmp_path, name=ELSEWHERE)))


def test_a_peer_that_has_only_tls_1_1_is_refused(authority: Authority, tmp_path: Path) -> None:
    server = _server_context(_leaf(authority, tmp_path))
    client = trust.tls_context(authority.file)
    for old in (server, client):
        _lower(old)
    with _tls_peer(server) as url:  # a client without our floor does reach it
        port = int(url.rstrip("/").rpartition(":")[2])
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            client.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
        ):
            assert connection.version() == "TLSv1.1"
    _assert_refused(authority, server)


def test_a_peer_that_drips_over_tls_is_given_up_at_the_deadline(authority: Authority, tmp_path: Path) -> None:
    drip = [b"HTTP/1.1 200 OK\r\nX-Endless: ", *[b"x"] * 100]
    server = _server_context(_leaf(authority, tmp_path))
    with _tls_peer(server, drip) as url, pytest.raises(PeerUnavailable, match="did not answer in time"):
        _egress(authority.file).call("GET", url, peer="the peer")


@pytest.mark.parametrize("content", [None, b"", b"garbage", b"\x00\xff", "folder", "crl"])
def test_a_file_without_certificates_is_told_by_name(
    authority: Authority, tmp_path: Path, content: bytes | str | None
) -> None:
    file = tmp_path / "pinned.pem"
    if content == "folder":
        file.mkdir()
    elif content == "crl":
        file.write_bytes(_revocations(authority))
    elif isinstance(content, bytes):
        file.write_bytes(content)
    with pytest.raises(TrustUnusable, match=f"N605 {file}: .*; hint: name a PEM file"):
        _egress(file)


def _egress(ca_file: Path | None) -> Egress:
    return Egress(connect_seconds=2, read_seconds=0.5, total_seconds=1, user_agent="office-node/test", ca_file=ca_file)


def _assert_refused(authority: Authority, server: ssl.SSLContext) -> None:
    with _tls_peer(server) as url, pytest.raises(PeerUnavailable, match="the TLS handshake failed"):
        _egress(authority.file).call("GET", url, peer="the peer")


def _lower(context: ssl.SSLContext) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1


@contextmanager
def _tls_peer(context: ssl.SSLContext, says: list[bytes] | None = None) -> Iterator[str]:
    """A TLS listener that says `says`, 0.1 s apart, to its first connection; nothing if no handshake succeeds."""
    answer = says or [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"]
    done = threading.Event()

    def serve() -> None:
        plain, _ = listener.accept()
        plain.settimeout(5)
        try:
            with plain, context.wrap_socket(plain, server_side=True) as connection:
                connection.recv(65536)
                for piece in answer:
                    connection.sendall(piece)
                    if len(answer) > 1 and done.wait(0.1):
                        return
        except OSError:
            return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"https://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            done.set()
            thread.join()


def _server_context(chain: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context


def _authority(file: Path) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, file.stem)])
    certificate = (
        _builder(name, name, key.public_key(), days=10)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return Authority(file, certificate, key)


def _leaf(authority: Authority, folder: Path, *, name: x509.GeneralName = HERE, days: int = 5) -> Path:
    """A file with the key and the certificate of a server; it ends `days` from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "server")])
    certificate = (
        _builder(subject, authority.certificate.subject, key.public_key(), days)
        .add_extension(x509.SubjectAlternativeName([name]), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    number = x509.random_serial_number()
    begins, ends = now - timedelta(days=10), now + timedelta(days=days)
    return x509.CertificateBuilder(issuer, subject, key, number, begins, ends)


def _revocations(authority: Authority) -> bytes:
    now = datetime.now(UTC)
    builder = x509.CertificateRevocationListBuilder(authority.certificate.subject, now, now + timedelta(days=1))
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
