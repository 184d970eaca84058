"""Certificates of our own making, and a listener that shows them: real handshakes on loopback."""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HERE = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))


@dataclass(frozen=True)
class Authority:
    """A CA of our own; `file` holds its certificate."""

    file: Path
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@contextmanager
def tls_peer(context: ssl.SSLContext, says: list[bytes] | None = None) -> Iterator[str]:
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
            socket.create_connection(listener.getsockname()).close()  # if nobody else has come
            thread.join()


def server_context(chain: Path) -> ssl.SSLContext:
    """What a server needs to show the certificate of `chain`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context


def new_authority(file: Path) -> Authority:
    """A CA whose certificate is written to `file`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, file.stem)])
    certificate = (
        _builder(name, name, key.public_key(), days=10)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return Authority(file, certificate, key)


def leaf(
    authority: Authority, folder: Path, *, name: x509.GeneralName = HERE, begins: int = -10, days: int = 5
) -> Path:
    """A file with the key and the certificate of a server; it begins and ends so many days from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "server")])
    certificate = (
        _builder(subject, authority.certificate.subject, key.public_key(), days, begins)
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
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int, begins: int = -10
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    number = x509.random_serial_number()
    since, until = now + timedelta(days=begins), now + timedelta(days=days)
    return x509.CertificateBuilder(issuer, subject, key, number, since, until)
