"""office-node registrations submit --csv --dry-run: what would be done, and every bad row."""

from typing import TYPE_CHECKING

import click

from office_node.cli.context import echo_json
from office_node.cli.registrations_tally import OF_NO_ROW, Shown, Tally, bad_rows
from office_node.csv_files.csv_file import CsvFile
from office_node.errors import OfficeNodeError
from office_node.off_registrations.csv_rows import Rows, Wanted
from office_node.off_registrations.foresight import Foresight

if TYPE_CHECKING:
    from office_node.wiring.node import Node


def foresee(node: "Node", source: CsvFile, content_at: str | None, total: int, *, as_json: bool) -> Tally:
    """Every bad row, and how many rows would be registered; nothing is changed."""
    foresight, rows, tally = Foresight(node.database, node.library, node.accession), Rows(source.path.parent), Tally()
    shown = Shown(total, "looking")
    for row in source.rows():
        shown.tick(0)
        wanted = rows.wanted(row)
        if row.is_done:
            tally.passed_over += 1
            shown.good(row.line, "registered already, as the file says")
            continue
        outcome = _foreseen(foresight, wanted, content_at) if isinstance(wanted, Wanted) else wanted
        if isinstance(outcome, list):
            tally.is_bad(row.line, outcome)
            shown.bad(row.line, outcome)
        elif outcome:
            tally.registered += 1
            shown.good(row.line, f"would be registered: {wanted}")
        else:
            tally.passed_over += 1
            shown.good(row.line, f"asked for already: {wanted}")
    shown.close()
    if as_json:
        echo_json(tally.as_json(None))
    else:
        words = f"{tally.registered:,} would be registered, {bad_rows(tally.bad)}"
        passed_over = f", {tally.passed_over:,} passed over" if tally.passed_over else ""
        click.echo(f"{words}{passed_over}; nothing was changed")
    return tally


def _foreseen(foresight: Foresight, wanted: Wanted, content_at: str | None) -> bool | list[str]:
    """Whether the row would be registered, or everything that is wrong with it."""
    try:
        with wanted.opened() as file:
            return foresight.of_submission(wanted.document, file, wanted.access_code, wanted.details, content_at)
    except OF_NO_ROW:
        raise
    except OfficeNodeError as exc:
        return str(exc).splitlines()
