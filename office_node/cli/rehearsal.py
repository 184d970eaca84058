"""office-node rehearsal ..."""

import sys
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import click

from office_node import logs
from office_node.auth import keys
from office_node.cli.context import load_settings
from office_node.cli.document_options import ACCESS_CODE, DATE, KIND, NUMBER
from office_node.errors import OfficeNodeError
from office_node.settings import Rehearsal, Settings


class NoRehearsal(OfficeNodeError):
    """The settings are those of a node in production."""

    code = "N701"
    hint = "rehearse with a copy of config/office.toml as it ships, never with the settings of production"


class RehearsalAway(OfficeNodeError):
    """Simulated WIPO is not running."""

    code = "N702"
    hint = "start it with `office-node rehearsal serve`, with the same settings"


class DemoNotAlone(OfficeNodeError):
    """The settings would let the demo touch what is not its own."""

    code = "N703"
    hint = "the demo wants a copy of config/office.toml as it ships: office-node --config COPY rehearsal demo"


@click.group()
def rehearsal() -> None:
    """The simulated WIPO central."""


@rehearsal.command()
@click.pass_context
def serve(ctx: click.Context) -> None:
    """Serve simulated WIPO on [rehearsal] listen, until interrupted."""
    from office_node.rehearsal import central, routes

    settings = load_settings(ctx)
    section = _section(settings)
    logs.configure(settings.logging.level, process="rehearsal")
    host, _, port = section.listen.rpartition(":")
    parts = urlsplit(settings.wipo.token_url)
    known = central.CentralSettings(
        public_url=f"{parts.scheme}://{parts.netloc}",
        office_url=settings.web.public_url,
        wipo_client_id=section.client_id,
        wipo_key=keys.load_private_key(section.wipo_key_file),
        office_client_id=settings.wipo.client_id,
        office_public_keys=tuple(keys.load_public_key(file) for file in section.office_certificate_files),
        scope=settings.wipo.scope,
    )
    routes.serve(central.Central(known), host, int(port))


@rehearsal.command()
@KIND
@NUMBER
@DATE
@ACCESS_CODE
@click.option("--seconds", default=60.0, show_default=True, help="Longest wait for the download.")
@click.pass_context
def forward(ctx: click.Context, kind: str, number: str, date: datetime, access_code: str, seconds: float) -> None:
    """Let the running simulated WIPO ask the running node for a document, and tell what became of it.

    Exit code 0 once the document was downloaded.
    """
    settings = load_settings(ctx)
    _section(settings)
    parts = urlsplit(settings.wipo.token_url)
    wanted = {"kind": kind, "number": number, "date": date.date().isoformat(), "access_code": access_code}
    from office_node.rehearsal import watch

    try:
        sys.exit(0 if watch.forward_and_watch(f"{parts.scheme}://{parts.netloc}", wanted, seconds) else 1)
    except watch.CentralAway as exc:
        raise RehearsalAway("simulated WIPO does not answer") from exc


@rehearsal.command()
@click.pass_context
def demo(ctx: click.Context) -> None:
    """Walk a priority document from WIPO's call to WIPO's download, on processes and a folder of its own."""
    from office_node.rehearsal import demo as walk
    from office_node.rehearsal import stage

    file: Path = ctx.find_root().obj
    _section(load_settings(ctx))
    try:
        sys.exit(walk.run(file))
    except stage.NotAlone as exc:
        raise DemoNotAlone(f"the demo would reach beyond its own folder and ports: {exc}") from exc


def _section(settings: Settings) -> Rehearsal:
    hosts = [urlsplit(url).hostname or "" for url in (settings.wipo.base_url, settings.wipo.token_url)]
    if any(host == "wipo.int" or host.endswith(".wipo.int") for host in hosts):
        raise NoRehearsal("the settings name a host of wipo.int")
    if settings.rehearsal is None:
        raise NoRehearsal("the settings have no section [rehearsal]")
    return settings.rehearsal
