"""office-node db ..."""

import click

from office_node import logs
from office_node.cli.context import load_settings
from office_node.storage import schema
from office_node.storage.database import Database
from office_node.wiring import build_database


@click.group()
def db() -> None:
    """The database's schema."""


@db.command()
@click.pass_context
def upgrade(ctx: click.Context) -> None:
    """Bring the schema to what this program needs; nothing happens if it is there."""
    database = _database(ctx)
    before = schema.current(database)
    schema.upgrade(database)
    click.echo(f"schema at {schema.head()}" + (" already" if before == schema.head() else f", was {before or 'empty'}"))


@db.command()
@click.pass_context
def current(ctx: click.Context) -> None:
    """The revision the database is at."""
    click.echo(schema.current(_database(ctx)) or "empty")


@db.command()
@click.pass_context
def check(ctx: click.Context) -> None:
    """Whether the schema fits this program."""
    schema.check(_database(ctx))
    click.echo(f"schema fits: {schema.head()}")


def _database(ctx: click.Context) -> Database:
    settings = load_settings(ctx)
    logs.configure("warning", process="cli")
    return build_database(settings)
