"""Web processes to speak to byte by byte, in clear and over TLS, with certificates of our own."""

import ipaddress
import re
import socket
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.conftest import MakeOffice
from tests.office import Office, eventually

JWKS = b"GET /oauth2/jwks HTTP/1.1\r\nHost: office\r\n\r\n"
PATIENCE_OF_A_CALLER = 10


def serve(new_office: MakeOffice, *, tls: bool = False, with_rsa: bool = False, **web: Any) -> Office:
    """An office whose web processes answer; its certificate, if it has one, is `tls.pem` in its folder."""
    office = new_office(overrides={"web": {"receive_seconds": 2, **web}})
    office.upgrade()
    if tls:
        certify(office.folder, with_rsa=with_rsa)
        text = office.settings_file.read_text()
        files = f'certificate_file = "{office.folder}/tls.pem"\ncertificate_key_file = "{office.folder}/tls.key"\n'
        office.settings_file.write_text(text.replace("[web]\n", f"[web]\n{files}"))
    office.start("web")
    eventually(lambda: jwks(office).status_code == 200)
    return office


def jwks(office: Office, session: requests.Session | None = None) -> requests.Response:
    """One honest call; over TLS if the office has a certificate."""
    certificate = office.folder / "tls.pem"
    url, trusted = (
        (office.url.replace("http:", "https:"), str(certificate)) if certificate.exists() else (office.url, None)
    )
    get = session.get if session else requests.get
    return get(f"{url}/oauth2/jwks", timeout=PATIENCE_OF_A_CALLER, verify=trusted)


def line_to(office: Office, *, tls: bool = False) -> socket.socket:
    """A line to the web processes."""
    host, _, port = office.url.removeprefix("http://").rpartition(":")
    line = socket.create_connection((host, int(port)), timeout=30)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not tls:
        return line
    context = ssl.create_default_context(cafile=office.folder / "tls.pem")
    return context.wrap_socket(line, server_hostname=host)


def read_answer(line: socket.socket, began: bytes = b"") -> tuple[int, bytes]:
    """Status and body of the next answer on the line, and no byte behind it."""
    head = began
    while not head.endswith(b"\r\n\r\n"):
        byte = line.recv(1)
        assert byte, f"the line ended after {head!r}"
        head += byte
    length = int(re.findall(rb"(?i)\r\ncontent-length: ([0-9]+)\r\n", head)[0])
    body = bytearray()
    while len(body) < length:
        piece = line.recv(min(1 << 20, length - len(body)))
        assert piece, "the line ended within the body"
        body += piece
    return int(head.split(b" ")[1]), bytes(body)


def read_to_end(line: socket.socket) -> bytes:
    """All that still comes; whoever is cut off heard what came before."""
    said = b""
    with suppress(OSError):
        while piece := line.recv(65_536):
            said += piece
    return said


def web_processes(office: Office) -> list[psutil.Process]:
    """The processes that answer, without the one that watches over them."""
    return [child for process in office.processes for child in psutil.Process(process.pid).children()]


def certify(folder: Path, name: str = "tls", *, with_rsa: bool = False) -> None:
    """A new self-signed certificate and its key, put in the place of the old ones as a whole."""
    key = rsa.generate_private_key(65537, 2048) if with_rsa else ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "office")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=5))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _put(folder / f"{name}.key", private)
    _put(folder / f"{name}.pem", certificate.public_bytes(serialization.Encoding.PEM))


def _put(file: Path, content: bytes) -> None:
    new = file.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_bytes(content)
    new.replace(file)
