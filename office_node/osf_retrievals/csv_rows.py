"""What the rows of WIPO's sample CSV for retrievals ask for, and everything that is wrong with one."""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from typing import Final

from office_node.csv_files.csv_file import ACCESS_CODE, Layout, Row, quoted
from office_node.das import number_formats
from office_node.document_id import DocumentKind
from office_node.library.access_codes import BadAccessCode
from office_node.osf_retrievals.service import Wanted

LAYOUT: Final = Layout(
    given=("priority_number", "priority_date", "document_category", "das_code"),
    became=("osf_ack_id", "downloaded"),
    done="downloaded",
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def wanted_in(row: Row) -> Wanted | list[str]:
    """What the row asks for, or everything that is wrong with it."""
    if row.broken:
        return [row.broken]
    cells = {name: cell.strip() for name, cell in row.cells.items()}
    faults: list[str] = []
    kind = _kind(cells["document_category"], faults)
    number = _number(kind, cells, faults)
    filing_date = _date(cells["priority_date"], faults)
    if not ACCESS_CODE.fullmatch(cells["das_code"]):
        faults.append(str(BadAccessCode("an access code has four letters or digits")))
    if faults or kind is None or number is None or filing_date is None:
        return faults
    return Wanted(number_formats.document_id(kind, number, filing_date), cells["das_code"])


def _kind(given: str, faults: list[str]) -> DocumentKind | None:
    try:
        return DocumentKind(given.lower())
    except ValueError:
        faults.append(f"document_category {quoted(given)} is none of {', '.join(DocumentKind)}")
        return None


def _number(kind: DocumentKind | None, cells: Mapping[str, str], faults: list[str]) -> str | None:
    if not cells["priority_number"]:
        faults.append("priority_number is empty")
        return None
    if kind is None:
        return None
    try:
        return number_formats.normalise(kind, cells["priority_number"])
    except number_formats.BadDocumentNumber as exc:
        faults.append(str(exc))
        return None


def _date(given: str, faults: list[str]) -> date | None:
    with suppress(ValueError):
        if _DATE.fullmatch(given):  # fromisoformat takes weeks too
            return date.fromisoformat(given)
    faults.append(f"priority_date {quoted(given)} is no date; hint: write YYYY-MM-DD, such as 2023-11-02")
    return None
