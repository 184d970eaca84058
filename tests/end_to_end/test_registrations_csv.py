"""Files of documents registered at simulated WIPO, by real processes: each document once, each row accounted for."""

import csv
import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

from office_node.csv_files.csv_file import PROBLEM
from office_node.das.error_codes import NOT_REGISTERED
from tests.conftest import MakeOffice
from tests.databases import on_sqlite, postgresql_in_make_faults
from tests.off_registrations.rows import GOOD, csv_text
from tests.office import ROOT, Office, eventually, pdf, secrets_in

CODE = GOOD["das_code"]


def started(new_office: MakeOffice) -> Office:
    """An office whose node runs beside simulated WIPO; nothing that is to wait waits long."""
    office = new_office(overrides={"outbox": {"first_retry_seconds": 0.1}})
    office.start_central()
    office.start_web("serve")
    return office


def rows(office: Office, count: int) -> list[dict[str, str]]:
    """So many good rows, each with a document of its own beside the CSV."""
    for number in range(count):
        (office.folder / f"{number}.pdf").write_bytes(pdf(1_000))
    return [GOOD | {"file_location": f"{n}.pdf", "priority_number": f"US 98/012,{n:03}"} for n in range(count)]


def written(office: Office, given: list[dict[str, str]]) -> Path:
    file = office.folder / "x.csv"
    file.write_text(csv_text(*given))
    return file


def submit(office: Office, file: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    ran = office.run("registrations", "submit", "--csv", str(file), *options)
    assert CODE not in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
    return ran


def results(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as opened:
        return [*csv.DictReader(opened)]


@postgresql_in_make_faults
def test_every_good_row_is_done_once_and_a_result_file_can_be_given_again(new_office: MakeOffice) -> None:
    office = started(new_office)
    given = rows(office, 8)
    given[3] |= {"file_location": "none.pdf"}
    given[6] |= {"priority_date": "2023-13-02"}
    file = written(office, given)

    first = submit(office, file, "--content", "wipo")
    assert first.returncode == 1
    assert first.stdout.startswith("6 registered, 0 refused, 2 bad rows; results in ")
    assert " documents per second" in first.stdout
    assert 'line 5: file_location "none.pdf": No such file or directory' in first.stderr
    assert 'line 8: priority_date "2023-13-02" is no date' in first.stderr
    registered = {entry["key"] for entry in office.ledger("registered")}
    assert registered == {f"patent US 98/012,{number:03}" for number in (0, 1, 2, 4, 5, 7)}
    became = results(file.with_name("x.result.csv"))
    assert [row["registered"] for row in became] == ["true"] * 3 + ["false"] + ["true"] * 2 + ["false", "true"]
    good = [row for row in became if row["registered"] == "true"]
    assert len({row["ack_id"] for row in good}) == len({row["file_id"] for row in good}) == 6
    assert {row["file_id"] for row in good} == {entry["key"] for entry in office.ledger("uploaded")}
    assert all(bool(row[PROBLEM]) == (row["registered"] == "false") for row in became)

    mended = file.with_name("x.result.csv")
    mended.write_text(mended.read_text().replace("none.pdf", "3.pdf").replace("2023-13-02", "2023-12-02"))
    second = submit(office, mended, "--content", "wipo")
    assert (second.returncode, second.stdout[:58]) == (0, "2 registered, 0 refused, 0 bad rows, 6 passed over; result")
    repeated = submit(office, file, "--json")
    assert json.loads(repeated.stdout)["registered"] == 6, "as they are, whoever keeps the content by default"
    assert [entry["times"] for entry in office.ledger("registered")] == [1] * 8
    assert [secrets_in(line) for line in office.log_file.read_text().splitlines() if secrets_in(line)] == []


@postgresql_in_make_faults
def test_what_wipo_refuses_is_told_with_its_reason_and_the_rest_is_done(new_office: MakeOffice) -> None:
    office = started(new_office)
    office.script_central({"place": "registrations", "status": 400})
    ran = submit(office, written(office, rows(office, 3)), "--content", "library")
    assert (ran.returncode, ran.stdout[:36]) == (1, "2 registered, 1 refused, 0 bad rows;")
    assert "refused: WIPO answered 400" in ran.stderr
    assert ran.stderr.splitlines()[-1].startswith("N357 1 of the documents was refused; hint: correct what WIPO names")
    became = results(office.folder / "x.result.csv")
    assert sorted(row["registered"] for row in became) == ["false", "true", "true"]
    [refused] = [row for row in became if row["registered"] == "false"]
    assert refused[PROBLEM].startswith("refused: WIPO answered 400")


@on_sqlite
def test_ctrl_c_leaves_the_results_of_all_rows_and_a_second_run_ends_it(new_office: MakeOffice) -> None:
    office = new_office()
    office.upgrade()
    file = written(office, rows(office, 5))
    process = subprocess.Popen(
        _command(office, file), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    eventually(lambda: len(office.waiting()) == 5)
    os.killpg(process.pid, signal.SIGINT)
    told, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert told.startswith("0 registered, 0 refused, 0 bad rows, 5 waiting; results in ")
    assert "Traceback" not in said
    assert said.rstrip().endswith("Aborted!")
    assert [row[PROBLEM] for row in results(office.folder / "x.result.csv")] == ["waits still: nothing heard yet"] * 5
    office.start_central()
    office.start_web("serve")
    again = submit(office, office.folder / "x.result.csv")
    assert (again.returncode, again.stdout[:36]) == (0, "5 registered, 0 refused, 0 bad rows;")
    assert [entry["times"] for entry in office.ledger("registered")] == [1] * 5


@on_sqlite
def test_on_a_terminal_a_bar_shows_how_far_it_is(new_office: MakeOffice) -> None:
    office = started(new_office)
    file = written(office, [*rows(office, 3), GOOD | {"priority_date": "x"}])
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        _command(office, file), cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                shown += os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
    os.close(ours)
    assert process.returncode == 1
    assert b"4/4" in shown
    assert b'line 5: priority_date "x" is no date' in shown
    assert b"3 registered, 0 refused, 1 bad row; results in " in shown
    assert CODE.encode() not in shown


@postgresql_in_make_faults
def test_one_document_is_followed_from_registration_to_withdrawal(new_office: MakeOffice) -> None:
    office = started(new_office)
    named = ("--kind", "patent", "--number", "us 98/012,357")
    for name in ("a.pdf", "b.pdf"):
        (office.folder / name).write_bytes(pdf(1_000))
    output = office.folder / "certificate.pdf"
    given = ("--date", "2023-11-02", "--access-code", CODE, "--content", "wipo")
    says = {
        (
            "submit",
            str(office.folder / "a.pdf"),
            *named,
            *given,
        ): "registered: patent US 98/012,357 of 2023-11-02, requestAckId REG-",
        ("status", *named): "patent US 98/012,357 of 2023-11-02: registered with these data\nregistration REG-",
        ("correct", *named, "--new-date", "2023-11-03", "--new-access-code", "ZZ99"): "corrected: patent US 98/012,357 "
        "of 2023-11-03, requestAckId REG-",
        (
            "replace",
            str(office.folder / "b.pdf"),
            *named,
        ): "replaced: patent US 98/012,357 of 2023-11-03, requestAckId ",
        (
            "certificate",
            *named,
            "--output",
            str(output),
        ): f"certificate of patent US 98/012,357 of 2023-11-03: {output}",
        ("withdraw", "--yes", *named): "withdrawn: patent US 98/012,357 of 2023-11-03\n",
        ("list",): "withdrawn: patent US 98/012,357 of 2023-11-03, content at WIPO, requestAckId REG-",
    }
    for arguments, said in says.items():
        ran = office.run("registrations", *arguments)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert ran.stdout.startswith(said)
        assert CODE not in ran.stdout
    assert re.search(r", drafted 20\S+, registered 20\S+, ended 20\S+: ", ran.stdout)
    assert output.read_bytes().startswith(b"%PDF-")
    assert output.stat().st_mode & 0o777 == 0o600
    effects = [entry["effect"] for entry in office.ledger("") if entry["effect"] in _EFFECTS]
    assert effects == [*_EFFECTS]
    unknown = office.run("registrations", "status", *named)
    assert unknown.returncode == 0
    assert unknown.stdout.startswith("patent US 98/012,357 of 2023-11-03: it is not registered (WIPO answered 400: ")
    assert str(NOT_REGISTERED.code) in unknown.stdout
    refused = office.run("registrations", "certificate", *named, "--output", str(office.folder / "none.pdf"))
    assert (refused.returncode, refused.stdout, refused.stderr[:19]) == (1, "", "N357 refused: WIPO ")
    assert not (office.folder / "none.pdf").exists()


_EFFECTS = ("registered", "corrected", "replaced", "withdrawn")


def _command(office: Office, file: Path) -> list[str]:
    node = [sys.executable, "-m", "office_node", "--config", str(office.settings_file)]
    return [*node, "registrations", "submit", "--csv", str(file)]
