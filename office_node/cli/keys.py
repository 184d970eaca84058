"""office-node keys ..."""

import json
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import click
from cryptography.hazmat.primitives.serialization import Encoding

from office_node import clock
from office_node.auth import certificates, key_rotation
from office_node.auth import keys as key_files
from office_node.auth.key_generation import make_missing
from office_node.auth.key_inventory import HeldKey, inventory
from office_node.auth.key_rotation import Rotation
from office_node.cli.context import echo_json, load_settings
from office_node.settings import Settings
from office_node.settings.sections import AuthorizationServer
from office_node.wiring.store import keeps_files, keeps_sealed_files

_USE_WIDTH = 21
_COLUMNS = "{use:<21}  {thumbprint:<43}  {state:<8}  {since:<16}  {until:<16}  {days:>5}"
_BEGINS_IN = click.option(
    "--in",
    "in_seconds",
    type=click.IntRange(6, 2_592_000),
    default=600,
    show_default=True,
    help="When the next key begins; other hosts must have its file by then.",
)
_OUTPUT = click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write it to a new file.")


@click.group()
def keys() -> None:
    """The keys the settings name."""


@keys.command()
@click.pass_context
def generate(ctx: click.Context) -> None:
    """Make the keys that are missing; a key that is there is never touched."""
    settings = load_settings(ctx)
    made = make_missing(settings, partial(keeps_files, settings), partial(keeps_sealed_files, settings))
    for path in made:
        click.echo(f"made {path}")
    if not made:
        click.echo("every key is there")


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def list_keys(ctx: click.Context, as_json: bool) -> None:
    """Every key the node uses: what for, which, since when, until when, and how many days are left."""
    held = inventory(load_settings(ctx))
    if as_json:
        echo_json([_as_json(key) for key in held])
        return
    click.echo(
        _COLUMNS.format(use="use", thumbprint="thumbprint", state="state", since="since", until="until", days="days")
    )
    for key in held:
        use = key.use if len(key.use) <= _USE_WIDTH else f"{key.use[: _USE_WIDTH - 1]}\u2026"
        left = _days_left(key)
        line = _COLUMNS.format(
            use=use,
            thumbprint=key.thumbprint or "-",
            state=key.state,
            since=_minute(key.since),
            until=_minute(key.until),
            days="-" if left is None else left,
        )
        click.echo(line)
    for key in held:
        if key.fault:
            click.echo(str(key.fault), err=True)


@keys.group()
def rotate() -> None:
    """Let a key roll over to the next one."""


@rotate.command("token-signing")
@_BEGINS_IN
@click.option("--at-once", is_flag=True, help="The key was seen by others: replace it now, and end its tokens.")
@click.pass_context
def rotate_token_signing(ctx: click.Context, in_seconds: int, at_once: bool) -> None:
    """Make the next key that signs our access tokens, and say when it begins."""
    server = _own_server(load_settings(ctx))
    if at_once:
        done = key_rotation.replace_token_signing(server.signing_key_file)
        click.echo(f"made {done.new}: it signs from now on; running processes see it within 5 seconds")
        elsewhere = "lay the new file there now, and remove there what was removed here"
    else:
        done = key_rotation.rotate_token_signing(server.signing_key_file, server.token_seconds, in_seconds)
        click.echo(f"made {done.new}: published now, signs from {_second(done.begins)}")
        elsewhere = "lay the new file there before it begins"
    if done.old:
        click.echo(f"kept {done.old.file}: signs until then, is accepted until {_second(done.old.until)}")
    _tell_removed(done.removed)
    click.echo(f"with web processes on other hosts: {elsewhere}")


@rotate.command("wipo-client")
@click.option("--activate", is_flag=True, help="WIPO has registered the next certificate: let its key sign.")
@click.option(
    "--in", "in_seconds", type=click.IntRange(0, 2_592_000), help="With --activate: when it begins.  [default: 0]"
)
@click.pass_context
def rotate_wipo_client(ctx: click.Context, activate: bool, in_seconds: int | None) -> None:
    """Make the next key that proves to WIPO who we are; with --activate let it sign."""
    wipo = load_settings(ctx).wipo
    if activate:
        _tell_activated(key_rotation.activate_wipo_client(wipo.client_key_file, wipo.client_id, in_seconds or 0))
        return
    if in_seconds is not None:
        raise click.UsageError("--in goes with --activate")
    made, removed = key_rotation.prepare_wipo_client(wipo.client_key_file, wipo.client_id)
    for path in made:
        click.echo(f"made {path}")
    _tell_removed(removed)
    click.echo("nothing has changed for WIPO yet. Send it the certificate: office-node keys export wipo-client --next")
    click.echo("when WIPO has registered it: office-node keys rotate wipo-client --activate")


@rotate.command("storage")
@_BEGINS_IN
@click.pass_context
def rotate_storage(ctx: click.Context, in_seconds: int) -> None:
    """Make the next key that documents are sealed under; the worker then wraps their keys anew, and no file changes."""
    path = load_settings(ctx).library.storage_key_file
    done = key_rotation.rotate_for_good(path, in_seconds)
    click.echo(f"made {done.new}: documents are sealed under it from {_second(done.begins)}")
    click.echo("back it up before then: without it they cannot be read")
    if done.old:
        click.echo(f"kept {done.old.file}: it opens what was sealed before; the worker wraps that anew once it begins")
    click.echo("with processes on other hosts: lay the new file there before it begins")
    click.echo("how far the worker is: office-node library keys")


@rotate.command("timeline")
@_BEGINS_IN
@click.pass_context
def rotate_timeline(ctx: click.Context, in_seconds: int) -> None:
    """Make the next key that signs checkpoints of the timeline; the old one still proves what it signed."""
    done = key_rotation.rotate_for_good(load_settings(ctx).timeline.signing_key_file, in_seconds)
    click.echo(f"made {done.new}: signs checkpoints from {_second(done.begins)}")
    if done.old:
        click.echo(f"kept {done.old.file}: proves what it signed; its public half alone in its place does as well")
    click.echo("give the new public key to whoever checks evidence: office-node keys export timeline --next")


@keys.command()
@click.argument("use", type=click.Choice(["wipo-client", "token-signing", "timeline"]))
@click.option("--next", "of_next", is_flag=True, help="Of the key that is to come.")
@click.option("--jwk", "as_jwk", is_flag=True, help="The public key as a JWK.")
@_OUTPUT
@click.pass_context
def export(ctx: click.Context, use: str, of_next: bool, as_jwk: bool, output: Path | None) -> None:
    """Print what others may have of a key: WIPO's certificate or our public key; nothing secret ever."""
    settings = load_settings(ctx)
    path = _ring_of(use, settings)
    file = key_rotation.next_key(path) if of_next else key_rotation.present_key(path)
    public = _public_part(file, use, as_jwk)
    if output:
        key_files.write_new(output, public, mode=0o644)
        click.echo(f"wrote {output}")
    else:
        click.echo(public, nl=False)


def _ring_of(use: str, settings: Settings) -> Path:
    if use == "timeline":
        return settings.timeline.signing_key_file
    return settings.wipo.client_key_file if use == "wipo-client" else _own_server(settings).signing_key_file


def _own_server(settings: Settings) -> AuthorizationServer:
    if not settings.authorization_server:
        raise click.UsageError("the settings have no [authorization_server]: this node signs no tokens")
    return settings.authorization_server


def _public_part(file: Path, use: str, as_jwk: bool) -> bytes:
    key = key_files.load_private_key(file)
    if as_jwk:
        return (json.dumps(key_files.public_jwk(key), indent=2) + "\n").encode()
    if use != "wipo-client":
        return key.as_pem(private=False)
    certificates.check_siblings(file, key)
    return certificates.load_certificate(certificates.public_siblings(file)[1]).public_bytes(Encoding.PEM)


def _tell_activated(done: Rotation) -> None:
    click.echo(f"named {done.new}: it signs our assertions from {_second(done.begins)}")
    if done.old:
        click.echo(f"kept {done.old.file}: the next rotation removes it. To go back to it: remove {done.new}")
    click.echo("with workers on other hosts: lay the new files there too")


def _tell_removed(removed: list[Path]) -> None:
    for path in removed:
        click.echo(f"removed {path}")


def _as_json(held: HeldKey) -> dict[str, Any]:
    return {
        "use": held.use,
        "file": held.file,
        "thumbprint": held.thumbprint,
        "state": held.state,
        "since": held.since,
        "until": held.until,
        "days_left": _days_left(held),
        "fault": str(held.fault) if held.fault else None,
    }


def _days_left(held: HeldKey) -> int | None:
    return (held.until - clock.now()).days if held.until else None


def _minute(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "-"


def _second(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
