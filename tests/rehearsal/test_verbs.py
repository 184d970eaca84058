"""An office rehearses with the simulated WIPO; the rehearsal keeps away from production."""

import hashlib
import subprocess

import pytest
import requests
from click.testing import CliRunner

from office_node.cli import main
from tests.conftest import MakeOffice
from tests.office import WANTED, Office

HOST = "das-api.das.ipobs.acc.web1.wipo.int"


@pytest.mark.parametrize("verb", ["serve", "demo"])
@pytest.mark.parametrize("new_database_url", ["sqlite"], indirect=True)
def test_it_refuses_to_run_beside_hosts_of_wipo(new_office: MakeOffice, verb: str) -> None:
    office = new_office(overrides={"wipo": {"base_url": f"https://{HOST}/das-api/v1"}})
    result = CliRunner().invoke(main, ["--config", str(office.settings_file), "rehearsal", verb])
    assert result.exit_code == 1
    assert result.stderr.startswith("N701 the settings name a host of wipo.int; hint: ")


@pytest.mark.parametrize("new_database_url", ["sqlite"], indirect=True)
def test_an_office_rehearses_a_retrieval_with_one_verb(new_office: MakeOffice) -> None:
    office = new_office()
    office.start_central()
    office.start_web("serve")
    content = office.add_document()

    done = _forward(office, WANTED.access_code)
    assert done.returncode == 0, done.stderr
    forwarded, notified, downloaded = done.stdout.splitlines()
    assert forwarded.startswith("forwarded: 201, requestAckId ")
    assert forwarded.endswith(", setup own")
    assert notified == "notified: success"
    assert downloaded == f"downloaded: {len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()}, through link"
    effects = [(entry["effect"], entry["times"]) for entry in office.ledger("")]
    assert effects == [("forwarded", 1), ("notified", 1), ("downloaded", 1)]

    refused = _forward(office, "ZZ99")
    assert refused.returncode == 1
    assert "the office answered 400" in refused.stdout
    assert "-14" in refused.stdout


@pytest.mark.parametrize("new_database_url", ["sqlite"], indirect=True)
def test_it_says_so_when_simulated_wipo_does_not_run(new_office: MakeOffice) -> None:
    away = _forward(new_office(), WANTED.access_code)
    assert away.returncode == 1
    assert away.stderr.startswith("N702 simulated WIPO does not answer; hint: ")


@pytest.mark.parametrize("new_database_url", ["sqlite"], indirect=True)
def test_it_says_so_when_the_office_does_not_run(new_office: MakeOffice) -> None:
    office = new_office()
    office.start_central()
    away = _forward(office, WANTED.access_code)
    assert away.returncode == 1
    assert away.stdout.startswith("not forwarded: the office does not answer")


@pytest.mark.parametrize("new_database_url", ["sqlite"], indirect=True)
def test_a_retrieval_goes_through_with_tokens_of_wipos_own_server(new_office: MakeOffice) -> None:
    office = new_office()
    office.start_central()
    office.start_web("serve")
    content = office.add_document()
    done = _forward(office, WANTED.access_code, "--setup", "wipo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[0].endswith(", setup wipo")
    assert (
        done.stdout.splitlines()[-1]
        == f"downloaded: {len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()}, through link"
    )
    assert requests.get(f"{office.central_url}/rehearsal/visits", timeout=30).json()["jwks"] > 0
    assert office.told("access token issued") == 0  # the office's own server had no part in it


@pytest.mark.parametrize("new_database_url", ["sqlite"], indirect=True)
def test_the_first_setup_that_the_office_accepts_is_rehearsed(new_office: MakeOffice) -> None:
    office = new_office({"trust": {"accept": ["wipo", "own"]}})
    office.start_central()
    office.start_web("serve")
    office.add_document()
    assert _forward(office, WANTED.access_code).stdout.splitlines()[0].endswith(", setup wipo")


def _forward(office: Office, access_code: str, *options: str) -> "subprocess.CompletedProcess[str]":
    names = ("--kind", WANTED.kind, "--number", WANTED.number, "--date", WANTED.date)
    return office.run("rehearsal", "forward", *names, "--access-code", access_code, *options)
