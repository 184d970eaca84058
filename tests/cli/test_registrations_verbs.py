"""The verbs of `registrations` where no worker runs: what they write down, what they refuse, what they never show."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result

from office_node.wiring.node import Node
from tests import command_line
from tests.databases import on_sqlite
from tests.office import WANTED, Office, pdf, secrets_in

DOCUMENT = ("--kind", WANTED.kind, "--number", "us98/012,357")
DATED = (*DOCUMENT, "--date", WANTED.date)
CODE = "QX7Z"
MOMENT = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"


def run(office: Office, *arguments: str) -> Result:
    ran = command_line.run(office.settings_file, "registrations", *arguments)
    assert CODE not in ran.output
    assert secrets_in(ran.output) == []
    return ran


@pytest.fixture
def file(office: Office) -> Path:
    file = office.folder / "document.pdf"
    file.write_bytes(pdf(1_000))
    return file


@pytest.fixture
def submitted(office: Office, file: Path) -> str:
    """The operation of a registration that waits."""
    ran = run(office, "submit", str(file), *DATED, "--access-code", CODE, "--no-wait", "--json")
    assert ran.exit_code == 0, ran.output
    return str(json.loads(ran.stdout)["operation_id"])


def test_a_registration_is_written_down_once(office: Office, node: Node, submitted: str) -> None:
    again = run(office, "submit", *DATED, "--no-wait")
    assert (again.exit_code, again.stdout) == (0, f"written down as operation {submitted}; the worker tells WIPO\n")
    [registration] = node.overview.registrations()
    assert (registration.number, registration.content_at) == ("US 98/012,357", "library")


def test_what_waits_too_long_is_told_and_goes_on(office: Office, node: Node, submitted: str) -> None:
    ran = run(office, "submit", *DATED, "--wait", "0")
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert ran.stderr.startswith(
        "N358 waits still: nothing heard yet; hint: the worker goes on by itself, if it runs; "
    )
    assert node.overview.operation(submitted).state == "waiting"


@on_sqlite
def test_the_access_code_of_a_new_file_is_asked_for(office: Office, file: Path) -> None:
    command = [sys.executable, "-m", "office_node", "--config", str(office.settings_file), "registrations", "submit"]
    ran = subprocess.run(
        [*command, str(file), *DATED, "--no-wait"],
        input=f"{CODE}\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert CODE not in ran.stdout


@on_sqlite
def test_refusals_before_anything_is_written_have_their_codes(office: Office, node: Node, file: Path) -> None:
    text = office.folder / "text.pdf"
    text.write_text("text")
    refusals = {
        "N303": ["submit", str(text), *DATED, "--access-code", CODE],
        "N301": ["submit", str(file), *DATED, "--access-code", "12"],
        "N355": ["submit", *DATED],
        "N350": ["submit", *DATED, "--access-code", CODE],
        "N310": ["submit", "--kind", "patent", "--number", "US 1", "--date", WANTED.date],
        "N371": ["submit", *DATED, "--email", "nobody"],
    }
    for code, arguments in refusals.items():
        for dry in ([], ["--dry-run"]):
            ran = run(office, *arguments, *dry)
            assert (ran.exit_code, ran.stdout, ran.stderr[:4]) == (1, "", code), ran.output
    for verb in (
        ["withdraw", "--yes"],
        ["status"],
        ["certificate"],
        ["replace", str(file)],
        ["correct", "--email", "a@b"],
    ):
        ran = run(office, *verb, *DOCUMENT)
        assert (ran.exit_code, ran.stdout, ran.stderr[:4]) == (1, "", "N350"), ran.output
    assert node.overview.registrations() == []


def test_a_dry_run_registers_and_corrects_nothing(office: Office, node: Node, file: Path) -> None:
    new = run(office, "submit", str(file), *DATED, "--access-code", CODE, "--dry-run")
    assert (new.exit_code, new.stdout) == (0, "would register: patent US 98/012,357 of 2023-11-02\n")
    assert [*node.library.entries()] == []
    run(office, "submit", str(file), *DATED, "--access-code", CODE, "--no-wait")
    known = run(office, "submit", *DATED, "--dry-run")
    assert (known.exit_code, known.stdout) == (0, "asked for already: patent US 98/012,357 of 2023-11-02\n")
    before = office.waiting()
    ran = run(office, "correct", *DOCUMENT, "--new-date", "2023-11-03", "--new-access-code", "ZZ99", "--dry-run")
    assert (ran.exit_code, ran.stdout) == (
        0,
        "would correct: patent US 98/012,357 of 2023-11-02: filing_date, access_code\n",
    )
    assert office.waiting() == before
    same = run(office, "correct", *DOCUMENT, "--new-date", WANTED.date, "--new-access-code", CODE, "--dry-run")
    assert (same.exit_code, same.stderr[:4]) == (1, "N353")


def test_what_is_not_registered_is_corrected_and_withdrawn_in_the_library_alone(office: Office, node: Node) -> None:
    office.add_document()
    ran = run(office, "correct", *DOCUMENT, "--new-date", "2023-11-03")
    assert (ran.exit_code, ran.stdout) == (
        0,
        "patent US 98/012,357 of 2023-11-03: corrected in the library alone, it is not registered\n",
    )
    refused = run(office, "correct", *DOCUMENT, "--email", "a@b.example", "--dry-run")
    assert (refused.exit_code, refused.stderr[:4]) == (1, "N351")
    ran = run(office, "withdraw", "--yes", *DOCUMENT)
    assert (ran.exit_code, ran.stdout) == (
        0,
        "patent US 98/012,357 of 2023-11-03: no longer served; WIPO had not heard of it\n",
    )
    [entry] = node.library.entries()
    assert entry.withdrawn_at


def test_a_withdrawal_calls_off_what_wipo_has_not_heard_of(office: Office, node: Node, submitted: str) -> None:
    ran = run(office, "withdraw", "--yes", *DOCUMENT, "--json")
    assert ran.exit_code == 0
    assert json.loads(ran.stdout)["operation_id"] is None
    view = node.overview.operation(submitted)
    assert (view.state, view.reason) == ("refused", "withdrawn before WIPO heard of it")


@on_sqlite
@pytest.mark.parametrize(
    "arguments",
    [
        ["correct", *DOCUMENT],
        ["correct", *DOCUMENT, "--new-access-code", "ZZ99", "--ask-access-code"],
        ["correct", *DOCUMENT, "--application-category", "novel"],
        ["withdraw", "--kind", "patent"],
        ["replace", *DOCUMENT],
        ["status"],
        ["list", "--state", "unknown"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2(office: Office, arguments: list[str]) -> None:
    ran = run(office, *arguments)
    assert (ran.exit_code, ran.stdout) == (2, "")


def test_a_list_tells_each_registration_and_of_one_document_everything_that_was_asked(
    office: Office, submitted: str
) -> None:
    drafted = f"drafted: patent US 98/012,357 of 2023-11-02, content at the office, drafted {MOMENT}\n"
    assert re.fullmatch(drafted, run(office, "list").stdout)
    [_, asked] = run(office, "list", "--number", "us 98/012,357").stdout.splitlines()
    assert re.fullmatch(f"  register {submitted} waiting since {MOMENT}: nothing heard yet", asked)
    [told] = json.loads(run(office, "list", *DOCUMENT, "--json").stdout)
    assert (told["state"], told["number"], told["operations"][0]["operation_id"]) == (
        "drafted",
        "US 98/012,357",
        submitted,
    )
    assert run(office, "list", "--state", "registered").stdout == "no such registration\n"
    assert json.loads(run(office, "list", "--kind", "design", "--json").stdout) == []
    assert run(office, "list", "--number", "\u0661").stderr.startswith("N310 ")


@on_sqlite
def test_a_certificate_overwrites_no_file(office: Office, submitted: str) -> None:
    assert submitted
    there = office.folder / "there.pdf"
    there.write_text("mine")
    (office.folder / "link.pdf").symlink_to(there)
    for name in ("there.pdf", "link.pdf"):
        ran = run(office, "certificate", *DOCUMENT, "--output", str(office.folder / name))
        assert (ran.exit_code, ran.stdout, ran.stderr[:4]) == (1, "", "N373")
    assert there.read_text() == "mine"
    assert [message.kind for message in office.waiting()] == ["tell_registration"]


def test_without_a_terminal_a_withdrawal_has_to_be_meant(office: Office, node: Node) -> None:
    office.add_document()
    ran = run(office, "withdraw", "--kind", WANTED.kind, "--number", WANTED.number)
    assert (ran.exit_code, "say --yes" in ran.stderr) == (2, True)
    [entry] = node.library.entries()
    assert entry.withdrawn_at is None
