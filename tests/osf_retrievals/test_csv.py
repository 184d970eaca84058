"""WIPO's sample CSV: the rows are asked for, and what became of each is written back."""

import csv
from pathlib import Path

import pytest

from office_node.osf_retrievals.csv_rows import LAYOUT
from tests.databases import on_sqlite
from tests.osf_retrievals.conftest import MakeDesk
from tests.osf_retrievals.desk import CODE, Desk, paper

HEADER = "priority_number,priority_date,document_category,das_code,osf_ack_id,downloaded"


def written(folder: Path, *rows: str) -> Path:
    file = folder / "retrievals.csv"
    file.write_text("\n".join([HEADER, *rows]) + "\n")
    return file


def results(file: Path) -> list[dict[str, str]]:
    with file.with_name("retrievals.result.csv").open(newline="") as opened:
        return list(csv.DictReader(opened))


def test_the_columns_are_those_of_wipos_sample_client() -> None:
    assert ",".join(LAYOUT.columns) == HEADER


@on_sqlite
def test_every_good_row_is_collected_and_the_result_file_can_be_given_again(new_desk: MakeDesk) -> None:
    desk = new_desk("serve")
    folder = desk.office.folder / "csv"
    folder.mkdir()
    good = [desk.with_another_document() for _ in range(3)]
    for one in good:
        one.deposit(paper())
    unknown = desk.with_another_document()
    rows = [f"{one.document.number},2023-11-02,patent,{CODE},," for one in (*good, unknown)]
    file = written(folder, *rows, "EP,2023-13-02,patents,ABCDE,,", rows[0])
    told = desk.office.run("retrievals", "ask", "--csv", str(file), "--wait", "30")
    assert told.returncode == 1
    assert told.stdout.startswith("3 collected, 1 refused, 2 bad; results in ")
    assert told.stderr.splitlines()[-1].startswith("N433 1 of the rows were refused, 2 are bad, 0 wait")
    assert CODE not in told.stdout + told.stderr

    became = results(file)
    assert [row["downloaded"] for row in became] == ["true"] * 3 + ["false"] * 3
    assert [bool(row["osf_ack_id"]) for row in became] == [True] * 3 + [False] * 3
    assert became[3]["problem"].startswith("refused: WIPO answered 400: -7 ")
    assert "document_category" in became[4]["problem"]
    assert "priority_date" in became[4]["problem"]
    assert became[5]["problem"] == "the same stands on line 2 already"

    again = desk.office.run("retrievals", "ask", "--csv", str(file.with_name("retrievals.result.csv")), "--wait", "30")
    assert "1 collected, 1 refused, 1 bad, 3 passed over" in again.stdout
    assert good[0].times_asked() == 1


@on_sqlite
@pytest.mark.parametrize(
    ("content", "said"),
    [("", "is empty"), ("a,b\n1,2\n", "has no header"), (HEADER.replace(",das_code", "") + "\n", "lacks das_code")],
)
def test_what_is_not_the_sample_clients_file_is_refused(
    new_desk: MakeDesk, tmp_path: Path, content: str, said: str
) -> None:
    desk = new_desk()
    file = tmp_path / "other.csv"
    file.write_text(content)
    told = desk.office.run("retrievals", "ask", "--csv", str(file))
    assert (told.returncode, told.stderr[:4]) == (1, "N370")
    assert said in told.stderr
    assert desk.node.second_filing.requests.all() == []


@on_sqlite
def test_a_csv_and_a_document_do_not_go_together(new_desk: MakeDesk, tmp_path: Path) -> None:
    desk: Desk = new_desk()
    told = desk.office.run("retrievals", "ask", "--csv", str(written(tmp_path)), "--number", "EP 1")
    assert told.returncode == 2
    without = desk.office.run("retrievals", "ask", "--number", "EP 1")
    assert without.returncode == 2
    assert "--kind" in without.stderr
