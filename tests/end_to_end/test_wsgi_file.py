"""The shipped wsgi file, as gunicorn's workers live with it."""

import os
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import requests

from tests.databases import on_sqlite
from tests.office import ROOT, WANTED, Office, eventually, pdf

# The longest silence of a reader is a minute; nobody waits so long here.
IMPATIENT = """
from office_node.off_retrievals import downloads
downloads._STALL_SECONDS = 0.5
from wsgi import app
"""


def test_it_holds_no_connection_that_a_fork_would_share(office: Office) -> None:
    told = "import wsgi; print(wsgi._node.database.engine.pool.checkedin())"
    environment = {**os.environ, "OFFICE_NODE_CONFIG": str(office.settings_file)}
    ran = subprocess.run([sys.executable, "-c", told], cwd=ROOT, env=environment, capture_output=True, check=True)
    assert ran.stdout == b"0\n"


@on_sqlite
def test_a_reader_that_stalls_loses_its_place_without_an_error_in_the_log(office: Office) -> None:
    (office.folder / "impatient.py").write_text(IMPATIENT)
    command = ["-m", "gunicorn", "-c", "config/gunicorn.conf.py", "--pythonpath", str(office.folder), "impatient:app"]
    environment = {**os.environ, "OFFICE_NODE_CONFIG": str(office.settings_file)}
    with office.log_file.open("ab") as log:
        served = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environment, stdout=log, stderr=log)
    office.processes.append(served)
    office.add_document(pdf(20_000_000))
    office.start("worker")
    eventually(lambda: requests.get(f"{office.url}/oauth2/jwks", timeout=30).ok)
    wipo = office.operator()
    acknowledgement_id = wipo.forward(WANTED).json()["requestAckId"]
    eventually(lambda: wipo.locate(WANTED, acknowledgement_id).ok)
    link = urlsplit(wipo.locate(WANTED, acknowledgement_id).json()["fileDownloadUrl"])
    with socket.create_connection((str(link.hostname), int(link.port or 0))) as line:
        line.sendall(f"GET {link.path}?{link.query} HTTP/1.1\r\nHost: {link.netloc}\r\n\r\n".encode())
        eventually(lambda: office.told("download cut"))
        served.terminate()
        assert served.wait(60) == 0
    errors = [line for line in office.log_lines() if line["level"] == "error" and line["process"] == "web"]
    assert errors == []
    assert "Traceback" not in office.log_file.read_text()
