"""Every door opens as shipped: serve, web, worker, gunicorn with the shipped configuration, and closes when told."""

import os
import signal
import socket
import subprocess
import sys

import pytest
import requests

from tests.conftest import MakeOffice
from tests.databases import postgresql_in_make_faults
from tests.office import ROOT, eventually


@postgresql_in_make_faults
def test_serve_stops_everything_it_started_when_told(new_office: MakeOffice) -> None:
    office = new_office()
    serve = office.start_web("serve")
    eventually(lambda: office.told("worker started"))
    serve.send_signal(signal.SIGTERM)
    assert serve.wait(30) == 0
    events = [line["event"] for line in office.log_lines()]
    assert "worker stopped" in events
    assert "Shutting down: Master" in events


@postgresql_in_make_faults
def test_serve_starts_again_what_falls(new_office: MakeOffice) -> None:
    office = new_office()
    office.start_web("serve")
    eventually(lambda: office.told("worker started") == 1)
    subprocess.run(["pkill", "-KILL", "-f", f"{office.settings_file} worker"], check=True)
    eventually(lambda: office.told("worker started") == 2)
    assert office.told("child ended, starting it again") == 1


@pytest.mark.parametrize("new_database_url", ["sqlite"], indirect=True)
def test_serve_refuses_a_listener_that_is_taken(new_office: MakeOffice) -> None:
    office = new_office()
    host, _, port = office.settings().web.listen.rpartition(":")
    with socket.create_server((host, int(port))):
        refused = office.run("serve")
    assert refused.returncode == 1
    assert refused.stderr.startswith("N711 office.toml [web] listen: ")


def test_gunicorn_serves_the_shipped_wsgi_file_with_the_shipped_configuration(new_office: MakeOffice) -> None:
    office = new_office()
    office.upgrade()
    command = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.conf.py", "wsgi:app"]
    environment = {**os.environ, "OFFICE_NODE_CONFIG": str(office.settings_file)}
    with office.log_file.open("ab") as log:
        office.processes.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log))
    assert eventually(lambda: requests.get(f"{office.url}/oauth2/jwks", timeout=30)).status_code == 200
    refused = requests.get(f"{office.url}/oauth2/jwks", headers={"X-Long": "x" * 65536}, timeout=30)
    assert (refused.status_code, refused.json()["code"]) == (431, "REQUEST_HEADER_FIELDS_TOO_LARGE")
