"""office-node rehearsal ..."""

import sys
from pathlib import Path
from urllib.parse import urlsplit

import click
from joserfc.jwk import ECKey

from office_node import logs
from office_node.cli.context import load_settings
from office_node.errors import OfficeNodeError
from office_node.settings import Rehearsal, Settings


class NoRehearsal(OfficeNodeError):
    """The settings are those of a node in production."""

    code = "N701"
    hint = "rehearse with a copy of config/office.toml as it ships, never with the settings of production"


@click.group()
def rehearsal() -> None:
    """The simulated WIPO central."""


@rehearsal.command()
@click.pass_context
def serve(ctx: click.Context) -> None:
    """Serve simulated WIPO on [rehearsal] listen, until interrupted."""
    from office_node.rehearsal import central

    settings = load_settings(ctx)
    section = _section(settings)
    logs.configure(settings.logging.level, process="rehearsal")
    host, _, port = section.listen.rpartition(":")
    parts = urlsplit(settings.wipo.token_url)
    known = central.CentralSettings(
        public_url=f"{parts.scheme}://{parts.netloc}",
        office_client_id=settings.wipo.client_id,
        office_public_key=ECKey.import_key(section.office_public_key_file.read_bytes()),
        scope=settings.wipo.scope,
    )
    central.serve(central.Central(known), host, int(port))


@rehearsal.command()
@click.pass_context
def demo(ctx: click.Context) -> None:
    """Walk a priority document from WIPO's call to WIPO's download, on processes and a folder of its own."""
    from office_node.rehearsal import demo as walk

    file: Path = ctx.find_root().obj
    _section(load_settings(ctx))
    sys.exit(walk.run(file))


def _section(settings: Settings) -> Rehearsal:
    hosts = [urlsplit(url).hostname or "" for url in (settings.wipo.base_url, settings.wipo.token_url)]
    if any(host == "wipo.int" or host.endswith(".wipo.int") for host in hosts):
        raise NoRehearsal("the settings name a host of wipo.int")
    if settings.rehearsal is None:
        raise NoRehearsal("the settings have no section [rehearsal]")
    return settings.rehearsal
