"""office-node errors ..."""

import click

from office_node.cli.context import echo_json, plain
from office_node.errors import OfficeNodeError


class NoSuchCode(OfficeNodeError):
    """The catalogue has no failure of that code."""

    code = "N717"
    hint = "`office-node errors list` tells every code"


@click.group()
def errors() -> None:
    """What a code means, whose turn it is, and what to do."""


@errors.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_errors(as_json: bool) -> None:
    """Every code."""
    from office_node.error_catalogue import entries

    if as_json:
        echo_json([plain(entry) for entry in entries()])
        return
    for entry in entries():
        click.echo(f"{entry.code} {entry.cause}")


@errors.command()
@click.argument("code")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def show(code: str, as_json: bool) -> None:
    """One CODE, such as N342."""
    from office_node.error_catalogue import entries

    found = [entry for entry in entries() if entry.code == code.upper()]
    if not found:
        raise NoSuchCode(f"there is no code {code[:20]}")
    if as_json:
        echo_json(plain(found[0]))
        return
    click.echo(f"{found[0].code}: {found[0].cause}\nwhose turn: {found[0].owner}\nwhat to do: {found[0].next_step}")


@errors.command()
def reference() -> None:
    """The tables of docs/error-catalogue.md."""
    from office_node.error_catalogue import reference as tables

    click.echo(tables(), nl=False)
