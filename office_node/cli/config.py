"""office-node config ..."""

import json
from typing import Any

import click

from office_node import checks
from office_node import settings as settings_file
from office_node.cli.context import echo_json, load_settings
from office_node.settings.reference import settings_reference


@click.group()
def config() -> None:
    """Read and check the settings."""


@config.command()
@click.pass_context
def check(ctx: click.Context) -> None:
    """Tell everything that is wrong with the file and with what it points at.

    Exit code 0 when nothing is wrong but what is marked as a warning.
    """
    found = load_settings(ctx)
    findings = checks.check(found, ctx.find_root().obj.name)
    for finding in findings:
        click.echo(f"{'warning: ' if finding.is_warning else ''}{finding}", err=True)
    if not all(finding.is_warning for finding in findings):
        ctx.exit(1)
    click.echo(f"{ctx.find_root().obj}: good")


@config.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def show(ctx: click.Context, as_json: bool) -> None:
    """Every setting with the value in force, defaults included; secrets masked."""
    shown = settings_file.masked(load_settings(ctx))
    if as_json:
        echo_json(shown)
        return
    for section, values in shown.items():
        _show_section(section, values)


@config.command()
def reference() -> None:
    """Every key there is, with its type, default and meaning: the tables of docs/configuration.md."""
    click.echo(settings_reference(), nl=False)


def _show_section(name: str, values: dict[str, Any]) -> None:
    click.echo(f"[{name}]")
    nested = {key: value for key, value in values.items() if isinstance(value, list) and value[:1] and _is_table(value)}
    for key, value in values.items():
        if key not in nested:
            click.echo(f"{key} = {_toml(value)}")
    click.echo()
    for key, tables in nested.items():
        for table in tables:
            click.echo(f"[[{name}.{key}]]")
            for inner, value in table.items():
                click.echo(f"{inner} = {_toml(value)}")
            click.echo()


def _is_table(values: list[Any]) -> bool:
    return isinstance(values[0], dict)


def _toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            # TOML reads JSON's text, but for the one control character that JSON leaves as it is.
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case list():
            return f"[{', '.join(_toml(item) for item in value)}]"
        case _:
            return str(value)
