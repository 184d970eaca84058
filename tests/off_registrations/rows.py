"""Rows of the CSV of WIPO's sample client."""

import csv
import io
from pathlib import Path

from office_node.csv_files.csv_file import CsvFile
from office_node.off_registrations.csv_rows import LAYOUT, Rows, Wanted

GOOD = {
    "file_reference": "REF-1",
    "priority_number": "US 98/012,357",
    "priority_date": "2023-11-02",
    "document_category": "patent",
    "das_code": "QX7Z",
}


def csv_text(*rows: dict[str, str], header: tuple[str, ...] = LAYOUT.columns) -> str:
    """A whole file; what a row does not say is empty."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([row.get(column, "") for column in header] for row in rows)
    return written.getvalue()


def read(file: Path) -> list[tuple[int, Wanted | list[str]]]:
    """Line, and what the row wants or what is wrong with it."""
    rows = Rows(file.parent)
    return [(row.line, rows.wanted(row)) for row in CsvFile(file, LAYOUT).rows()]
