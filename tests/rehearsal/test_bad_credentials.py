"""What an office runs before it goes live: every bad credential is refused, every good one is not, or it is told."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from office_node.rehearsal.bad_credentials import catalogue, forging
from office_node.settings import API_SCOPE
from tests import command_line
from tests.conftest import MakeOffice
from tests.databases import on_sqlite
from tests.office import Office, secrets_in

NOT_OF_A_CREDENTIAL = {
    *range(58, 60),  # 58 is judged on every refusal; 59 wants the key of another registered client
    *range(61, 66),  # what the office publishes
    89, 90, *range(92, 95), 96, 104,  # what the office fetches, keeps and remembers
}  # fmt: skip


def clients(profile: str) -> list[dict[str, Any]]:
    return [
        {"client_id": "wipo-das", "profile": profile, "public_key_files": ["../keys/rehearsal_wipo_public.pem"]},
    ]


@pytest.mark.parametrize(
    ("new_database_url", "profile"), [("sqlite", "compat"), ("postgresql", "strict")], indirect=["new_database_url"]
)
def test_a_running_node_answers_every_entry_as_it_must(new_office: MakeOffice, profile: str) -> None:
    office = new_office({"authorization_server": {"clients": clients(profile)}, "web": {"workers": 2}})
    office.upgrade()
    office.start_central()
    office.start_web()
    ran = office.run("rehearsal", "bad-credentials", "--json")
    outcomes = json.loads(ran.stdout)
    assert [outcome for outcome in outcomes if not outcome["ok"]] == []
    assert (ran.returncode, ran.stderr) == (0, "")
    assert len(outcomes) == len(catalogue.entries(("own", "wipo")))
    wipos_own = next(outcome for outcome in outcomes if outcome["name"] == "no jti")
    assert wipos_own["got"] == {"compat": "200", "strict": "401 invalid_client"}[profile]
    log = office.log_file.read_text()
    assert secrets_in(ran.stdout + log) == []
    assert [line for line in office.log_lines() if line["level"] == "error"] == []


def test_the_catalogue_has_every_row_that_a_credential_can_carry() -> None:
    numbers = {entry.number for entry in catalogue.entries(("own", "wipo"))}
    assert set(range(1, 105)) - numbers == NOT_OF_A_CREDENTIAL


def test_every_entry_can_be_named_and_says_what_it_is() -> None:
    entries = catalogue.entries(("own", "wipo"))
    assert len({(entry.kind, entry.setup, entry.name) for entry in entries}) == len(entries)
    assert len({entry.sentence for entry in entries}) > len(entries) / 2
    assert all(catalogue.find(entry.kind, entry.setup, entry.name) is entry for entry in entries)


@pytest.fixture
def credulous(new_office: MakeOffice) -> Iterator[Office]:
    """An office whose server lets everybody in: what stands at its address is none of ours."""
    header = {"alg": "ES256", "typ": "at+jwt", "kid": "any"}
    token = forging.compact(header, {"scope": API_SCOPE}, lambda _: bytes(64))
    answer = {"access_token": token, "token_type": "Bearer", "expires_in": 900, "keys": []}

    class Door(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            content = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Cache-Control", "no-store")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = answer  # noqa: N815

        def log_message(self, *_parts: object) -> None:
            """Nothing on the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        office = new_office({"web": {"public_url": f"http://127.0.0.1:{server.server_port}"}})
        office.start_central()
        yield office
        server.shutdown()
        thread.join()


@on_sqlite
def test_an_office_that_refuses_nothing_is_found_out_in_every_row(credulous: Office) -> None:
    ran = credulous.run("rehearsal", "bad-credentials", "--json")
    assert ran.returncode == 1
    outcomes = json.loads(ran.stdout)
    undetected = [outcome for outcome in outcomes if outcome["ok"] and not outcome["expected"].startswith("200")]
    # The server of this test has one check of its own: it takes no header line beyond 64 KiB.
    assert {outcome["name"] for outcome in undetected} == {"200 kb"}
    assert {outcome["number"] for outcome in outcomes if not outcome["ok"]} >= {12, 34, 48, 77, 82, 86, 97, 98, 103}


@on_sqlite
def test_what_is_not_as_it_must_be_is_named_with_its_sentence(credulous: Office) -> None:
    ran = credulous.run("rehearsal", "bad-credentials", "--number", "48")
    assert ran.returncode == 1
    title, line, summed = ran.stdout.splitlines()
    assert title == "token requests and assertions, at the office's token endpoint"
    assert " ".join(line.split()) == "48 nbf 90 s ahead 400/401 invalid_client 200 FAILED: nbf lies 90 s ahead"
    assert summed == "assertions (own): 0 bad refused, 0 good accepted, 1 FAILED"


@on_sqlite
def test_it_says_so_when_the_office_or_the_rehearsal_does_not_run(new_office: MakeOffice) -> None:
    office = new_office()
    away = office.run("rehearsal", "bad-credentials")
    assert (away.returncode, away.stdout) == (1, "")
    assert away.stderr.startswith("N704 the office does not answer; hint: ")
    office.upgrade()
    office.start_web()
    away = office.run("rehearsal", "bad-credentials")
    assert (away.returncode, away.stdout) == (1, "")
    assert away.stderr.startswith("N702 simulated WIPO does not answer; hint: ")


@on_sqlite
def test_a_number_that_no_entry_has_is_told(credulous: Office) -> None:
    ran = credulous.run("rehearsal", "bad-credentials", "--number", "61")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("N706 nothing has the number 61 here; hint: ")


@on_sqlite
@pytest.mark.parametrize("verb", ["bad-credentials", "forward"])
def test_a_setup_that_the_office_does_not_accept_is_told(new_office: MakeOffice, verb: str) -> None:
    office = new_office({"trust": {"accept": ["own"]}})
    options = ["--kind", "patent", "--number", "US 1", "--date", "2023-11-02", "--access-code", "AB21"]
    ran = command_line.run(
        office.settings_file, "rehearsal", verb, "--setup", "wipo", *(options if verb == "forward" else [])
    )
    assert ran.exit_code == 1
    assert ran.stderr.startswith("N705 [trust] accept does not name wipo; hint: ")


def test_no_secret_stands_in_the_catalogue_itself(tmp_path: Path) -> None:
    folder = Path(catalogue.__file__).parent
    assert [secrets_in(file.read_text()) for file in folder.glob("*.py")] == [[]] * len([*folder.glob("*.py")])
