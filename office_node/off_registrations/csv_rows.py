"""What the rows of a CSV ask for, and everything that is wrong with one."""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO, Final

from office_node.csv_files.csv_file import ACCESS_CODE, Layout, Row, quoted
from office_node.das import number_formats
from office_node.document_id import DocumentKind, PriorityDocumentId
from office_node.errors import OfficeNodeError
from office_node.library import filing_dates
from office_node.library.access_codes import BadAccessCode
from office_node.off_registrations.details import PRIORITY_DOCUMENT, BadDetails, Details

LAYOUT: Final = Layout(
    given=(
        "file_reference",
        "file_location",
        "application_number",
        "application_date",
        "priority_number",
        "priority_date",
        "document_category",
        "application_category",
        "das_code",
    ),
    became=("file_id", "registered", "ack_id"),
    done="registered",
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class FileGone(OfficeNodeError):
    """The file of a row was there a moment ago."""

    code = "N374"
    owner = "office"
    hint = "see that the file is there and may be read"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a row asks for. `access_code` is a secret."""

    document: PriorityDocumentId
    file: Path | None
    """None: the document is in the library already."""
    access_code: str | None
    details: Details

    def __repr__(self) -> str:
        return f"Wanted({self.document})"

    def __str__(self) -> str:
        return str(self.document)

    @contextmanager
    def opened(self) -> Iterator[BinaryIO | None]:
        """The file, if there is one to take in. Raises `FileGone`."""
        if self.file is None:
            yield None
            return
        try:
            file = self.file.open("rb")
        except OSError as exc:
            raise FileGone(f"{quoted(self.file.name)} cannot be read: {exc.strerror}") from exc
        with file:
            yield file


class Rows:
    """Understands the rows of one file, in their order: of each document the first good row counts."""

    def __init__(self, folder: Path) -> None:
        """`folder` is where `file_location` begins."""
        self._folder = folder
        self._lines: dict[tuple[DocumentKind, str], int] = {}

    def wanted(self, row: Row) -> Wanted | list[str]:
        """What the row asks for, or everything that is wrong with it."""
        if row.broken:
            return [row.broken]
        cells = {name: cell.strip() for name, cell in row.cells.items()}
        faults: list[str] = []
        document = self._document(cells, faults)
        file = self._file(row.cells["file_location"], faults)
        code = cells["das_code"]
        if code and not ACCESS_CODE.fullmatch(code):
            faults.append(str(BadAccessCode("an access code has four letters or digits")))
        details = _details(cells, faults)
        if document and (row.is_done or not faults):
            self._lines.setdefault((document.kind, document.number), row.line)
        if faults or document is None or details is None:
            return faults
        return Wanted(document, file, code or None, details)

    def _document(self, cells: Mapping[str, str], faults: list[str]) -> PriorityDocumentId | None:
        kind = _kind(cells["document_category"], faults)
        filing_date = _filing_date(cells, faults)
        faults += [f"{name} is empty" for name in ("priority_number", "priority_date") if not cells[name]]
        if kind is None or not cells["priority_number"]:
            return None
        try:
            number = number_formats.normalise(kind, cells["priority_number"])
        except number_formats.BadDocumentNumber as exc:
            faults.append(str(exc))
            return None
        if earlier := self._lines.get((kind, number)):
            faults.append(f"the {kind} {number} stands on line {earlier} already")
        return PriorityDocumentId(kind, number, filing_date) if filing_date else None

    def _file(self, location: str, faults: list[str]) -> Path | None:
        if not location.strip():
            return None
        path = self._folder / location
        try:
            mode = path.stat().st_mode
        except (OSError, ValueError) as exc:
            reason = getattr(exc, "strerror", None) or "no name of a file"
            faults.append(f"file_location {quoted(location)}: {reason}")
            return None
        if not stat.S_ISREG(mode):
            faults.append(f"file_location {quoted(location)} is {'a folder' if stat.S_ISDIR(mode) else 'no file'}")
        elif not os.access(path, os.R_OK):
            faults.append(f"file_location {quoted(location)} may not be read")
        return path


def _kind(given: str, faults: list[str]) -> DocumentKind | None:
    try:
        return DocumentKind(given.lower())
    except ValueError:
        faults.append(f"document_category {quoted(given)} is none of {', '.join(DocumentKind)}")
        return None


def _filing_date(cells: Mapping[str, str], faults: list[str]) -> date | None:
    found = _date(cells, "priority_date", faults)
    try:
        if found:
            filing_dates.refuse_ahead(found)
    except filing_dates.DateAhead as exc:
        faults.append(str(exc))
    return found


def _date(cells: Mapping[str, str], column: str, faults: list[str]) -> date | None:
    given = cells[column]
    if not given:
        return None
    with suppress(ValueError):
        if _DATE.fullmatch(given):  # fromisoformat takes weeks too
            return date.fromisoformat(given)
    faults.append(f"{column} {quoted(given)} is no date; hint: write YYYY-MM-DD, such as 2023-11-02")
    return None


def _details(cells: Mapping[str, str], faults: list[str]) -> Details | None:
    filing_date = _date(cells, "application_date", faults)
    try:
        return Details(
            application_category=cells["application_category"].lower() or PRIORITY_DOCUMENT,
            application_number=cells["application_number"] or None,
            application_filing_date=filing_date,
            file_reference=cells["file_reference"] or None,
        )
    except BadDetails as exc:
        faults.append(str(exc))
        return None
