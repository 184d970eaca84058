"""The command line: one noun a file; each noun is imported only when it is named."""

import importlib
from pathlib import Path

import click

from office_node import __version__
from office_node.errors import OfficeNodeError

_NOUNS = {
    "backup": "copies of database and library, signed and proven",
    "config": "read and check the settings",
    "db": "the database's schema",
    "keys": "the keys the settings name",
    "library": "the digital library",
    "errors": "what a code means and what to do",
    "health": "whether the node can do its work now",
    "outbox": "what is still to be done and told",
    "registrations": "what WIPO shall know of the office's documents",
    "retrievals": "documents that this office asks WIPO for",
    "rehearsal": "the simulated WIPO central",
    "timeline": "what happened to each document and request",
    "serve": "start web and worker, stop them together",
    "web": "start the web processes alone",
    "worker": "start a worker alone",
}
_ALONE = {"serve": "serve", "web": "serve", "worker": "serve"}


class _Nouns(click.Group):
    """Loads a noun's file when it is asked for, and turns our errors into one line and exit code 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _NOUNS:
            return None
        module = importlib.import_module(f"office_node.cli.{_ALONE.get(cmd_name, cmd_name)}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_NOUNS.items()))

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except OfficeNodeError as exc:
            # What was typed may be quoted, and need not be UTF-8.
            click.echo(str(exc).encode(errors="backslashreplace").decode(), err=True)
            ctx.exit(1)


@click.group(cls=_Nouns, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("config/office.toml"),
    envvar="OFFICE_NODE_CONFIG",
    show_default=True,
    help="The settings.",
)
@click.version_option(__version__)
@click.pass_context
def main(ctx: click.Context, config_file: Path) -> None:
    """The office node: exchanges priority documents with WIPO DAS."""
    ctx.obj = config_file
