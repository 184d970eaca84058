"""A CSV of one of WIPO's own sample clients, one document a row: what it asks for, line by line.

Access codes stand in it: nothing here quotes a cell that could be one, whatever column it slipped into.
"""

import csv
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from office_node.errors import OfficeNodeError

PROBLEM: Final = "problem"
"""Our own column, the last one of a result file."""
ACCESS_CODE = re.compile(r"[0-9A-Za-z]{4}")
_LONGEST_QUOTE = 60


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a sample client's file."""

    given: tuple[str, ...]
    """What a row asks for."""
    became: tuple[str, ...]
    """What is written back of it."""
    done: str
    """Which of these says `true` once nothing is left to do."""

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.given, *self.became)


class BadCsv(OfficeNodeError):
    """Not the CSV of WIPO's sample client; no row of it was looked at."""

    code = "N370"
    owner = "office"
    hint = "the first line has to name the columns of WIPO's sample client, and no others"


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it stands in the file. Its cells hold an access code."""

    line: int
    """Where it begins, counted from 1 as an editor does."""
    cells: Mapping[str, str]
    is_done: bool
    """Whether it says so itself: a row of a result file."""
    broken: str | None = None
    """Why it cannot be told which cell is which."""

    def __repr__(self) -> str:
        return f"Row({self.line})"


class CsvFile:
    """A file of rows. Row by row, so that a hundred thousand of them need no more room than one."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self.path = path
        self._layout = layout

    def count(self) -> int:
        """How many rows it has; the whole file is read. Raises `BadCsv` if it is none."""
        return sum(1 for _ in self.rows())

    def rows(self) -> Iterator[Row]:
        """Every row, broken ones too; lines without a cell are passed over. Raises `BadCsv`."""
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise BadCsv(f"{self.path.name} is no plain file", hint="save the rows to a file first")
                yield from _rows(file, self.path.name, self._layout)
        except csv.Error as exc:
            raise BadCsv(f"{self.path.name}, line 1: {exc}") from exc
        except UnicodeDecodeError as exc:
            hint = "save it as CSV in UTF-8"
            raise BadCsv(f"{self.path.name}, line {_undecodable_line(self.path)}: not UTF-8", hint=hint) from exc
        except OSError as exc:
            hint = "see that the file is there and may be read"
            raise BadCsv(f"{self.path.name} cannot be read: {exc.strerror}", hint=hint) from exc


def _rows(file: TextIO, name: str, layout: Layout) -> Iterator[Row]:
    reader = csv.reader(file, strict=True)
    header = _header(next(reader, None), name, layout)
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as exc:
            through = f" up to line {reader.line_num}" if reader.line_num > line else ""
            broken = f"broken{through}: {exc}; hint: see where a quotation mark opens and where it closes"
            yield Row(line, dict.fromkeys(layout.columns, ""), is_done=False, broken=broken)
            continue
        if not any(field.strip() for field in fields):
            continue
        told = f"{len(fields)} fields instead of {len(header)}; hint: put a field with a comma in quotation marks"
        cells = dict.fromkeys(layout.columns, "") | dict(zip(header, fields, strict=False))
        fits = len(fields) == len(header)
        is_done = fits and cells[layout.done].strip().lower() == "true"
        yield Row(line, cells, is_done, None if fits else told)


def _header(first: list[str] | None, name: str, layout: Layout) -> list[str]:
    """The names of the columns. Raises `BadCsv`."""
    columns = layout.columns
    hint = f"the first line has to be {','.join(columns)}"
    if first is None:
        raise BadCsv(f"{name} is empty", hint=hint)
    header = [field.strip() for field in first]
    if len(header) == 1 and header[0].count(";") >= len(columns) - 1:
        raise BadCsv(f"{name} is separated by semicolons", hint="save it as CSV separated by commas")
    known = set(header)
    faults = [f"lacks {column}" for column in columns if column not in known]
    if len(faults) == len(columns):
        raise BadCsv(f"{name} has no header", hint=hint)  # its first line may be a row with an access code: not quoted
    faults += [f"has {quoted(column)}, which is unknown" for column in header if column not in (*columns, PROBLEM)]
    faults += [f"has {column} twice" for column in sorted(known) if header.count(column) > 1 and column in columns]
    if faults:
        raise BadCsv(f"the header of {name} {', '.join(faults)}", hint=hint)
    return header


def _undecodable_line(path: Path) -> int:
    """The first line that is no UTF-8."""
    with path.open("rb") as file:
        for number, text in enumerate(file, start=1):
            if text.decode(errors="replace") != text.decode(errors="ignore"):
                return number
    return 0


def quoted(cell: str) -> str:
    """The cell as it stands, unless it could be an access code that slipped into another column."""
    if ACCESS_CODE.fullmatch(cell.strip()):
        return "(four letters or digits)"
    shown = "".join(character if character.isprintable() else "?" for character in cell)
    return f'"{shown[:_LONGEST_QUOTE]}{"..." if len(shown) > _LONGEST_QUOTE else ""}"'
