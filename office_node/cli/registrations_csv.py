"""office-node registrations submit --csv: good rows go in and are watched, bad rows are named, results are written."""

import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING

import click

from office_node.cli import registrations_dry_run
from office_node.cli.context import echo_json
from office_node.cli.registrations_group import LOOK_SECONDS, heard, one_line, receipt
from office_node.cli.registrations_tally import OF_NO_ROW, Shown, Tally
from office_node.cli.registrations_watch import Watch, Watched
from office_node.csv_files.csv_file import CsvFile, Row
from office_node.csv_files.csv_results import Results
from office_node.errors import OfficeNodeError
from office_node.off_registrations.csv_rows import LAYOUT, Rows, Wanted
from office_node.off_registrations.states import OperationState

if TYPE_CHECKING:
    from office_node.off_registrations.overview import OperationView
    from office_node.off_registrations.service import ContentAt
    from office_node.wiring.node import Node

_THREADS = 3
_MOST_UNDER_WAY = 2 * _THREADS


def submit_many(
    node: "Node", file: Path, content_at: "ContentAt | None", wait_seconds: float | None, dry_run: bool, as_json: bool
) -> None:
    """Register the rows of `file`. Raises `BadCsv`, `ResultsUnwritable`, and what the tally insists on."""
    source = CsvFile(file, LAYOUT)
    total = source.count()
    if dry_run:
        tally = registrations_dry_run.foresee(node, source, content_at, total, as_json=as_json)
    else:
        results = Results(file, LAYOUT)
        results.insist()
        run = _Run(node, source, results, content_at, total)
        try:
            run.go(wait_seconds)
        finally:
            run.end(as_json=as_json)
        tally = run.tally
    tally.insist(waited=wait_seconds is not None)


class _Run:
    """One file, from its first row until every operation has ended or nobody waits any longer."""

    def __init__(
        self, node: "Node", source: CsvFile, results: Results, content_at: "ContentAt | None", total: int
    ) -> None:
        self.tally = Tally()
        self._node = node
        self._results = results
        self._content_at = content_at
        self._given = source.rows()
        self._rows = Rows(source.path.parent)
        self._under_way: dict[Future[str], tuple[int, int, Wanted]] = {}
        self._watch = Watch(node.overview)
        self._next_look = 0.0
        self._began = time.monotonic()
        self._shown = Shown(total, "registering")

    def go(self, wait_seconds: float | None) -> None:
        """Take every row in, then wait."""
        with ThreadPoolExecutor(_THREADS) as pool:
            for row in self._given:
                self._take(row, pool)
                self._collect(_MOST_UNDER_WAY - 1)
            self._collect(0)
        deadline = time.monotonic() + (wait_seconds or 0)
        while self._watch.is_worth_it and time.monotonic() < deadline:
            time.sleep(max(0.0, min(self._next_look, deadline) - time.monotonic()))
            self._look_in_time()
        for _ in range(self._watch.turns):
            self._look()

    def end(self, *, as_json: bool) -> None:
        """Write what is known, and tell it; after a failure, too."""
        for future, (place, line, wanted) in self._under_way.items():
            if future.done() and not future.cancelled() and not future.exception():
                self._watch.add(Watched(place, line, str(wanted.document), future.result()))
        for row in self._given:
            place = self._results.add(row)
            self.tally.passed_over += row.is_done
        for watched in self._watch.rows():
            said = heard(watched.last) if watched.last else "nothing heard yet"
            for_whom = "waits for a human" if watched.is_parked else "waits still"
            self._results.note(
                watched.place, file_id=watched.last.file_id if watched.last else None, problem=f"{for_whom}: {said}"
            )
        self.tally.waiting, self.tally.parked = len(self._watch), self._watch.parked
        self.tally.seconds = time.monotonic() - self._began
        self._shown.close()
        self._results.write()
        if as_json:
            echo_json(self.tally.as_json(self._results.path))
        else:
            click.echo(self.tally.closing_line(self._results.path))

    def _take(self, row: Row, pool: ThreadPoolExecutor) -> None:
        place = self._results.add(row)
        wanted = self._rows.wanted(row)  # asked of every row: of each document the first one counts
        if row.is_done:
            self.tally.passed_over += 1
            self._shown.good(row.line, "registered already, as the file says")
        elif isinstance(wanted, Wanted):
            self._under_way[pool.submit(self._submit, wanted)] = place, row.line, wanted
        else:
            self._bad(place, row.line, wanted)

    def _submit(self, wanted: Wanted) -> str:
        """In a thread: the operation to wait for."""
        document, code, details = wanted.document, wanted.access_code, wanted.details
        with wanted.opened() as source:
            asked = self._node.registrations.submit(document, source, code, details, self._content_at)
        return str(asked.operation_id)

    def _collect(self, most: int) -> None:
        """Wait until no more than `most` rows are under way; look at what was asked for meanwhile."""
        while len(self._under_way) > most:
            done, _ = wait(self._under_way, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                place, line, wanted = self._under_way[future]
                try:
                    self._watch.add(Watched(place, line, str(wanted.document), future.result()))
                except OfficeNodeError as exc:
                    if isinstance(exc, OF_NO_ROW):
                        raise
                    self._bad(place, line, str(exc).splitlines())
                del self._under_way[future]
            self._look_in_time()

    def _look_in_time(self) -> None:
        if time.monotonic() >= self._next_look:
            self._look()
            self._results.write_in_time()
            self._shown.tick(len(self._watch))
            self._next_look = time.monotonic() + LOOK_SECONDS

    def _look(self) -> None:
        for row, view in self._watch.look():
            if view.has_ended:
                self._ended(row, view)
            else:
                self._shown.note(row.line, [f"{row.document} waits for a human: {heard(view)}"])

    def _ended(self, row: Watched, view: "OperationView") -> None:
        file_id, ack_id = view.file_id, view.wipo_acknowledgement_id
        if view.state is OperationState.DONE:
            self.tally.registered += 1
            self._results.note(row.place, done=True, file_id=file_id, ack_id=ack_id)
            self._shown.good(row.line, f"registered: {row.document}{receipt(view)}")
            return
        reason = f"refused: {one_line(view.reason or 'without a reason')}"
        self.tally.refused += 1
        self.tally.problems.append({"line": row.line, "reasons": [reason]})
        self._results.note(row.place, file_id=file_id, ack_id=ack_id, problem=reason)
        self._shown.bad(row.line, [reason])

    def _bad(self, place: int, line: int, reasons: list[str]) -> None:
        self.tally.is_bad(line, reasons)
        self._results.note(place, problem=" | ".join(reasons))
        self._shown.bad(line, reasons)
