"""office-node timeline ..."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from office_node.auth import keys as key_files
from office_node.cli.context import echo_json, ready_node
from office_node.das import number_formats
from office_node.das.number_formats import BadDocumentNumber
from office_node.document_id import DocumentKind
from office_node.errors import OfficeNodeError
from office_node.timeline import evidence
from office_node.timeline.chain import Entry
from office_node.timeline.history import History


class NothingNoted(OfficeNodeError):
    """The timeline has no entry of what was asked for."""

    code = "N380"
    owner = "office"
    hint = "give the document's number, or the acknowledgement id of a request; an operation's id does as well"


AS_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.group()
def timeline() -> None:
    """What happened to each document and request."""


@timeline.command()
@click.argument("number")
@AS_JSON
@click.pass_context
def show(ctx: click.Context, number: str, as_json: bool) -> None:
    """What happened to the document of this NUMBER, or to the request of this id, and who must act next."""
    history = ready_node(ctx).timeline.histories.of(_asked(number))
    if not history.entries:
        raise NothingNoted(f"nothing is noted of {number}")
    if as_json:
        echo_json(
            {"entries": [asdict(entry) for entry in history.entries], "open": [*map(asdict, history.open_matters)]}
        )
        return
    _tell(history)


@timeline.command()
@AS_JSON
@click.pass_context
def verify(ctx: click.Context, as_json: bool) -> None:
    """Whether the timeline is what was written and signed; exit code 1 if anything was edited, dropped or cut."""
    verification = ready_node(ctx).timeline.verification
    with click.progressbar(
        length=verification.total(), label="reading", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as progress:
        findings = list(verification.findings(progress.update))
    if as_json:
        echo_json(
            [{"number": one.number, "fault": one.fault, "entry": one.sequence, "what": one.what} for one in findings]
        )
    for finding in findings if not as_json else []:
        click.echo(f"{finding.number} {finding.fault.value}: {finding.what}")
    if findings:
        ctx.exit(1)
    if not as_json:
        click.echo("every entry is what was written, and every checkpoint is there")


@timeline.command()
@click.argument("number")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write it to a new file.")
@click.pass_context
def export(ctx: click.Context, number: str, output: Path | None) -> None:
    """The evidence of what happened to one document or request, which others can check without this node."""
    found = ready_node(ctx).timeline.evidence.export(_asked(number))
    if found is None:
        raise NothingNoted(f"nothing is noted of {number}")
    text = json.dumps(found, indent=2, ensure_ascii=False) + "\n"
    if output is None:
        click.echo(text, nl=False)
        return
    key_files.write_new(output, text.encode(), mode=0o644)
    click.echo(f"wrote {output}: {len(found['entries'])} entries, {len(found['checkpoints'])} checkpoints")


@timeline.command("check-evidence")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--key",
    "key_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The office's public key, as `keys export timeline` prints it; have it from the office by another way.",
)
@AS_JSON
def check_evidence(file: Path, key_file: Path, as_json: bool) -> None:
    """Whether the evidence in FILE is what the office signed; needs no settings, no database and no other file."""
    key = key_files.load_public_key(key_file)
    proven, unproven = evidence.check(file.read_text(), {key.thumbprint(): key}.get)
    if as_json:
        echo_json({"proven": [*map(asdict, proven)], "not_covered_yet": [*map(asdict, unproven)]})
        return
    for entry in proven:
        click.echo(_line(entry))
    click.echo(f"{len(proven)} entries are as the office signed them")
    if unproven:
        click.echo(f"{len(unproven)} newer ones in it prove nothing: no checkpoint covered them when it was exported")


def _tell(history: History) -> None:
    for entry in history.entries:
        click.echo(_line(entry))
    if not history.open_matters:
        click.echo("nothing is open")
    for matter in history.open_matters:
        click.echo(f"open: {matter.what}; next: {matter.who}, {matter.next_step}")


def _line(entry: Entry) -> str:
    said = ", ".join(f"{name} {value}" for name, value in entry.said.items() if value is not None)
    of = f" [{entry.subject}]" if entry.subject else ""
    document = f"{entry.kind} {entry.number}: " if entry.number else ""
    text = f"{entry.at[:19]}Z {document}{entry.step}{': ' if said else ''}{said}{of}"
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)


def _asked(number: str) -> list[str]:
    """The forms in which it may be noted: as it was typed, and each kind's normal form."""
    forms = {number: None}
    for kind in DocumentKind:
        try:
            forms[number_formats.normalise(kind, number)] = None
        except BadDocumentNumber:
            continue
    return [*forms]
