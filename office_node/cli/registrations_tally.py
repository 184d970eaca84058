"""How far many registrations are: counts, and what is shown of them while they go on."""

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from office_node.cli.registrations_group import StillWaiting, WipoRefused
from office_node.errors import OfficeNodeError
from office_node.library.damage import StoreUnusable
from office_node.library.inspection import InspectionImpossible
from office_node.storage.database import DatabaseUnavailable

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

_LINE_FOR_EACH_UP_TO = 100
_COUNT_EVERY_SECONDS = 5.0
OF_NO_ROW = (DatabaseUnavailable, StoreUnusable, InspectionImpossible)
"""Failures that the next row would suffer as well: they end the run."""


class BadRows(OfficeNodeError):
    """Rows of a CSV were not sent, for what is wrong with them."""

    code = "N359"
    owner = "office"
    hint = "mend the rows that are named; those that went well are passed over when their result file is given again"


@dataclass
class Tally:
    """Counts of rows; every row is in one of them in the end."""

    registered: int = 0
    """For a dry run: what would be."""
    passed_over: int = 0
    refused: int = 0
    bad: int = 0
    waiting: int = 0
    parked: int = 0
    """Of those that wait: how many wait for a human."""
    seconds: float = 0.0
    problems: list[dict[str, Any]] = field(default_factory=list)

    def is_bad(self, line: int, reasons: list[str]) -> None:
        """One more bad row."""
        self.bad += 1
        self.problems.append({"line": line, "reasons": reasons})

    @property
    def per_second(self) -> float:
        return (self.registered + self.refused) / self.seconds if self.seconds else 0.0

    def closing_line(self, results: Path) -> str:
        """What there is to say at the end."""
        words = [f"{self.registered:,} registered", f"{self.refused:,} refused", bad_rows(self.bad)]
        words += [f"{self.waiting:,} waiting"] if self.waiting else []
        words += [f"{self.passed_over:,} passed over"] if self.passed_over else []
        speed = f"{self.per_second:.1f} documents per second"
        return f"{', '.join(words)}; results in {click.format_filename(results)}; {speed}"

    def insist(self, *, waited: bool = True) -> None:
        """Raises the gravest thing that is not as it should be; `waited` says whether waiting is one."""
        if self.refused:
            raise WipoRefused(f"{self.refused:,} of the documents {'was' if self.refused == 1 else 'were'} refused")
        if self.parked:
            hint = "mend what `office-node outbox list --parked` names, then `office-node outbox retry`"
            raise StillWaiting(f"{_documents_wait(self.waiting)}, {self.parked:,} of them for a human", hint=hint)
        if self.waiting and waited:
            raise StillWaiting(f"{_documents_wait(self.waiting)} still")
        if self.bad:
            raise BadRows(bad_rows(self.bad))

    def as_json(self, results: Path | None) -> dict[str, Any]:
        """For scripts."""
        return {
            "registered": self.registered,
            "refused": self.refused,
            "bad": self.bad,
            "waiting": self.waiting,
            "parked": self.parked,
            "passed_over": self.passed_over,
            "seconds": round(self.seconds, 3),
            "documents_per_second": round(self.per_second, 2),
            "results": click.format_filename(results) if results else None,
            "problems": self.problems,
        }


def _documents_wait(waiting: int) -> str:
    return f"{waiting:,} of the documents {'waits' if waiting == 1 else 'wait'}"


def bad_rows(bad: int) -> str:
    """So many bad rows, in words."""
    return "1 bad row" if bad == 1 else f"{bad:,} bad rows"


class Shown:
    """On a terminal a bar; elsewhere a line for each row, or now and then a count if there are many."""

    def __init__(self, total: int, label: str) -> None:
        self._total = total
        self._done = 0
        self._next_count = time.monotonic() + _COUNT_EVERY_SECONDS
        self._bar: ProgressBar[int] | None = None
        if sys.stderr.isatty():
            self._bar = click.progressbar(length=total, label=label, file=sys.stderr, show_pos=True)
            self._bar.render_progress()

    def good(self, line: int, said: str) -> None:
        """A row that needs no look."""
        if not self._bar and self._total <= _LINE_FOR_EACH_UP_TO:
            click.echo(f"line {line}: {said}", err=True)
        self._finished()

    def bad(self, line: int, reasons: list[str]) -> None:
        """A row that is finished, and not well."""
        self.note(line, reasons)
        self._finished()

    def note(self, line: int, reasons: list[str]) -> None:
        """Something about a row, at once."""
        clear = "\r\x1b[K" if self._bar else ""
        for reason in reasons:
            click.echo(f"{clear}line {line}: {reason}", err=True)

    def close(self) -> None:
        if self._bar:
            self._bar.render_finish()

    def tick(self, waiting: int) -> None:
        """Of many rows, where there is no bar: now and then how far they are."""
        if not self._bar and self._total > _LINE_FOR_EACH_UP_TO and time.monotonic() >= self._next_count:
            self._next_count = time.monotonic() + _COUNT_EVERY_SECONDS
            told = f", {waiting:,} wait for WIPO" if waiting else ""
            click.echo(f"{self._done:,} of {self._total:,} rows finished{told}", err=True)

    def _finished(self) -> None:
        self._done += 1
        if self._bar:
            self._bar.update(1)
