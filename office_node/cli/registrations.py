"""office-node registrations submit ..."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from office_node.cli import registrations_changes, registrations_questions
from office_node.cli.context import echo_json, ready_node
from office_node.cli.document_options import ask_access_code
from office_node.cli.registrations_group import (
    APPLICATION_DATE,
    APPLICATION_NUMBER,
    AS_JSON,
    EMAIL,
    NO_WAIT,
    Named,
    await_end,
    day,
    receipt,
    registrations,
    tell,
    tell_written,
)
from office_node.document_id import DocumentKind, PriorityDocumentId
from office_node.off_registrations.details import APPLICATION_CATEGORIES, PRIORITY_DOCUMENT, Details

if TYPE_CHECKING:
    from office_node.off_registrations.service import ContentAt
    from office_node.wiring.node import Node

__all__ = ["registrations", "registrations_changes", "registrations_questions"]  # verbs are known once they were read

_WAIT_FOR_ONE, _WAIT_FOR_MANY = 60.0, 3600.0
_OF_ONE_DOCUMENT = (
    "file",
    "kind",
    "number",
    "date",
    "access_code",
    "application_number",
    "application_date",
    "application_category",
    "email",
    "file_reference",
)


@registrations.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--kind", type=click.Choice([kind.value for kind in DocumentKind]), help="Its kind.")
@click.option("--number", help='Its number, such as "US 98/012,357".')
@click.option("--date", type=click.DateTime(["%Y-%m-%d"]), help="Its date, YYYY-MM-DD.")
@click.option(
    "--access-code",
    help="Four letters or digits; never shown. Others on this machine can read it here: without the option it is "
    "asked for, or read from the first line of standard input. Not needed for what is in the library.",
)
@click.option("--csv", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Many, one a row.")
@click.option("--content", type=click.Choice(["library", "wipo"]), help="Who keeps the content; else as [off] content.")
@APPLICATION_NUMBER
@APPLICATION_DATE
@click.option("--application-category", type=click.Choice(APPLICATION_CATEGORIES), help="Else: priority document.")
@EMAIL
@click.option("--file-reference", help="The office's own name for it.")
@click.option("--dry-run", is_flag=True, help="Tell what would be done and what is wrong, change nothing.")
@click.option(
    "--wait",
    "wait_seconds",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="How long to wait for WIPO's answer; 60 for one document, 3600 for many.",
)
@NO_WAIT
@AS_JSON
@click.pass_context
def submit(
    ctx: click.Context,
    csv: Path | None,
    content: "ContentAt | None",
    dry_run: bool,
    wait_seconds: float | None,
    no_wait: bool,
    as_json: bool,
    file: Path | None,
    kind: str | None,
    number: str | None,
    date: datetime | None,
    access_code: str | None,
    application_number: str | None,
    application_date: datetime | None,
    application_category: str | None,
    email: str | None,
    file_reference: str | None,
) -> None:
    """Register FILE as a priority document, or what the library keeps; or with --csv many at once."""
    if no_wait and wait_seconds is not None:
        raise click.UsageError("give --wait or --no-wait")
    if csv:
        if given := [name for name in _OF_ONE_DOCUMENT if ctx.params[name] is not None]:
            raise click.UsageError(f"with --csv the rows say it: leave out {', '.join(given)}")
        from office_node.cli import registrations_csv

        wait = None if no_wait else _WAIT_FOR_MANY if wait_seconds is None else wait_seconds
        node = ready_node(ctx)
        registrations_csv.submit_many(node, csv, content, wait, dry_run, as_json)
        return
    if kind is None or number is None or date is None:
        raise click.UsageError("name the document with --kind, --number and --date, or give --csv")
    named = Named.read(kind, number)
    details = Details(
        application_category=application_category or PRIORITY_DOCUMENT,
        application_number=application_number,
        application_filing_date=day(application_date),
        email=email,
        file_reference=file_reference,
    )
    if file and access_code is None:
        access_code = ask_access_code()
    document = PriorityDocumentId(named.kind, named.number, date.date())
    node = ready_node(ctx)
    content_at = content
    if dry_run:
        _foresee(node, document, file, access_code, details, content_at, as_json=as_json)
        return
    if file:
        with file.open("rb") as source:
            asked = node.registrations.submit(document, source, access_code, details, content_at)
    else:
        asked = node.registrations.submit(document, None, access_code, details, content_at)
    assert asked.operation_id, "a registration always has its operation"  # noqa: S101  for the type alone
    if no_wait:
        tell_written(asked.operation_id, named, as_json=as_json)
        return
    view = await_end(node, asked.operation_id, _WAIT_FOR_ONE if wait_seconds is None else wait_seconds)
    tell(view, f"registered: {document}{receipt(view)}", named, as_json=as_json)


def _foresee(
    node: "Node",
    document: PriorityDocumentId,
    file: Path | None,
    access_code: str | None,
    details: Details,
    content_at: str | None,
    *,
    as_json: bool,
) -> None:
    from office_node.off_registrations.foresight import Foresight

    foresight = Foresight(node.database, node.library, node.accession)
    if file:
        with file.open("rb") as source:
            is_new = foresight.of_submission(document, source, access_code, details, content_at)
    else:
        is_new = foresight.of_submission(document, None, access_code, details, content_at)
    if as_json:
        echo_json({"kind": document.kind.value, "number": document.number, "would_register": is_new})
    else:
        click.echo(f"would register: {document}" if is_new else f"asked for already: {document}")
