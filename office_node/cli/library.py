"""office-node library ..."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from office_node.cli.context import echo_json, load_settings, ready_node
from office_node.cli.document_options import ACCESS_CODE, CLASSIFICATION, DATE, KIND, NUMBER
from office_node.das import number_formats
from office_node.document_id import DocumentKind
from office_node.errors import OfficeNodeError
from office_node.library.catalogue import CatalogueEntry
from office_node.library.classification import Classification
from office_node.library.digital_library import DigitalLibrary
from office_node.library.verification import Finding


class NoSuchDocument(OfficeNodeError):
    """The library keeps nothing that was asked for."""

    code = "N309"
    owner = "office"
    hint = "check kind and number; `office-node library find` alone lists everything that is kept"


_ALWAYS = ", always through the transit zone"
_BYTES = click.IntRange(0, 1 << 62)


def _bound(ctx: click.Context, option: click.Parameter, given: str) -> Any:
    """A number of bytes, or None for `default`."""
    return None if given == "default" else _BYTES(given, option, ctx)


AS_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.group()
def library() -> None:
    """The digital library."""


@library.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@KIND
@NUMBER
@DATE
@ACCESS_CODE
@click.option(
    "--big-document-bytes",
    type=_BYTES,
    help="If it is larger, it goes through WIPO's transit zone; 0: always. Else as the settings say.",
)
@CLASSIFICATION
@AS_JSON
@click.pass_context
def add(
    ctx: click.Context,
    file: Path,
    kind: str,
    number: str,
    date: datetime,
    access_code: str,
    big_document_bytes: int | None,
    classification: str | None,
    as_json: bool,
) -> None:
    """Take FILE in, or as a new version if its bytes are new."""
    document = number_formats.document_id(DocumentKind(kind), number, date.date())
    node = ready_node(ctx)
    kept = node.library
    with file.open("rb") as source:
        outcome, entry = node.accession.add(
            source, document, access_code, classification=Classification(classification) if classification else None
        )
    if big_document_bytes is not None:
        entry = kept.bind(document.kind, document.number, big_document_bytes) or entry
    if as_json:
        echo_json({"outcome": outcome.value, **_shown(entry)})
    else:
        click.echo(f"{outcome.value}: {_line(entry)}")


@library.command()
@KIND
@NUMBER
@click.option(
    "--big-document-bytes",
    required=True,
    metavar="N|default",
    callback=_bound,
    help="If it is larger, it goes through WIPO's transit zone; 0: always; default: as the settings say.",
)
@AS_JSON
@click.pass_context
def change(ctx: click.Context, kind: str, number: str, big_document_bytes: int | None, as_json: bool) -> None:
    """How a document goes to WIPO; what it is does not change."""
    normal = number_formats.normalise(DocumentKind(kind), number)
    entry = ready_node(ctx).library.bind(DocumentKind(kind), normal, big_document_bytes)
    if entry is None:
        raise NoSuchDocument("no such document")
    if as_json:
        echo_json(_shown(entry))
    else:
        click.echo(f"changed: {_line(entry)}")


@library.command()
@click.option("--kind", type=click.Choice([kind.value for kind in DocumentKind]), help="Only of this kind.")
@click.option("--number", help="Only this number, in any form that the office accepts.")
@AS_JSON
@click.pass_context
def find(ctx: click.Context, kind: str | None, number: str | None, as_json: bool) -> None:
    """The documents that are kept; exit code 1 if none is found."""
    entries = _find(ready_node(ctx).library, kind, number)
    if as_json:
        echo_json([_shown(entry) for entry in entries])
    for entry in entries if not as_json else []:
        click.echo(_line(entry))
    if not entries:
        raise NoSuchDocument("no such document")


@library.command()
@KIND
@NUMBER
@CLASSIFICATION
@AS_JSON
@click.pass_context
def policy(ctx: click.Context, kind: str, number: str, classification: str | None, as_json: bool) -> None:
    """Where a document may be kept, and which rule of the storage policy says so."""
    from office_node.wiring.osf import build_storage_policy

    normal = number_formats.normalise(DocumentKind(kind), number)
    classed = Classification(classification) if classification else Classification.CONFIDENTIAL
    decision = build_storage_policy(load_settings(ctx)).decide(DocumentKind(kind), normal, classed)
    days = decision.max_age.total_seconds() / 86_400
    if as_json:
        echo_json({"place": decision.place.value, "transit_days": days, "rule": decision.rule})
        return
    rule = f"rule {decision.rule}" if decision.rule else "no rule fits it"
    where = {"library": "in the library", "transit": f"in transit only, {days:g} days at most", "nowhere": "nowhere"}
    click.echo(f"the {kind} {normal}, {classed.label}, may be kept {where[decision.place.value]} ({rule})")


@library.command("keys")
@AS_JSON
@click.pass_context
def show_keys(ctx: click.Context, as_json: bool) -> None:
    """How many documents are still under each storage key that is not in force any more."""
    waiting = ready_node(ctx).rewrapping.waiting()
    if as_json:
        echo_json([{"thumbprint": thumbprint, "documents": count} for thumbprint, count in waiting.items()])
        return
    for thumbprint, count in waiting.items():
        click.echo(f"{thumbprint}  {count} documents")
    if not waiting:
        click.echo("every encrypted document is under the storage key in force")
        click.echo("an older key still opens older backups of the database: keep it as long as those")


@library.command()
@AS_JSON
@click.pass_context
def verify(ctx: click.Context, as_json: bool) -> None:
    """Every file against its digest, rows without files, files without rows; exit code 1 if anything is wrong."""
    verification = ready_node(ctx).verification
    with click.progressbar(
        length=verification.total_bytes(), label="reading", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as progress:
        findings = list(verification.findings(progress.update))
    if as_json:
        echo_json([_told(finding) for finding in findings])
    for finding in findings if not as_json else []:
        of = f" ({finding.document})" if finding.document else ""
        click.echo(f"{finding.number} {finding.fault}: {finding.version_id}{of}; hint: {finding.hint}")
    if findings:
        ctx.exit(1)
    if not as_json:
        click.echo("every file is what the catalogue says")


def _told(finding: Finding) -> dict[str, str | None]:
    return {
        "number": finding.number,
        "finding": finding.fault.value,
        "file": finding.version_id,
        "document": str(finding.document) if finding.document else None,
        "hint": finding.hint,
    }


def _find(kept: DigitalLibrary, kind: str | None, number: str | None) -> list[CatalogueEntry]:
    entries = [entry for entry in kept.entries() if kind is None or entry.document.kind == kind]
    if number is None:
        return entries
    return [entry for entry in entries if entry.document.number == _normal_or_as_written(entry.document.kind, number)]


def _normal_or_as_written(kind: DocumentKind, number: str) -> str:
    try:
        return number_formats.normalise(kind, number)
    except number_formats.BadDocumentNumber:
        return number


def _shown(entry: CatalogueEntry) -> dict[str, Any]:
    return {
        "kind": entry.document.kind.value,
        "number": entry.document.number,
        "date": entry.document.date.isoformat(),
        "version": entry.current.version,
        "format": entry.current.file_format.value,
        "bytes": entry.current.size,
        "sha256": entry.current.sha256,
        "class": entry.classification.value,
        "encrypted": entry.current.is_sealed,
        "stored_at": entry.current.stored_at.isoformat(timespec="seconds"),
        "withdrawn_at": entry.withdrawn_at.isoformat(timespec="seconds") if entry.withdrawn_at else None,
        "big_document_bytes": entry.big_document_bytes,
    }


def _line(entry: CatalogueEntry) -> str:
    version = entry.current
    content = f"{version.size} bytes {version.file_format}, sha256 {version.sha256}"
    bound = entry.big_document_bytes
    transit = "" if bound is None else f", through the transit zone above {bound} bytes" if bound else _ALWAYS
    how = f"{entry.classification.label}{'' if entry.current.is_sealed else ', not encrypted'}"
    withdrawn = f", withdrawn {entry.withdrawn_at.isoformat(timespec='seconds')}" if entry.withdrawn_at else ""
    return f"{entry.document}, version {version.version}, {content}, {how}{transit}{withdrawn}"
