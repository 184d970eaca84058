"""The result file: every row as it came, what became of it, whole at any moment and for its owner alone."""

import csv
import os
from pathlib import Path

import pytest

from office_node.csv_files.csv_file import PROBLEM, CsvFile
from office_node.csv_files.csv_results import Results, ResultsUnwritable
from office_node.off_registrations.csv_rows import LAYOUT
from tests.off_registrations.rows import GOOD, csv_text


def results(folder: Path, *rows: dict[str, str]) -> Results:
    """Of a file with these rows, none of them looked at."""
    (folder / "x.csv").write_text(csv_text(*rows))
    made = Results(folder / "x.csv", LAYOUT)
    for row in CsvFile(folder / "x.csv", LAYOUT).rows():
        made.add(row)
    return made


def read(made: Results) -> list[dict[str, str]]:
    with made.path.open(newline="") as file:
        return [*csv.DictReader(file)]


def test_it_has_the_same_columns_with_what_became_of_each_row(tmp_path: Path) -> None:
    made = results(tmp_path, GOOD, GOOD | {"file_reference": 'a "b", c\nd'}, GOOD)
    made.note(0, done=True, file_id="F-1", ack_id="REG-1")
    made.note(1, problem="one | two")
    made.write()
    assert made.path == tmp_path / "x.result.csv"
    rows = read(made)
    assert [*rows[0]] == [*LAYOUT.columns, PROBLEM]
    assert [rows[0][name] for name in LAYOUT.given] == [GOOD.get(name, "") for name in LAYOUT.given]
    assert rows[1]["file_reference"] == 'a "b", c\nd'
    became = [[row[name] for name in ("file_id", "registered", "ack_id", PROBLEM)] for row in rows]
    assert became[:2] == [["F-1", "true", "REG-1", ""], ["", "false", "", "one | two"]]
    assert became[2][1:3] == ["false", ""]
    assert became[2][3].startswith("not looked at")
    assert [row.is_done for row in CsvFile(made.path, LAYOUT).rows()] == [True, False, False]


def test_a_row_that_says_it_is_done_keeps_what_it_says(tmp_path: Path) -> None:
    made = results(tmp_path, GOOD | {"registered": "TRUE", "file_id": "F-1", "ack_id": "REG-1"})
    made.write()
    [row] = read(made)
    assert (row["file_id"], row["registered"], row["ack_id"], row[PROBLEM]) == ("F-1", "true", "REG-1", "")


@pytest.mark.parametrize("begin", ["=", "+", "-", "@"])
def test_wipos_words_become_no_formula(tmp_path: Path, begin: str) -> None:
    made = results(tmp_path, GOOD)
    made.note(0, file_id=f"{begin}1", ack_id=f"{begin}2", problem=f"{begin}cmd|' /C calc'!A0")
    made.write()
    [row] = read(made)
    assert [row[name][:2] for name in ("file_id", "ack_id", PROBLEM)] == [f"'{begin}"] * 3


def test_it_is_readable_by_its_owner_alone_and_replaces_an_earlier_one_as_a_whole(tmp_path: Path) -> None:
    made = results(tmp_path, GOOD)
    made.path.write_text("earlier")
    made.path.chmod(0o644)
    with made.path.open() as earlier:
        made.write()
        assert earlier.read() == "earlier"
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert sorted(file.name for file in tmp_path.iterdir()) == ["x.csv", "x.result.csv"]


def test_a_place_that_cannot_be_written_is_told_before_anything_is_done(tmp_path: Path) -> None:
    made = results(tmp_path, GOOD)
    made.insist()
    assert [file.name for file in tmp_path.iterdir()] == ["x.csv"]
    made.path.mkdir()
    with pytest.raises(ResultsUnwritable, match=r"x\.result\.csv cannot be written: Is a directory"):
        made.insist()
    gone = Results(tmp_path / "gone" / "x.csv", LAYOUT)
    with pytest.raises(ResultsUnwritable, match="No such file or directory"):
        gone.insist()
    with pytest.raises(ResultsUnwritable, match="No such file or directory"):
        gone.write()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_somebody_else_is_told(tmp_path: Path) -> None:
    made = results(tmp_path, GOOD)
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(ResultsUnwritable, match="Permission denied"):
            made.insist()
    finally:
        tmp_path.chmod(0o700)
