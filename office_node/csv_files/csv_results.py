"""The result file beside a CSV: the rows as they came, and what became of each."""

import csv
import io
import os
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from office_node.csv_files.csv_file import PROBLEM, Layout, Row
from office_node.errors import OfficeNodeError

_NOT_REACHED = "not looked at: what went before ended the run"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_SHORTEST_SECONDS, _SHARE = 5.0, 20


class ResultsUnwritable(OfficeNodeError):
    """The result file cannot be written."""

    code = "N372"
    hint = "let the user of the node write in the folder of the CSV, or copy the CSV and its documents elsewhere"


class Results:
    """What is known of every row, in their order; written whole, so that a reader never sees half of it."""

    def __init__(self, source: Path, layout: Layout) -> None:
        self._layout = layout
        self.path = source.with_name(f"{source.name.removesuffix('.csv')}.result.csv")
        self._given: list[str] = []
        self._became: list[str] = []
        self._due = time.monotonic() + _SHORTEST_SECONDS

    def insist(self) -> None:
        """Raises `ResultsUnwritable` if the file could not be written; nothing stays behind."""
        try:
            if self.path.is_dir():
                raise IsADirectoryError(None, "Is a directory")
            tempfile.TemporaryFile(dir=self.path.parent).close()
        except OSError as exc:
            raise self._unwritable(exc) from exc

    def add(self, row: Row) -> int:
        """A row that nothing is known of but what it says; returns its place."""
        self._given.append(_line(row.cells[name] for name in self._layout.given))
        self._became.append("")
        place = len(self._became) - 1
        if row.is_done:
            self.note(
                place, **{name: row.cells[name] for name in self._layout.became if name != self._layout.done}, done=True
            )
        else:
            self.note(place, problem=_NOT_REACHED)
        return place

    def note(self, place: int, *, done: bool = False, problem: str | None = None, **became: str | None) -> None:
        """What became of the row at `place`, by the names of the columns."""
        cells = [
            str(done).lower() if name == self._layout.done else _no_formula(became.get(name) or "")
            for name in self._layout.became
        ]
        self._became[place] = _line([*cells, _no_formula(problem or "")])

    def write_in_time(self) -> None:
        """Write, unless that was done a moment ago: writing a long file takes a small share of the time."""
        begin = time.monotonic()
        if begin >= self._due:
            self.write()
            end = time.monotonic()
            self._due = end + max(_SHORTEST_SECONDS, _SHARE * (end - begin))

    def write(self) -> None:
        """Put the file in the place of an earlier one; readable by its owner alone. Raises `ResultsUnwritable`."""
        try:
            descriptor, temporary = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)
        except OSError as exc:
            raise self._unwritable(exc) from exc
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace", newline="") as file:
                file.write(f"{_line([*self._layout.columns, PROBLEM])}\r\n")
                file.writelines(
                    f"{given},{became}\r\n" for given, became in zip(self._given, self._became, strict=True)
                )
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(self.path)
        except BaseException as exc:
            with suppress(OSError):
                Path(temporary).unlink()
            if isinstance(exc, OSError):
                raise self._unwritable(exc) from exc
            raise

    def _unwritable(self, exc: OSError) -> ResultsUnwritable:
        return ResultsUnwritable(f"{self.path} cannot be written: {exc.strerror}")


def _line(cells: Iterable[str]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="").writerow(cells)
    return written.getvalue()


def _no_formula(cell: str) -> str:
    """WIPO's words: a spreadsheet shall show them, not carry them out."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
