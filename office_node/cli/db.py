"""office-node db ..."""

import click

from office_node.cli.context import ready_database
from office_node.storage import schema


@click.group()
def db() -> None:
    """The database's schema."""


@db.command()
@click.pass_context
def upgrade(ctx: click.Context) -> None:
    """Bring the schema to what this program needs; nothing happens if it is there."""
    database = ready_database(ctx)
    before = schema.current(database)
    schema.upgrade(database)
    click.echo(f"schema at {schema.head()}" + (" already" if before == schema.head() else f", was {before or 'empty'}"))


@db.command()
@click.pass_context
def current(ctx: click.Context) -> None:
    """The revision the database is at."""
    click.echo(schema.current(ready_database(ctx)) or "empty")


@db.command()
@click.pass_context
def check(ctx: click.Context) -> None:
    """Whether the schema fits this program."""
    schema.check(ready_database(ctx))
    click.echo(f"schema fits: {schema.head()}")
