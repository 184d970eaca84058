"""office-node backup ..."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from office_node import logs
from office_node.cli.context import echo_json, load_settings, ready_node
from office_node.errors import OfficeNodeError

if TYPE_CHECKING:
    from office_node.backup.restoring import Restoring

AS_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_EXISTING = click.Path(exists=True, file_okay=False, path_type=Path)


class NoBackupFolder(OfficeNodeError):
    """It was not said where backups go."""

    code = "N803"
    hint = "add [backup] folder to the settings, or name a folder with --to"


@click.group()
def backup() -> None:
    """Copies of database and library, signed and proven."""


@backup.command()
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), help="Folder for backups.")
@click.option("--documents/--no-documents", default=None, help="Copy the documents too; else as [backup] says.")
@AS_JSON
@click.pass_context
def create(ctx: click.Context, folder: Path | None, documents: bool | None, as_json: bool) -> None:
    """Make a backup; the node may run."""
    section = load_settings(ctx).backup
    target = folder or (section.folder if section else None)
    if target is None:
        raise NoBackupFolder("no folder for backups")
    with_documents = documents if documents is not None else bool(section and section.documents)
    with _Progress("copying") as tick:
        made = ready_node(ctx).backups.create(target, with_documents=with_documents, tick=tick)
    if as_json:
        echo_json({"backup": str(made)})
    else:
        click.echo(str(made))


@backup.command("list")
@AS_JSON
@click.pass_context
def list_backups(ctx: click.Context, as_json: bool) -> None:
    """Every backup in [backup] folder, oldest first; one that this office did not sign is said to be so."""
    section = load_settings(ctx).backup
    if section is None:
        raise NoBackupFolder("no folder for backups")
    found = ready_node(ctx).backups.listed(section.folder)
    if as_json:
        echo_json([{"backup": str(place), "made_at": made_at, "reason": reason} for place, made_at, reason in found])
        return
    for place, made_at, reason in found:
        click.echo(f"{place} {made_at or reason}")
    if not found:
        click.echo("no backup yet")


@backup.command()
@click.argument("place", type=_EXISTING)
@AS_JSON
@click.pass_context
def verify(ctx: click.Context, place: Path, as_json: bool) -> None:
    """Restore the backup at PLACE into scratch, and compare every count, digest and the timeline."""
    with _Progress("proving") as tick:
        proven = _restoring(ctx).verify(place, tick)
    said = proven.manifest
    if as_json:
        echo_json({"made_at": said.made_at, "rows": proven.rows, "documents": proven.documents})
        return
    copies = f"{proven.documents} documents" if said.has_documents else f"the names of {said.documents} documents"
    click.echo(f"good: made {said.made_at}, schema {said.revision}, {proven.rows} rows, {copies}")


@backup.command()
@click.argument("place", type=_EXISTING)
@click.option("--dry-run", is_flag=True, help="Prove it and tell what would be restored, change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@AS_JSON
@click.pass_context
def restore(ctx: click.Context, place: Path, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Put rows and documents back to what they are in the backup at PLACE. The node must not run.

    What is replaced is kept as a backup beside it. WIPO is asked about everything that may have been told since.
    """
    restoring = _restoring(ctx)
    if dry_run:
        said = restoring.verify(place).manifest
        click.echo(f"would restore what was there at {said.made_at}")
        return
    if not yes:
        click.confirm(f"Replace every row of this node by those of {place}?", abort=True, err=True)
    with _Progress("restoring") as tick:
        restored = restoring.restore(place, tick)
    if as_json:
        told = {"made_at": restored.manifest.made_at, "rows": restored.rows, "documents": restored.documents}
        echo_json({**told, "kept_as": str(restored.kept_as)})
        return
    click.echo(f"restored what was there at {restored.manifest.made_at}: {restored.rows} rows,")
    click.echo(f"{restored.documents} documents were given back; what was replaced is {restored.kept_as}")


def _restoring(ctx: click.Context) -> "Restoring":
    """Needs no database until it restores: what is to be proven may be all that is left."""
    from office_node.wiring.backup import restoring_alone

    found = load_settings(ctx)
    logs.configure("warning", process="cli")
    restoring, database = restoring_alone(found)
    ctx.call_on_close(database.close)
    return restoring


class _Progress:
    """Tells now and then how far a long work is, on a terminal alone."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._count = 0
        self._shown = sys.stderr.isatty()

    def __enter__(self) -> Callable[[int], None]:
        return self._tick

    def __exit__(self, *_: object) -> None:
        if self._shown and self._count:
            click.echo("", err=True)

    def _tick(self, count: int) -> None:
        self._count += count
        if self._shown:
            click.echo(f"\r{self._what}: {self._count}", nl=False, err=True)
