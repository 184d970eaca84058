"""office-node rehearsal ..."""

import sys
from datetime import datetime
from pathlib import Path

import click

from office_node import logs
from office_node.auth import keys
from office_node.cli import bad_credentials
from office_node.cli.context import load_settings
from office_node.cli.document_options import ACCESS_CODE, DATE, KIND, NUMBER
from office_node.cli.rehearsal_group import (
    central_url,
    rehearsal,
    rehearsal_section,
    running_central,
    told_if_away,
)
from office_node.errors import OfficeNodeError
from office_node.rehearsal.faults import FAULTS, PLACES

__all__ = ["bad_credentials", "rehearsal"]  # the verb in its own file is known once that was read


class DemoNotAlone(OfficeNodeError):
    """The settings would let the demo touch what is not its own."""

    code = "N703"
    hint = "the demo wants a copy of config/office.toml as it ships: office-node --config COPY rehearsal demo"


@rehearsal.command()
@click.option(
    "--max-age", default=900, show_default=True, type=click.IntRange(0), help="Seconds an office may keep its key set."
)
@click.option(
    "--upload-url-seconds",
    default=900.0,
    show_default=True,
    type=click.FloatRange(0),
    help="Life of a presigned URL.",
)
@click.option(
    "--file-check-seconds",
    default=0.2,
    show_default=True,
    type=click.FloatRange(0),
    help="From an upload to the outcome of its check.",
)
@click.option(
    "--pending-seconds",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0),
    help="How long a registration is pending.",
)
@click.option(
    "--hostile",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Share of calls that something befalls: lost and broken answers, silence, odd statuses, repeats, drift.",
)
@click.option("--seed", default=1, show_default=True, help="From which it is drawn what befalls them.")
@click.pass_context
def serve(
    ctx: click.Context,
    max_age: int,
    upload_url_seconds: float,
    file_check_seconds: float,
    pending_seconds: float,
    hostile: float,
    seed: int,
) -> None:
    """Serve simulated WIPO on [rehearsal] listen, until interrupted."""
    from office_node.rehearsal import central, pace, routes

    settings = load_settings(ctx)
    section = rehearsal_section(settings)
    logs.configure(settings.logging.level, process="rehearsal")
    host, _, port = section.listen.rpartition(":")
    own, wipo = settings.authorization_server, settings.wipo_authorization_server
    registered = next((one for one in own.clients if one.client_id == section.client_id), None) if own else None
    known = central.CentralSettings(
        public_url=central_url(settings),
        office_url=settings.web.public_url,
        wipo_client_id=section.client_id,
        wipo_key=keys.load_private_key(section.wipo_key_file),
        office_client_id=settings.wipo.client_id,
        office_public_keys=tuple(keys.load_public_key(file) for file in section.office_certificate_files),
        scope=settings.wipo.scope,
        issuer=wipo.issuer if wipo else "",
        setups=tuple(settings.trust.accept),
        profile=registered.profile if registered else "strict",
        max_assertion_seconds=own.max_assertion_seconds if own else 0,
        jwks_seconds=max_age,
        pace=pace.Pace(
            upload_url_seconds=upload_url_seconds,
            file_check_seconds=file_check_seconds,
            pending_seconds=pending_seconds,
        ),
        others=tuple(
            central.OtherOffice(
                office.client_id, office.url, tuple(keys.load_public_key(file) for file in office.certificate_files)
            )
            for office in section.offices
        ),
        hostile=hostile,
        seed=seed,
    )
    routes.serve(central.Central(known), host, int(port))


@rehearsal.command()
@KIND
@NUMBER
@DATE
@ACCESS_CODE
@click.option(
    "--setup",
    type=click.Choice(["own", "wipo"]),
    help="Whose tokens: the office's own server's, or WIPO's. The first of [trust] accept if not given.",
)
@click.option("--seconds", default=60.0, show_default=True, help="Longest wait for the download.")
@click.pass_context
def forward(
    ctx: click.Context,
    kind: str,
    number: str,
    date: datetime,
    access_code: str,
    setup: str | None,
    seconds: float,
) -> None:
    """Let the running simulated WIPO ask the running node for a document, and tell what became of it.

    Exit code 0 once the document was downloaded.
    """
    wanted = {"kind": kind, "number": number, "date": date.date().isoformat(), "access_code": access_code}
    central = running_central(ctx, setup)
    from office_node.rehearsal import watch

    with told_if_away():
        done = watch.forward_and_watch(central, {**wanted, **({"setup": setup} if setup else {})}, seconds)
    sys.exit(0 if done else 1)


@rehearsal.command()
@click.option("--withdraw", is_flag=True, help="Publish the old keys no longer.")
@click.pass_context
def rotate(ctx: click.Context, withdraw: bool) -> None:
    """Give the running simulated WIPO a new key, which it publishes and signs with from now on."""
    central = running_central(ctx)
    from office_node.rehearsal import remote

    with told_if_away():
        done = remote.post(central, "keys/rotate", {"withdraw": withdraw})
    click.echo(f"signs with {done['kid']}, publishes {len(done['published'])}")


@rehearsal.command()
@click.argument("place", type=click.Choice(PLACES))
@click.argument("what", type=click.Choice(FAULTS))
@click.pass_context
def fault(ctx: click.Context, place: str, what: str) -> None:
    """Let a PLACE of the running simulated WIPO fail in this way; `ok` ends it."""
    if what == "broken-members" and place != "jwks":
        raise click.UsageError("broken-members is a fault of jwks alone")
    central = running_central(ctx)
    from office_node.rehearsal import remote

    with told_if_away():
        now = remote.post(central, "faults", {place: what})
    click.echo("\n".join(f"{name}: {now[name]}" for name in PLACES))


@rehearsal.command()
@click.pass_context
def demo(ctx: click.Context) -> None:
    """Walk a priority document from WIPO's call to WIPO's download, on processes and a folder of its own."""
    from office_node.rehearsal import demo as walk
    from office_node.rehearsal.demo import stage

    file: Path = ctx.find_root().obj
    rehearsal_section(load_settings(ctx))
    try:
        sys.exit(walk.run(file))
    except stage.NotAlone as exc:
        raise DemoNotAlone(f"the demo would reach beyond its own folder and ports: {exc}") from exc
