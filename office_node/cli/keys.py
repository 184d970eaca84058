"""office-node keys ..."""

from collections.abc import Callable
from pathlib import Path

import click

from office_node.auth import keys as key_files
from office_node.cli.context import load_settings
from office_node.settings import Rehearsal, Settings


@click.group()
def keys() -> None:
    """The keys the settings name."""


@keys.command()
@click.pass_context
def generate(ctx: click.Context) -> None:
    """Make the keys that are missing; a key that is there is never touched."""
    made = make_missing(load_settings(ctx))
    for path in made:
        click.echo(f"made {path}")
    if not made:
        click.echo("every key is there")


def make_missing(settings: Settings) -> list[Path]:
    """Make every key file that the settings name and that is not there; returns those that were made."""
    made = []
    sealing_key, store = settings.library.access_code_key_file, settings.library.store
    for path, make in _wanted(settings):
        if path == sealing_key and not path.exists() and any(store.glob("[0-9a-f][0-9a-f]/*")):
            # A new key would be taken for the old one, and then neither would open every code.
            hint = "restore it from the backup of the keys"
            raise key_files.KeyUnusable(
                f"{path}: lost, and it seals the access codes of documents in {store}", hint=hint
            )
        if not path.exists():
            make(path)
            made.append(path)
    return made


def _wanted(settings: Settings) -> list[tuple[Path, Callable[[Path], None]]]:
    wanted: list[tuple[Path, Callable[[Path], None]]] = [
        (settings.library.access_code_key_file, key_files.generate_secret),
        (settings.off.download_link_key_file, key_files.generate_secret),
        (settings.wipo.client_key_file, key_files.generate_private_key),
    ]
    if settings.authorization_server:
        wanted.append((settings.authorization_server.signing_key_file, key_files.generate_private_key))
    if settings.rehearsal:
        wanted += _for_the_rehearsal(settings, settings.rehearsal)
    return wanted


def _for_the_rehearsal(settings: Settings, rehearsal: Rehearsal) -> list[tuple[Path, Callable[[Path], None]]]:
    """Simulated WIPO's key, its public half where our client list wants it, and ours where WIPO's would lie."""
    registered_clients = settings.authorization_server.clients if settings.authorization_server else ()
    clients = [client for client in registered_clients if client.client_id == rehearsal.client_id]
    registered = [path for client in clients for path in client.public_key_files]
    wipo_key, our_key = rehearsal.wipo_key_file, settings.wipo.client_key_file
    return [
        (wipo_key, key_files.generate_private_key),
        *[(path, lambda target: key_files.write_public_half(wipo_key, target)) for path in registered[:1]],
        (rehearsal.office_certificate_files[0], lambda target: key_files.write_public_half(our_key, target)),
    ]
