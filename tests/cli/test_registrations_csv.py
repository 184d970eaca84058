"""`registrations submit --csv` without a worker: bad rows are named and never sent, good ones are written down once."""

import csv
import json
import time
from pathlib import Path

import pytest
from click.testing import Result

from office_node.csv_files.csv_file import PROBLEM
from office_node.library.damage import FileMissing
from office_node.wiring.node import Node
from tests import command_line
from tests.databases import on_sqlite
from tests.off_registrations.rows import GOOD, csv_text
from tests.office import Office, pdf, secrets_in

CODE = GOOD["das_code"]


@pytest.fixture
def folder(office: Office) -> Path:
    """A folder with a document `a.pdf`."""
    folder = office.folder / "rows"
    folder.mkdir()
    (folder / "a.pdf").write_bytes(pdf(1_000))
    return folder


def numbered(number: int, **cells: str) -> dict[str, str]:
    """A good row about a document of its own."""
    return GOOD | {"file_location": "a.pdf", "priority_number": f"XX {number}"} | cells


def named(number: int) -> tuple[str, ...]:
    """The same document as options."""
    return ("--kind", "patent", "--number", f"XX {number}", "--date", GOOD["priority_date"])


def submit(office: Office, folder: Path, *rows: dict[str, str], options: tuple[str, ...] = ("--no-wait",)) -> Result:
    (folder / "x.csv").write_text(csv_text(*rows))
    return submit_file(office, folder / "x.csv", *options)


def submit_file(office: Office, file: Path, *options: str) -> Result:
    ran = command_line.run(office.settings_file, "registrations", "submit", "--csv", str(file), *options)
    assert CODE not in ran.output
    assert secrets_in(ran.output) == []
    return ran


def results(folder: Path, name: str = "x.result.csv") -> list[dict[str, str]]:
    with (folder / name).open(newline="") as file:
        return [*csv.DictReader(file)]


def test_bad_rows_are_named_with_line_and_reason_and_the_good_ones_go_on(
    office: Office, node: Node, folder: Path
) -> None:
    (folder / "bad.pdf").write_text("no document")
    ran = submit(
        office,
        folder,
        numbered(1),
        numbered(2, file_location="none.pdf", priority_date="2023-13-02"),
        numbered(3),
        numbered(4, file_location="bad.pdf"),
        numbered(1),
        numbered(5, file_location=""),
        numbered(6, das_code=""),
    )
    assert ran.exit_code == 1
    named = dict(line.split(": ", 1) for line in ran.stderr.splitlines() if line.startswith("line "))
    assert sorted(named) == ["line 3", "line 5", "line 6", "line 7", "line 8"]
    assert 'line 3: priority_date "2023-13-02" is no date; hint: ' in ran.stderr
    assert 'line 3: file_location "none.pdf": No such file or directory' in ran.stderr
    assert named["line 5"].startswith("N303 ")
    assert named["line 6"] == "the patent XX 1 stands on line 2 already"
    assert named["line 7"].startswith("N350 patent XX 5 of 2023-11-02 is not in the library; hint: ")
    assert named["line 8"].startswith("N355 no access code for patent XX 6 of 2023-11-02; hint: ")
    assert ran.stdout.startswith("0 registered, 0 refused, 5 bad rows, 2 waiting; results in ")
    assert ran.stderr.splitlines()[-1].startswith("N359 5 bad rows; hint: ")
    assert sorted(view.number for view in node.overview.registrations()) == ["XX 1", "XX 3"]
    assert sorted(entry.document.number for entry in node.library.entries()) == ["XX 1", "XX 3"]
    assert [bool(row[PROBLEM]) for row in results(folder)] == [True] * 7
    assert results(folder)[4][PROBLEM] == "the patent XX 1 stands on line 2 already"
    assert {row["registered"] for row in results(folder)} == {"false"}


def test_a_document_of_the_library_needs_neither_file_nor_code(office: Office, node: Node, folder: Path) -> None:
    assert submit(office, folder, numbered(1), options=("--no-wait",)).exit_code == 0
    [entry] = node.library.entries()
    again = submit(office, folder, numbered(1, file_location="", das_code=""))
    assert (again.exit_code, again.stdout[:50]) == (0, "0 registered, 0 refused, 0 bad rows, 1 waiting; re")
    assert [*node.library.entries()] == [entry]
    assert len(node.overview.registrations()) == 1


def test_what_is_done_with_other_data_is_a_bad_row(office: Office, folder: Path) -> None:
    assert submit(office, folder, numbered(1), numbered(2)).exit_code == 0
    (folder / "a.pdf").write_bytes(pdf(1_000))
    ran = submit(office, folder, numbered(1, file_location="", application_number="7"), numbered(2))
    assert ran.exit_code == 1
    assert (
        "line 2: N352 patent XX 1 of 2023-11-02 is registered already, and differs in: application_number" in ran.stderr
    )
    assert "line 3: N316 patent XX 2 of 2023-11-02 is kept with another content" in ran.stderr


def test_rows_that_are_registered_already_are_passed_over(office: Office, node: Node, folder: Path) -> None:
    row = numbered(1, file_location="none.pdf", registered="True", file_id="F-1", ack_id="REG-1")
    ran = submit(office, folder, row, numbered(2), numbered(1), options=("--no-wait", "--json"))
    assert ran.exit_code == 1
    told = json.loads(ran.stdout)
    assert (told["passed_over"], told["waiting"], told["bad"]) == (1, 1, 1)
    assert told["problems"] == [{"line": 4, "reasons": ["the patent XX 1 stands on line 2 already"]}]
    assert [view.number for view in node.overview.registrations()] == ["XX 2"]
    assert [results(folder)[0][name] for name in ("file_id", "registered", "ack_id")] == ["F-1", "true", "REG-1"]


def test_what_still_waits_when_the_patience_ends_is_told(office: Office, folder: Path) -> None:
    ran = submit(office, folder, numbered(1), options=("--wait", "0.3"))
    assert (ran.exit_code, ran.stdout[:49]) == (1, "0 registered, 0 refused, 0 bad rows, 1 waiting; r")
    assert ran.stderr.startswith(
        "N358 1 of the documents waits still; hint: the worker goes on by itself, if it runs; "
    )
    assert results(folder)[0][PROBLEM] == "waits still: nothing heard yet"


def test_what_waits_for_a_human_is_told_at_once_and_not_waited_for(office: Office, node: Node, folder: Path) -> None:
    assert submit(office, folder, numbered(1), numbered(2)).exit_code == 0
    for claim in node.outbox.claim("tell_registration", 2):
        node.outbox.park(claim, FileMissing("gone"))
    began = time.monotonic()
    ran = submit(office, folder, numbered(1), numbered(2), options=("--wait", "30"))
    assert time.monotonic() - began < 20
    assert (ran.exit_code, ran.stdout[:49]) == (1, "0 registered, 0 refused, 0 bad rows, 2 waiting; r")
    assert "line 2: patent XX 1 of 2023-11-02 waits for a human: N306 gone\n" in ran.stderr
    assert "N358 2 of the documents wait, 2 of them for a human; hint: mend what " in ran.stderr
    assert [row[PROBLEM] for row in results(folder)] == ["waits for a human: N306 gone"] * 2
    single = command_line.run(office.settings_file, "registrations", "submit", *named(1), "--wait", "30")
    assert (single.exit_code, single.stderr[:37]) == (1, "N358 waits for a human: N306 gone; hi")


def test_a_dry_run_tells_the_same_bad_rows_and_changes_nothing(office: Office, node: Node, folder: Path) -> None:
    (folder / "bad.pdf").write_text("no document")
    assert submit(office, folder, numbered(9)).exit_code == 0
    (folder / "x.result.csv").unlink()
    rows = [
        numbered(1),
        numbered(2, file_location="bad.pdf"),
        numbered(3, file_location=""),
        numbered(4, das_code="-"),
        numbered(9),
        numbered(9, document_category="design"),
    ]
    before = [*node.library.entries()], node.overview.registrations(), office.waiting()
    ran = submit(office, folder, *rows, options=("--dry-run",))
    assert ran.exit_code == 1
    assert ran.stdout == "2 would be registered, 3 bad rows, 1 passed over; nothing was changed\n"
    assert "line 2: would be registered: patent XX 1 of 2023-11-02" in ran.stderr
    assert "line 6: asked for already: patent XX 9 of 2023-11-02" in ran.stderr
    assert ([*node.library.entries()], node.overview.registrations(), office.waiting()) == before
    assert sorted(file.name for file in folder.iterdir()) == ["a.pdf", "bad.pdf", "x.csv"]
    foreseen = {line for line in ran.stderr.splitlines() if line[:6] in ("line 3", "line 4", "line 5")}
    done = submit(office, folder, *rows)
    assert {line for line in done.stderr.splitlines() if line.startswith("line ")} == foreseen
    assert len(node.overview.registrations()) == 3


@on_sqlite
def test_nothing_is_taken_in_if_the_results_cannot_be_written(office: Office, node: Node, folder: Path) -> None:
    (folder / "x.result.csv").mkdir()
    ran = submit(office, folder, numbered(1))
    assert (ran.exit_code, ran.stdout, ran.stderr[:5]) == (1, "", "N372 ")
    assert [*node.library.entries()] == []


@on_sqlite
def test_a_file_that_is_no_such_csv_is_refused_and_has_no_results(office: Office, folder: Path) -> None:
    (folder / "x.csv").write_text(csv_text(numbered(1)).replace(",", ";"))
    ran = submit_file(office, folder / "x.csv")
    assert (ran.exit_code, ran.stdout, ran.stderr[:41]) == (1, "", "N370 x.csv is separated by semicolons; hi")
    assert not (folder / "x.result.csv").exists()


@on_sqlite
def test_a_failure_that_every_row_would_meet_ends_the_run_and_the_results_are_there(
    office: Office, folder: Path
) -> None:
    store = office.settings().library.store
    store.parent.mkdir(exist_ok=True)
    store.write_text("in the way")
    ran = submit(office, folder, *(numbered(number) for number in range(50)))
    assert (ran.exit_code, ran.stderr.splitlines()[-1][:5]) == (1, "N304 ")
    assert len(results(folder)) == 50
    assert {row[PROBLEM][:13] for row in results(folder)} == {"not looked at"}


@on_sqlite
@pytest.mark.parametrize(
    "options",
    [
        ["--csv", "FILE", "FILE"],
        ["--csv", "FILE", "--kind", "patent"],
        ["--csv", "FILE", "--email", "a@b.example"],
        ["--csv", "FILE", "--wait", "1", "--no-wait"],
        ["--csv", "FILE", "--wait", "-1"],
        ["--csv", "no such file"],
        ["FILE"],
        ["--kind", "patent", "--number", "XX 1"],
        [],
    ],
    ids=" ".join,
)
def test_one_document_or_many_not_both(office: Office, folder: Path, options: list[str]) -> None:
    given = [str(folder / "a.pdf") if option == "FILE" else option for option in options]
    ran = command_line.run(office.settings_file, "registrations", "submit", *given)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert "Usage: main registrations submit" in ran.stderr
