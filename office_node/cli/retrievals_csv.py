"""office-node retrievals ask --csv: good rows are asked for and watched, bad rows are named, results are written."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from office_node.cli.context import echo_json
from office_node.cli.registrations_tally import Shown
from office_node.csv_files.csv_file import CsvFile, Row
from office_node.csv_files.csv_results import Results
from office_node.errors import OfficeNodeError
from office_node.osf_retrievals.csv_rows import LAYOUT, wanted_in
from office_node.osf_retrievals.overview import RequestView
from office_node.osf_retrievals.states import RequestState
from office_node.storage.database import DatabaseUnavailable

if TYPE_CHECKING:
    from office_node.wiring.node import Node

_LOOK_SECONDS = 0.5


class RowsNotCollected(OfficeNodeError):
    """Not every row of a CSV came to its document."""

    code = "N433"
    owner = "office"
    hint = "see what stands beside each row in the result file; give that file again to go on with the rest"


@dataclass
class _Counts:
    collected: int = 0
    passed_over: int = 0
    refused: int = 0
    bad: int = 0
    waiting: int = 0
    problems: list[dict[str, object]] = field(default_factory=list)


def ask_for_many(node: "Node", file: Path, wait_seconds: float | None, *, as_json: bool) -> None:
    """Ask for the rows of `file`. Raises `BadCsv`, `ResultsUnwritable`, and `RowsNotCollected`."""
    source = CsvFile(file, LAYOUT)
    total = source.count()
    results = Results(file, LAYOUT)
    results.insist()
    run = _Run(node, results, total)
    try:
        for row in source.rows():
            run.take(row)
        run.watch(wait_seconds or 0)
    finally:
        run.end(as_json=as_json)
    run.insist(waited=wait_seconds is not None)


class _Run:
    """One file, until every request has ended or nobody waits any longer."""

    def __init__(self, node: "Node", results: Results, total: int) -> None:
        self._verbs = node.second_filing
        self._results = results
        self._shown = Shown(total, "asking")
        self._counts = _Counts()
        self._watched: dict[str, tuple[int, int]] = {}
        """Request id to the row's place and line."""

    def take(self, row: Row) -> None:
        """Ask for a row's document, or say what is wrong with it."""
        place, wanted = self._results.add(row), wanted_in(row)
        if row.is_done:
            self._counts.passed_over += 1
            self._shown.good(row.line, "downloaded already, as the file says")
        elif isinstance(wanted, list):
            self._bad(place, row.line, wanted)
        else:
            try:
                request_id = self._verbs.retrievals.ask(wanted).request_id
            except DatabaseUnavailable:
                raise
            except OfficeNodeError as exc:
                self._bad(place, row.line, [str(exc)])
                return
            if request_id in self._watched:
                self._bad(place, row.line, [f"the same stands on line {self._watched[request_id][1]} already"])
                return
            self._watched[request_id] = place, row.line
            self._results.note(place, problem="asked for, nothing heard yet")

    def watch(self, seconds: float) -> None:
        """Look until all have ended, or for so long; at least once."""
        deadline = time.monotonic() + seconds
        self._look()
        while self._watched and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
            self._look()
            self._results.write_in_time()
            self._shown.tick(len(self._watched))

    def end(self, *, as_json: bool) -> None:
        """Write what is known, and tell it."""
        counts = self._counts
        counts.waiting = len(self._watched)
        self._shown.close()
        self._results.write()
        if as_json:
            echo_json({**vars(counts), "results": click.format_filename(self._results.path)})
            return
        words = [f"{counts.collected:,} collected", f"{counts.refused:,} refused", f"{counts.bad:,} bad"]
        words += [f"{counts.waiting:,} waiting"] if counts.waiting else []
        words += [f"{counts.passed_over:,} passed over"] if counts.passed_over else []
        click.echo(f"{', '.join(words)}; results in {click.format_filename(self._results.path)}")

    def insist(self, *, waited: bool) -> None:
        """Raises `RowsNotCollected` if any row came to nothing, or was waited for in vain."""
        counts = self._counts
        if counts.refused or counts.bad or (waited and counts.waiting):
            what = f"{counts.refused:,} of the rows were refused, {counts.bad:,} are bad, {counts.waiting:,} wait"
            raise RowsNotCollected(what)

    def _look(self) -> None:
        for request_id, (place, line) in [*self._watched.items()]:
            view = self._verbs.requests.one(request_id)
            if view is None:
                continue
            if view.has_ended:
                del self._watched[request_id]
                self._ended(place, line, view)
            else:
                self._results.note(place, osf_ack_id=view.acknowledgement_id, problem=f"waits: {view.state.value}")

    def _ended(self, place: int, line: int, view: RequestView) -> None:
        if view.state is RequestState.COLLECTED:
            self._counts.collected += 1
            self._results.note(place, done=True, osf_ack_id=view.acknowledgement_id)
            self._shown.good(line, f"collected: {view.document} as {view.handed_over_as}")
            return
        reason = f"{view.state.value}: {view.reason or 'without a reason'}"
        self._counts.refused += 1
        self._counts.problems.append({"line": line, "reasons": [reason]})
        self._results.note(place, osf_ack_id=view.acknowledgement_id, problem=reason)
        self._shown.bad(line, [reason])

    def _bad(self, place: int, line: int, reasons: list[str]) -> None:
        self._counts.bad += 1
        self._counts.problems.append({"line": line, "reasons": reasons})
        self._results.note(place, problem=" | ".join(reasons))
        self._shown.bad(line, reasons)
