"""office-node registrations status, certificate, list."""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from office_node.cli.context import echo_json, plain, ready_node
from office_node.cli.document_options import KIND, NUMBER
from office_node.cli.registrations_group import (
    AS_JSON,
    WAIT,
    Named,
    await_end,
    heard,
    one_line,
    receipt,
    registrations,
    tell,
)
from office_node.das.number_formats import BadDocumentNumber
from office_node.document_id import DocumentKind
from office_node.errors import OfficeNodeError
from office_node.off_registrations.states import OperationState, RegistrationState, Verb

if TYPE_CHECKING:
    from datetime import datetime

    from office_node.off_registrations.overview import OperationView, RegistrationView

_WORDS = {-7: "it is not registered", -12: "WIPO knows another date", -14: "WIPO knows another access code"}
_CATEGORIES = {"success": "taken", "error": "refused", "pending": "not decided yet", None: "no answer"}


class OutputThere(OfficeNodeError):
    """The file that the certificate should be written to cannot be made new."""

    code = "N373"
    owner = "office"
    hint = "name another file with --output, or overwrite this one with --force"


@registrations.command()
@KIND
@NUMBER
@WAIT
@AS_JSON
@click.pass_context
def status(ctx: click.Context, kind: str, number: str, wait_seconds: float, as_json: bool) -> None:
    """What WIPO says of the document now: whether it is registered, and what became of the registration."""
    named = Named.read(kind, number)
    node = ready_node(ctx)
    asked = node.registrations.ask(Verb.STATUS, named.kind, named.number)
    view = await_end(node, str(asked.operation_id), wait_seconds)
    tell(view, _in_words(named.shown(node), view.result or {}), named, as_json=as_json)


@registrations.command()
@KIND
@NUMBER
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Else: certificate-NUMBER.pdf, here.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
@WAIT
@AS_JSON
@click.pass_context
def certificate(
    ctx: click.Context,
    kind: str,
    number: str,
    output: Path | None,
    force: bool,
    wait_seconds: float,
    as_json: bool,
) -> None:
    """WIPO's certificate of the registration, as a PDF."""
    named = Named.read(kind, number)
    output = output or Path(f"certificate-{re.sub('[^0-9A-Za-z.-]+', '-', named.number)}.pdf")
    if not force and os.path.lexists(output):
        raise OutputThere(f"{output} is there already")
    node = ready_node(ctx)
    asked = node.registrations.ask(Verb.CERTIFICATE, named.kind, named.number)
    view = await_end(node, str(asked.operation_id), wait_seconds)
    if view.state is OperationState.DONE:
        with node.certificates.open(view.operation_id) as kept:
            _write(output, kept.read(), force=force)
    tell(view, f"certificate of {named.shown(node)}: {click.format_filename(output)}", named, as_json=as_json)


@registrations.command("list")
@click.option("--kind", type=click.Choice([kind.value for kind in DocumentKind]), help="Only of this kind.")
@click.option("--number", help="Only this number; tells everything that was asked about the document too.")
@click.option("--state", type=click.Choice([state.value for state in RegistrationState]), help="Only in this state.")
@AS_JSON
@click.pass_context
def list_registrations(
    ctx: click.Context, kind: str | None, number: str | None, state: str | None, as_json: bool
) -> None:
    """Every registration, the newest first."""
    overview = ready_node(ctx).overview
    documents = _named(kind, number) if number else []
    if number:
        found = [view for named in documents for view in overview.registrations(named.kind, named.number)]
    else:
        found = overview.registrations(DocumentKind(kind) if kind else None)
    found = [view for view in found if state in (None, view.state)]
    operations = {named: overview.about(named.kind, named.number) for named in documents}
    if as_json:
        echo_json([_shown(view, operations) for view in found])
        return
    for view in found:
        click.echo(_line(view))
    for asked in operations.values():
        for operation in asked:
            click.echo(_asked(operation))
    if not found:
        click.echo("no such registration" if kind or number or state else "nothing is registered")


def _named(kind: str | None, number: str) -> list[Named]:
    """Every document that the number can mean. Raises `BadDocumentNumber` if it can mean none."""
    named, failure = [], None
    for candidate in [kind] if kind else [one.value for one in DocumentKind]:
        try:
            named.append(Named.read(candidate, number))
        except BadDocumentNumber as exc:
            failure = failure or exc
    if failure and not named:
        raise failure
    return named


def _shown(view: "RegistrationView", operations: "dict[Named, list[OperationView]]") -> dict[str, Any]:
    asked = operations.get(Named(view.kind, view.number))
    if asked is None:
        return plain(view)
    return {**plain(view), "operations": [plain(one) for one in asked]}


def _line(view: "RegistrationView") -> str:
    content = f"content at {'WIPO' if view.content_at == 'wipo' else 'the office'}"
    reference = f", reference {view.file_reference}" if view.file_reference else ""
    because = f": {one_line(view.ended_because)}" if view.ended_because else ""
    names = (("requestAckId", view.wipo_acknowledgement_id), ("fileId", view.file_id))
    told = "".join(f", {name} {one_line(value)}" for name, value in names if value)
    moments = (("drafted", view.created_at), ("registered", view.registered_at), ("ended", view.ended_at))
    when = "".join(f", {step} {_moment(at)}" for step, at in moments if at)
    return f"{view.state}: {view.kind} {view.number} of {view.date}, {content}{reference}{told}{when}{because}"


def _asked(operation: "OperationView") -> str:
    """An operation, below the registrations of its document."""
    told = receipt(operation)
    if operation.state is OperationState.WAITING:
        told = f": {'waits for a human, ' if operation.is_parked else ''}{heard(operation)}"
    elif operation.state is OperationState.REFUSED:
        told = f": {one_line(operation.reason or '')}"
    when = f"at {_moment(operation.ended_at)}" if operation.ended_at else f"since {_moment(operation.created_at)}"
    return f"  {operation.verb} {operation.operation_id} {operation.state} {when}{told}"


def _moment(at: "datetime") -> str:
    return at.isoformat(timespec="seconds")


def _in_words(document: str, result: dict[str, Any]) -> str:
    found = result.get("document", {})
    reasons = [_WORDS.get(number, f"WIPO answers {number}") for number in found.get("numbers", [])]
    if found.get("registered"):
        lines = [f"{document}: registered with these data"]
    else:
        lines = [f"{document}: {'; '.join(reasons) or 'not decided yet'} ({one_line(str(found.get('said')))})"]
    if registration := result.get("registration"):
        category = _CATEGORIES.get(registration["status"], registration["status"])
        names = f"{one_line(registration['wipo_acknowledgement_id'])} {category}"
        lines.append(f"registration {names} ({one_line(str(registration['said']))})")
    return "\n".join(lines)


def _write(output: Path, content: bytes, *, force: bool) -> None:
    """A file for its owner alone. Raises `OutputThere`."""
    try:
        if force:
            output.unlink(missing_ok=True)  # what is there may be readable by others, or a link to elsewhere
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except OSError as exc:
        raise OutputThere(f"{output} cannot be written: {exc.strerror}") from exc
