"""The node serves TLS by itself: 1.2 and 1.3, good ciphers, and a new certificate without a dropped connection."""

import hashlib
import shutil
import ssl
import subprocess

import pytest
import requests

from tests.conftest import MakeOffice
from tests.databases import on_sqlite
from tests.end_to_end.served import certify, jwks, line_to, read_answer, serve, web_processes
from tests.off_retrievals.bench import make_bench
from tests.off_retrievals.wire import head
from tests.office import Office, eventually, pdf

OPENSSL = shutil.which("openssl") or ""
ANY = "DEFAULT:@SECLEVEL=0"  # so that it is the server that refuses

pytestmark = [on_sqlite, pytest.mark.skipif(not OPENSSL, reason="needs the openssl command")]

SHAKEN = {
    "1.0": (("-tls1", "-cipher", ANY), False),
    "1.1": (("-tls1_1", "-cipher", ANY), False),
    "1.2": (("-tls1_2",), True),
    "1.3": (("-tls1_3",), True),
    "AES-GCM": (("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"), True),
    "ChaCha20": (("-tls1_2", "-cipher", "ECDHE-RSA-CHACHA20-POLY1305"), True),
    "CBC": (("-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA256:@SECLEVEL=0"), False),
    "SHA-1": (("-tls1_2", "-cipher", "ECDHE-RSA-AES256-SHA:@SECLEVEL=0"), False),
    "no forward secrecy": (("-tls1_2", "-cipher", "AES256-GCM-SHA384:@SECLEVEL=0"), False),
    "finite fields": (("-tls1_2", "-cipher", "DHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0"), False),
    "no encryption": (("-tls1_2", "-cipher", "eNULL:@SECLEVEL=0"), False),
    "nobody": (("-tls1_2", "-cipher", "aNULL:@SECLEVEL=0"), False),
}


def test_only_good_versions_and_ciphers_are_served(new_office: MakeOffice) -> None:
    office = serve(new_office, tls=True, with_rsa=True, workers=1)  # an old cipher wants an RSA key
    shaken = {name: _shakes_hands(office, *options) for name, (options, _) in SHAKEN.items()}
    assert shaken == {name: expected for name, (_, expected) in SHAKEN.items()}
    told = _s_client(office, "-tls1_2", "-alpn", "h2,http/1.1")
    assert "ALPN protocol: http/1.1" in told
    assert "Compression: NONE" in told
    assert jwks(office).status_code == 200


def test_nobody_may_shake_hands_anew(new_office: MakeOffice) -> None:
    office = serve(new_office, tls=True, workers=1)
    said = _s_client(office, "-tls1_2", says="R\n")
    assert "RENEGOTIATING" in said
    assert "no renegotiation" in said
    assert jwks(office).status_code == 200


def test_a_new_certificate_is_served_without_a_dropped_connection(new_office: MakeOffice) -> None:
    office = serve(new_office, tls=True, receive_seconds=60)
    with requests.Session() as kept, line_to(office, tls=True) as silent:
        assert jwks(office, kept).status_code == 200
        before = _serial(office)
        certify(office.folder)
        assert _serial(office) != before
        assert jwks(office, kept).status_code == 200  # the old lines go on
        silent.sendall(head("GET", "/oauth2/jwks", "office"))
        assert silent.recv(12) == b"HTTP/1.1 200"
    assert office.told("certificate read") >= 1


def test_a_download_goes_on_while_the_certificate_changes(new_office: MakeOffice) -> None:
    office, link, content = _office_with_a_download(new_office)
    with line_to(office, tls=True) as line:
        line.sendall(head("GET", link.partition(host := link.split("/")[2])[2], host))
        began = line.recv(12)
        certify(office.folder)
        _serial(office)
        eventually(lambda: office.told("certificate read"))
        status, body = read_answer(line, began)
    assert (status, body) == (200, content)


@pytest.mark.parametrize("fault", ["garbage", "another key", "nothing"])
def test_a_certificate_that_cannot_be_used_leaves_the_old_one_in_place(new_office: MakeOffice, fault: str) -> None:
    office = serve(new_office, tls=True, workers=1)
    before = _serial(office)
    file, trusted = office.folder / "tls.pem", (office.folder / "tls.pem").read_bytes()
    if fault == "another key":
        certify(office.folder, "other")
        file.write_bytes((office.folder / "other.pem").read_bytes())
    elif fault == "garbage":
        file.write_bytes(b"garbage")
    else:
        file.unlink()
    assert _serial(office) == before
    assert _serial(office) == before
    kept = [entry for entry in office.log_lines() if entry["event"] == "certificate kept"]
    assert [entry["code"] for entry in kept] == ["N720"], "told once, not at every connection"
    file.write_bytes(trusted)
    assert _serial(office) == before
    assert jwks(office).status_code == 200


def test_a_process_started_anew_serves_the_certificate_that_could_be_used(new_office: MakeOffice) -> None:
    office = serve(new_office, tls=True, workers=1)
    before = _serial(office)
    (office.folder / "tls.pem").write_bytes(b"garbage")
    [process] = web_processes(office)
    process.kill()
    process.wait(10)
    assert _serial(office) == before


def _office_with_a_download(new_office: MakeOffice) -> tuple[Office, str, bytes]:
    office = serve(new_office, tls=True)
    bench = make_bench(office)
    kept = bench.keep(pdf(50_000_000))
    link = bench.offer(kept)[1]
    bench.line.close()
    bench.node.database.close()
    return office, link, kept.content


def _serial(office: Office) -> str:
    """Of the certificate that a new connection is shown."""
    host, _, port = office.url.removeprefix("http://").rpartition(":")
    return hashlib.sha256(ssl.get_server_certificate((host, int(port)), timeout=10).encode()).hexdigest()


def _s_client(office: Office, *options: str, says: str = "") -> str:
    address = office.url.removeprefix("http://")
    command = [OPENSSL, "s_client", "-connect", address, *options]
    ran = subprocess.run(command, input=says, capture_output=True, text=True, check=False, timeout=30)
    return ran.stdout + ran.stderr


def _shakes_hands(office: Office, *options: str) -> bool:
    said = _s_client(office, *options)
    assert "CONNECTED" in said
    assert "Error with command" not in said
    assert "no cipher match" not in said
    return "Cipher is (NONE)" not in said and "Cipher    : 0000" not in said
