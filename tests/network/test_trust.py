"""Whom the session trusts: the pinned CA and nobody else, by name, in time, over TLS 1.2 or later. Real handshakes."""

import socket
import ssl
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from office_node.errors import PeerUnavailable
from office_node.network import trust
from office_node.network.destinations import Destinations
from office_node.network.egress import Egress
from office_node.network.trust import HandshakeFailed, TrustUnusable
from tests.network.calling import egress_to
from tests.network.certificates import HERE, Authority, leaf, new_authority, server_context, tls_peer
from tests.peer import listening_peer

ELSEWHERE = x509.DNSName("elsewhere.example.org")
BY_NAME = x509.DNSName("das.example.org")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return new_authority(tmp_path / "ca.pem")


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
    server = server_context(leaf(authority, tmp_path))
    with tls_peer(server) as first, tls_peer(server) as second:
        egress = egress_to(first, second, ca_file=authority.file)
        before = context[0].cert_store_stats()
        for url in (first, second):
            assert egress.call("GET", url, peer="the peer").status == 200
    assert context[0].cert_store_stats() == before == {"x509": 1, "crl": 0, "x509_ca": 1}
    assert len(context[0].get_ca_certs()) == 1
    assert (context[0].verify_mode, context[0].check_hostname) == (ssl.CERT_REQUIRED, True)


def test_asking_for_no_verification_changes_nothing(authority: Authority, tmp_path: Path) -> None:
    stranger = new_authority(tmp_path / "stranger.pem")
    with tls_peer(server_context(leaf(stranger, tmp_path))) as url, pytest.raises(PeerUnavailable, match="TLS"):
        egress_to(url, ca_file=authority.file).call("GET", url, peer="the peer", verify=False)


def test_row_23_a_certificate_of_another_ca_is_refused(authority: Authority, tmp_path: Path) -> None:
    stranger = new_authority(tmp_path / "stranger.pem")
    refused = _refusal(authority, server_context(leaf(stranger, tmp_path)))
    assert refused.message == "the peer: the TLS handshake failed: its certificate is from an unknown issuer"
    assert "[wipo] ca_file" in refused.next_step


def test_a_certificate_that_nobody_else_signed_is_refused(authority: Authority, tmp_path: Path) -> None:
    alone = new_authority(tmp_path / "alone.pem")
    chain = tmp_path / "chain.pem"
    key = alone.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain.write_bytes(key + alone.file.read_bytes())
    assert "from an unknown issuer" in _refusal(authority, server_context(chain)).message


def test_our_own_ca_is_unknown_to_who_trusts_the_public_ones(authority: Authority, tmp_path: Path) -> None:
    with tls_peer(server_context(leaf(authority, tmp_path))) as url, pytest.raises(PeerUnavailable, match="TLS"):
        egress_to(url).call("GET", url, peer="the peer")


def test_row_23_an_expired_certificate_is_refused(authority: Authority, tmp_path: Path) -> None:
    refused = _refusal(authority, server_context(leaf(authority, tmp_path, days=-1)))
    assert refused.message.endswith("its certificate has expired")
    assert "renew" in refused.next_step


def test_a_certificate_that_is_not_valid_yet_is_refused(authority: Authority, tmp_path: Path) -> None:
    refused = _refusal(authority, server_context(leaf(authority, tmp_path, begins=2)))
    assert refused.message.endswith("its certificate is not valid yet")


def test_row_23_a_certificate_of_another_name_is_refused(authority: Authority, tmp_path: Path) -> None:
    refused = _refusal(authority, server_context(leaf(authority, tmp_path, name=ELSEWHERE)))
    assert refused.message.endswith("its certificate is for another name")


def test_a_name_is_verified_and_not_the_address_it_leads_to(authority: Authority, tmp_path: Path) -> None:
    for name, is_good in ((BY_NAME, True), (ELSEWHERE, False), (HERE, False)):
        with tls_peer(server_context(leaf(authority, tmp_path, name=name))) as url:
            named = url.replace("127.0.0.1", "das.example.org")
            call = _egress_to_name(named, authority).call
            if is_good:
                assert call("GET", named, peer="the peer").status == 200
            else:
                with pytest.raises(HandshakeFailed, match="for another name"):
                    call("GET", named, peer="the peer")


def test_a_peer_that_speaks_no_tls_is_refused(authority: Authority) -> None:
    with listening_peer() as plain:
        url = plain.url.replace("http:", "https:")
        with pytest.raises(HandshakeFailed, match="N607 the peer: the TLS handshake failed"):
            egress_to(url, ca_file=authority.file).call("GET", url, peer="the peer")


def test_row_23_a_peer_that_has_only_tls_1_1_is_refused(authority: Authority, tmp_path: Path) -> None:
    server = server_context(leaf(authority, tmp_path))
    client = trust.tls_context(authority.file)
    for old in (server, client):
        _lower(old)
    with tls_peer(server) as url:  # a client without our floor does reach it
        port = int(url.rstrip("/").rpartition(":")[2])
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            client.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
        ):
            assert connection.version() == "TLSv1.1"
    refused = _refusal(authority, server)
    assert refused.message.endswith("its TLS is older than 1.2")
    assert "TLS 1.2 or later" in refused.next_step


def test_a_peer_that_drips_over_tls_is_given_up_at_the_deadline(authority: Authority, tmp_path: Path) -> None:
    drip = [b"HTTP/1.1 200 OK\r\nX-Endless: ", *[b"x"] * 100]
    server = server_context(leaf(authority, tmp_path))
    with tls_peer(server, drip) as url, pytest.raises(PeerUnavailable, match="did not answer in time"):
        egress_to(url, ca_file=authority.file).call("GET", url, peer="the peer")


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
        egress_to(ca_file=file)


def _refusal(authority: Authority, server: ssl.SSLContext) -> HandshakeFailed:
    with tls_peer(server) as url, pytest.raises(HandshakeFailed) as raised:
        egress_to(url, ca_file=authority.file).call("GET", url, peer="the peer")
    return raised.value


def _egress_to_name(url: str, authority: Authority) -> Egress:
    here = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 0))]
    destinations = Destinations([url], private_networks=["127.0.0.1"], resolve=lambda *_, **__: here)
    return egress_to(destinations=destinations, ca_file=authority.file)


def _lower(context: ssl.SSLContext) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1


def _revocations(authority: Authority) -> bytes:
    now = datetime.now(UTC)
    builder = x509.CertificateRevocationListBuilder(authority.certificate.subject, now, now + timedelta(days=1))
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
