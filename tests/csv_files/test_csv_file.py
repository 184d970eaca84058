"""The CSV of WIPO's sample client: whoever made it with whatever program, each row is understood or named."""

import os
from datetime import date
from pathlib import Path

import pytest

from office_node.csv_files.csv_file import PROBLEM, BadCsv, CsvFile
from office_node.document_id import DocumentKind
from office_node.off_registrations.csv_rows import LAYOUT, Wanted
from tests.off_registrations.rows import GOOD, csv_text, read

HEADER = ",".join(LAYOUT.columns)


def written(folder: Path, text: str | bytes) -> Path:
    file = folder / "x.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def faults(folder: Path, **cells: str) -> list[str]:
    """What is wrong with a good row of which these cells were changed."""
    [(_, found)] = read(written(folder, csv_text(GOOD | cells)))
    assert isinstance(found, list), found
    return found


def test_a_row_says_document_file_code_and_application(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a b.pdf").write_bytes(b"x")
    row = GOOD | {
        "file_location": "sub/a b.pdf",
        "application_number": "98012357",
        "application_date": "2023-11-01",
        "priority_number": " xx  1",
        "document_category": "Utility Model",
        "application_category": "Priority Document",
    }
    [(line, wanted)] = read(written(tmp_path, csv_text(row)))
    assert line == 2
    assert isinstance(wanted, Wanted)
    assert str(wanted) == "utility model XX 1 of 2023-11-02"
    assert (wanted.file, wanted.access_code) == (tmp_path / "sub" / "a b.pdf", "QX7Z")
    details = wanted.details
    assert (details.application_number, details.application_filing_date) == ("98012357", date(2023, 11, 1))
    assert (details.application_category, details.file_reference) == ("priority document", "REF-1")
    assert "QX7Z" not in repr(wanted)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + csv_text(GOOD),
        csv_text(GOOD).replace("\n", "\r\n"),
        "\ufeff" + csv_text(GOOD).replace("\n", "\r\n"),
        csv_text(GOOD, header=tuple(reversed(LAYOUT.columns))),
        csv_text(GOOD, header=(*LAYOUT.columns, PROBLEM)),
        csv_text(GOOD).rstrip("\n"),
        csv_text(GOOD) + "\n\n" + "," * 11 + "\n",
    ],
    ids=["BOM", "CRLF", "BOM and CRLF", "another order", "a result file", "no last newline", "empty lines"],
)
def test_every_way_to_write_it_is_read(tmp_path: Path, text: str) -> None:
    [(_, wanted)] = read(written(tmp_path, text))
    assert isinstance(wanted, Wanted)
    assert wanted.document.kind is DocumentKind.PATENT


def test_a_line_is_the_one_that_an_editor_shows(tmp_path: Path) -> None:
    rows = [GOOD | {"file_reference": "a\nb\n\nc"}, GOOD | {"das_code": "short"}]
    text = csv_text(*rows).replace("QX7Z,,,\n", "QX7Z,,,\n\n", 1)
    assert [line for line, _ in read(written(tmp_path, text))] == [2, 7]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "x.csv is empty"),
        (f"{HEADER};\n", 'lacks ack_id, has "ack_id;", which is unknown'),
        (HEADER.replace(",", ";") + "\n", "x.csv is separated by semicolons; hint: save it as CSV separated by commas"),
        (HEADER.replace("das_code,", "") + "\n", "the header of x.csv lacks das_code; hint: the first line has to be"),
        (f"{HEADER},email\n", 'has "email", which is unknown'),
        (f"{HEADER},ack_id\n", "has ack_id twice"),
        ("R,x.pdf,,,US 98/012357,2023-11-02,patent,,QX7Z,,,\n", "x.csv has no header"),
        ('"file_reference\n', "x.csv, line 1: unexpected end of data"),
        (f"{HEADER}\nb\xe9\n".encode("latin-1"), "x.csv, line 2: not UTF-8; hint: save it as CSV in UTF-8"),
        (f"{HEADER}\n".encode("utf-16"), "x.csv, line 1: not UTF-8"),
    ],
)
def test_what_is_not_this_csv_is_refused_as_a_whole(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(BadCsv) as refused:
        CsvFile(written(tmp_path, text), LAYOUT).count()
    assert said in str(refused.value)
    assert "QX7Z" not in str(refused.value)


def test_a_pipe_is_no_csv(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    descriptor = os.open(tmp_path / "pipe", os.O_RDWR)
    try:
        with pytest.raises(BadCsv, match="pipe is no plain file"):
            CsvFile(tmp_path / "pipe", LAYOUT).count()
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"priority_date": "2023-13-02"}, 'priority_date "2023-13-02" is no date; hint: write YYYY-MM-DD'),
        ({"priority_date": "20231102"}, 'priority_date "20231102" is no date'),
        ({"priority_date": "02.11.2023"}, 'priority_date "02.11.2023" is no date'),
        ({"priority_date": "2999-01-01"}, "N319 the filing date 2999-01-01 has not come yet"),
        ({"priority_date": ""}, "priority_date is empty"),
        ({"application_date": "2023-02-30"}, 'application_date "2023-02-30" is no date'),
        ({"document_category": "novel"}, 'document_category "novel" is none of patent, design, trademark'),
        ({"document_category": ""}, 'document_category "" is none of'),
        ({"priority_number": ""}, "priority_number is empty"),
        ({"priority_number": "US 98012357"}, "N310 not a patent number of US; hint: write it as US 98/012,357"),
        ({"priority_number": "\0"}, "N310 not a document number"),
        ({"das_code": "AB-1"}, "N301 an access code has four letters or digits"),
        ({"das_code": "QX7ZZ"}, "N301 "),
        ({"application_category": "novel"}, "N371 application_category is none of"),
        ({"application_number": "9" * 101}, "N371 application_number has more than 100 characters"),
        ({"file_reference": "a\0"}, "N371 file_reference has characters that cannot be printed"),
        ({"file_location": "none.pdf"}, 'file_location "none.pdf": No such file or directory'),
        ({"file_location": "."}, 'file_location "." is a folder'),
        ({"file_location": "a\0b"}, 'file_location "a?b": no name of a file'),
        ({"file_location": "a" * 300}, "File name too long"),
    ],
)
def test_each_fault_of_a_row_is_named(tmp_path: Path, cells: dict[str, str], said: str) -> None:
    [found] = faults(tmp_path, **cells)
    assert said in found


def test_all_faults_of_a_row_are_named_at_once(tmp_path: Path) -> None:
    found = faults(tmp_path, file_location="none.pdf", priority_date="x", document_category="y", das_code="z")
    assert len(found) == 4


def test_an_access_code_that_slipped_into_another_column_is_not_quoted(tmp_path: Path) -> None:
    for column in ("document_category", "priority_date", "application_date", "file_location", "application_category"):
        assert "QX7Z" not in " ".join(faults(tmp_path, **{column: "QX7Z"}))


@pytest.mark.parametrize("fields", [11, 13])
def test_a_row_with_too_few_or_too_many_fields_is_bad_and_the_next_one_is_read(tmp_path: Path, fields: int) -> None:
    lines = csv_text(GOOD).splitlines()
    text = "\n".join([lines[0], ",".join(["QX7Z"] * fields), lines[1], ""])
    (second, bad), (third, good) = read(written(tmp_path, text))
    assert (second, third) == (2, 3)
    assert bad == [f"{fields} fields instead of 12; hint: put a field with a comma in quotation marks"]
    assert isinstance(good, Wanted)


def test_a_quotation_mark_that_is_not_closed_is_told_with_where_it_opens(tmp_path: Path) -> None:
    lines = csv_text(GOOD).splitlines()
    text = "\n".join([*lines, '"REF,,,', "x", ""])
    [(_, good), (line, bad)] = read(written(tmp_path, text))
    assert isinstance(good, Wanted)
    assert line == 3
    assert isinstance(bad, list)
    assert bad[0].startswith("broken up to line 4: unexpected end of data; hint: ")


def test_a_document_that_stands_there_twice_is_bad_the_second_time_unless_the_first_was(tmp_path: Path) -> None:
    again = GOOD | {"priority_number": "us98/012,357", "document_category": "PATENT"}
    other = GOOD | {"document_category": "design"}
    bad_first = GOOD | {"priority_number": "XX 7", "das_code": "-"}
    text = csv_text(GOOD, again, other, bad_first, bad_first | {"das_code": "QX7Z"})
    found = dict(read(written(tmp_path, text)))
    assert isinstance(found[2], Wanted)
    assert found[3] == ["the patent US 98/012,357 stands on line 2 already"]
    assert isinstance(found[4], Wanted)
    assert isinstance(found[6], Wanted)
