"""The shipped config/nginx.conf in a real nginx, its marked places adapted, on a free port."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.office import ROOT, eventually

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@dataclass(frozen=True, slots=True)
class Nginx:
    """Listening, in front of whatever it was given."""

    url: str
    port: int
    certificate: Path
    folder: Path
    process: "subprocess.Popen[bytes]"

    def logs(self) -> str:
        """Everything it wrote."""
        return "".join(file.read_text() for file in self.folder.glob("*.log"))

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)


def start_nginx(folder: Path, port: int, behind: str, library: Path, **seconds: int) -> Nginx:
    """nginx on `port` of 127.0.0.1, which passes on to `behind`; a name with its seconds replaces that time limit."""
    assert NGINX
    folder.mkdir()
    _make_certificate(folder)
    text = (ROOT / "config" / "nginx.conf").read_text()
    for shipped, adapted in {
        "user office-node;": f"user {pwd.getpwuid(os.getuid()).pw_name};",
        "/run/nginx.pid": f"{folder}/nginx.pid",
        "/var/log/nginx/": f"{folder}/",
        "server 127.0.0.1:8180;": f"server {behind};",
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "das.example.org;": "127.0.0.1;",
        "/etc/office-node/": f"{folder}/",
        "/var/lib/office-node/library/": f"{library}/",
        # A user who is not root has nothing of his own where the distribution's nginx keeps its temporary files.
        "http {\n": "http {\n" + "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in _KINDS),
        **{f"{name} 20s;": f"{name} {value}s;" for name, value in seconds.items()},
    }.items():
        assert shipped in text, shipped
        text = text.replace(shipped, adapted)
    file = folder / "nginx.conf"
    file.write_text(text)
    with (folder / "stderr.log").open("ab") as log:
        command = [NGINX, "-e", str(folder / "error.log"), "-c", str(file), "-g", "daemon off;"]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    made = Nginx(f"https://127.0.0.1:{port}", port, folder / "tls_chain.pem", folder, process)
    eventually(lambda: requests.get(f"{made.url}/nothing", verify=str(made.certificate), timeout=30).status_code == 404)
    return made


_KINDS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def _make_certificate(folder: Path) -> None:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "tls_chain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "tls_key.pem").write_bytes(key.private_bytes(pem, pkcs8, plain))
