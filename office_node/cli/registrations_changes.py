"""office-node registrations correct, replace, withdraw."""

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from office_node.cli.context import echo_json, ready_node
from office_node.cli.document_options import KIND, NUMBER, ask_access_code
from office_node.cli.registrations_group import (
    APPLICATION_DATE,
    APPLICATION_NUMBER,
    AS_JSON,
    EMAIL,
    NO_WAIT,
    WAIT,
    Named,
    await_end,
    day,
    receipt,
    registrations,
    tell,
    tell_written,
)
from office_node.off_registrations.details import APPLICATION_CATEGORIES, Corrections
from office_node.off_registrations.states import RegistrationState

if TYPE_CHECKING:
    from office_node.off_registrations.service import Asked
    from office_node.wiring.node import Node


@registrations.command()
@KIND
@NUMBER
@click.option("--new-date", type=click.DateTime(["%Y-%m-%d"]), help="The date it shall have, YYYY-MM-DD.")
@click.option("--new-access-code", help="For scripts; others on this machine can read it here.")
@click.option(
    "--ask-access-code", is_flag=True, help="Ask for the new access code, or read it from standard input's first line."
)
@APPLICATION_NUMBER
@APPLICATION_DATE
@click.option("--application-category", type=click.Choice(APPLICATION_CATEGORIES), help="What the application is.")
@EMAIL
@click.option("--dry-run", is_flag=True, help="Tell what would be corrected, change nothing.")
@WAIT
@NO_WAIT
@AS_JSON
@click.pass_context
def correct(
    ctx: click.Context,
    kind: str,
    number: str,
    new_date: datetime | None,
    new_access_code: str | None,
    ask_access_code: bool,
    application_number: str | None,
    application_date: datetime | None,
    application_category: str | None,
    email: str | None,
    dry_run: bool,
    wait_seconds: float,
    no_wait: bool,
    as_json: bool,
) -> None:
    """Tell WIPO other data; the library follows once WIPO has them."""
    if ask_access_code:
        if new_access_code is not None:
            raise click.UsageError("give --new-access-code or --ask-access-code")
        new_access_code = _new_access_code()
    corrections = Corrections(
        filing_date=day(new_date),
        access_code=new_access_code,
        application_category=application_category,
        application_number=application_number,
        application_filing_date=day(application_date),
        email=email,
    )
    if corrections == Corrections():
        raise click.UsageError("name what shall be different, such as --new-date")
    named = Named.read(kind, number)
    node = ready_node(ctx)
    if dry_run:
        from office_node.off_registrations.foresight import Foresight

        names = Foresight(node.database, node.library, node.accession).of_correction(
            named.kind, named.number, corrections
        )
        if as_json:
            echo_json({"kind": named.kind.value, "number": named.number, "would_correct": names})
        else:
            click.echo(f"would correct: {named.shown(node)}: {', '.join(names)}")
        return
    asked = node.registrations.correct(named.kind, named.number, corrections)
    nobody_knew = "corrected in the library alone, it is not registered"
    _tell_end(node, named, asked, "corrected", nobody_knew, None if no_wait else wait_seconds, as_json=as_json)


@registrations.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@KIND
@NUMBER
@WAIT
@NO_WAIT
@AS_JSON
@click.pass_context
def replace(
    ctx: click.Context, file: Path, kind: str, number: str, wait_seconds: float, no_wait: bool, as_json: bool
) -> None:
    """Give a registered document the content of FILE; the library keeps the old one too."""
    named = Named.read(kind, number)
    node = ready_node(ctx)
    with file.open("rb") as source:
        asked = node.registrations.replace(named.kind, named.number, source)
    _tell_end(node, named, asked, "replaced", "", None if no_wait else wait_seconds, as_json=as_json)


@registrations.command()
@KIND
@NUMBER
@click.option("--yes", is_flag=True, help="Do not ask; needed where there is no terminal.")
@WAIT
@NO_WAIT
@AS_JSON
@click.pass_context
def withdraw(
    ctx: click.Context, kind: str, number: str, yes: bool, wait_seconds: float, no_wait: bool, as_json: bool
) -> None:
    """Serve the document no longer, from this moment; and tell WIPO, if WIPO may have heard of it."""
    named = Named.read(kind, number)
    node = ready_node(ctx)
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask on: say --yes if it is meant")
    if not yes:
        click.confirm(f"Withdraw the {named.shown(node)}?", abort=True, err=True)
    before = node.overview.registrations(named.kind, named.number)
    asked = node.registrations.withdraw(named.kind, named.number)
    is_over = bool(before) and before[0].state == RegistrationState.WITHDRAWN
    nobody_knew = "withdrawn already" if is_over else "no longer served; WIPO had not heard of it"
    _tell_end(node, named, asked, "withdrawn", nobody_knew, None if no_wait else wait_seconds, as_json=as_json)


def _new_access_code() -> str:
    return ask_access_code("New access code")


def _tell_end(
    node: "Node",
    named: Named,
    asked: "Asked",
    done: str,
    nobody_knew: str,
    wait_seconds: float | None,
    *,
    as_json: bool,
) -> None:
    """What came of it; `nobody_knew` if WIPO need not hear of it."""
    if asked.operation_id is None:
        if as_json:
            echo_json({"kind": named.kind.value, "number": named.number, "operation_id": None, "state": "done"})
        else:
            click.echo(f"{named.shown(node)}: {nobody_knew}")
    elif wait_seconds is None:
        tell_written(asked.operation_id, named, as_json=as_json)
    else:
        view = await_end(node, asked.operation_id, wait_seconds)
        tell(view, f"{done}: {named.shown(node)}{receipt(view)}", named, as_json=as_json)
