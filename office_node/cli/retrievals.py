"""office-node retrievals ..."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from office_node.cli import retrievals_csv
from office_node.cli.context import echo_json, plain, ready_node
from office_node.cli.document_options import CLASSIFICATION, ask_access_code
from office_node.das import number_formats
from office_node.document_id import DocumentKind
from office_node.errors import OfficeNodeError
from office_node.library.classification import Classification
from office_node.osf_retrievals.overview import RequestView
from office_node.osf_retrievals.service import Wanted


class NoSuchRequest(OfficeNodeError):
    """This office has no request of that id, or none at all."""

    code = "N400"
    owner = "office"
    hint = "`office-node retrievals list` tells every request; WIPO's acknowledgement id names one too"


AS_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.group()
def retrievals() -> None:
    """Documents that this office asks WIPO for."""


def _only_with_a_file(ctx: click.Context, option: click.Parameter, given: Any) -> Any:
    """What names one document has to be given unless a CSV names many."""
    if given is None and ctx.params.get("csv_file") is None:
        raise click.MissingParameter(ctx=ctx, param=option)
    return given


@retrievals.command()
@click.option(
    "--csv",
    "csv_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    is_eager=True,
    help="Many documents: a file with the columns of WIPO's sample client; what became of each is written beside it.",
)
@click.option("--wait", "wait_seconds", type=float, help="With --csv: watch for so many seconds what becomes of them.")
@click.option(
    "--kind", type=click.Choice([kind.value for kind in DocumentKind]), callback=_only_with_a_file, help="Its kind."
)
@click.option("--number", callback=_only_with_a_file, help='Its number, such as "US 98/012,357".')
@click.option("--date", type=click.DateTime(["%Y-%m-%d"]), callback=_only_with_a_file, help="Filing date, YYYY-MM-DD.")
@click.option(
    "--access-code",
    help="Four letters or digits; never shown. Others on this machine can read it here: without the option it is "
    "asked for, or read from the first line of standard input.",
)
@click.option(
    "--for",
    "applications",
    multiple=True,
    metavar="APPLICATION",
    help="Number of this office's own application that claims it; for several of them one request each.",
)
@CLASSIFICATION
@click.option("--again", is_flag=True, help="Ask anew for what was collected already.")
@AS_JSON
@click.pass_context
def ask(
    ctx: click.Context,
    csv_file: Path | None,
    wait_seconds: float | None,
    kind: str,
    number: str,
    date: datetime,
    access_code: str | None,
    applications: tuple[str, ...],
    classification: str | None,
    again: bool,
    as_json: bool,
) -> None:
    """Ask WIPO for a document; the worker does the rest. Asked for twice it is one request."""
    if csv_file:
        if kind or number or date or access_code or applications or classification or again:
            raise click.UsageError("--csv goes with --wait and --json alone: the rows name the documents")
        retrievals_csv.ask_for_many(ready_node(ctx), csv_file, wait_seconds, as_json=as_json)
        return
    access_code = ask_access_code() if access_code is None else access_code
    document = number_formats.document_id(DocumentKind(kind), number, date.date())
    classed = Classification(classification) if classification else Classification.CONFIDENTIAL
    verbs = ready_node(ctx).second_filing
    for application in applications or (None,):
        wanted = Wanted(document, access_code, classed, application_number=application)
        asked = verbs.retrievals.ask(wanted, again=again)
        view = verbs.requests.one(asked.request_id)
        if as_json:
            echo_json({"is_new": asked.is_new, **_shown(view)} if view else None)
        elif view:
            click.echo(f"{'asked' if asked.is_new else 'asked before'}: {_line(view)}")


@retrievals.command("list")
@click.option("--kind", type=click.Choice([kind.value for kind in DocumentKind]), help="Only of this kind.")
@click.option("--number", help="Only this number, in any form that the office accepts; with --kind.")
@click.option("--open", "open_only", is_flag=True, help="Only what has not ended.")
@AS_JSON
@click.pass_context
def list_requests(ctx: click.Context, kind: str | None, number: str | None, open_only: bool, as_json: bool) -> None:
    """Every request of this office, newest first."""
    if number and not kind:
        raise click.UsageError("--number goes with --kind")
    of_kind = DocumentKind(kind) if kind else None
    normal = number_formats.normalise(of_kind, number) if of_kind and number else None
    views = ready_node(ctx).second_filing.requests.all(of_kind, normal, open_only=open_only)
    if as_json:
        echo_json([_shown(view) for view in views])
        return
    for view in views:
        click.echo(_line(view))
    if not views:
        click.echo("no request")


@retrievals.command()
@click.argument("request_id")
@AS_JSON
@click.pass_context
def show(ctx: click.Context, request_id: str, as_json: bool) -> None:
    """How far one request is, by our id or WIPO's."""
    view = ready_node(ctx).second_filing.requests.one(request_id)
    if view is None:
        raise NoSuchRequest(f"no request {request_id}")
    if as_json:
        echo_json(_shown(view))
    else:
        click.echo(_line(view))


def _shown(view: RequestView) -> dict[str, Any]:
    shown = plain(view)
    document = shown.pop("document")
    return {"request": shown.pop("request_id"), **document, **shown}


def _line(view: RequestView) -> str:
    parts = [f"{view.request_id} {view.document}"]
    if view.application_number:
        parts.append(f"for {view.application_number}")
    parts.append(f"{view.state.value} since {(view.ended_at or view.available_at or view.asked_at):%Y-%m-%d %H:%M} UTC")
    if view.acknowledgement_id:
        parts.append(f"at WIPO {view.acknowledgement_id}")
    if view.handed_over_as:
        parts.append(f"handed over as {view.handed_over_as}")
        parts.append("kept in the library" if view.kept_in_library else "not kept in the library")
    if view.reason:
        parts.append(view.reason)
    return ", ".join(parts)
