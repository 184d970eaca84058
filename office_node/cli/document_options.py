"""The options that name a priority document, the same on every verb."""

import sys

import click

from office_node.document_id import DocumentKind
from office_node.library.classification import Classification


def _asked_for(_ctx: click.Context, _option: click.Parameter, given: str | None) -> str:
    """The access code, asked for where it is not in the command line, which others on the machine can read."""
    return ask_access_code() if given is None else given


def ask_access_code(label: str = "Access code") -> str:
    """The access code from whoever sits at the terminal, typed twice as it is not echoed; else the first line of
    standard input."""
    if sys.stdin.isatty():
        return str(click.prompt(label, hide_input=True, confirmation_prompt=True))
    line = sys.stdin.readline().strip()
    if not line:
        raise click.MissingParameter("Write it on the first line of standard input.", param_type="option")
    return line


KIND = click.option("--kind", required=True, type=click.Choice([kind.value for kind in DocumentKind]), help="Its kind.")
NUMBER = click.option("--number", required=True, help='Its number, such as "US 98/012,357".')
DATE = click.option("--date", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Filing date, YYYY-MM-DD.")
CLASSIFICATION = click.option(
    "--class",
    "classification",
    type=click.Choice([classification.value for classification in Classification]),
    help="How confidential it is, for a document that is new.  [default: confidential]",
)
ACCESS_CODE = click.option(
    "--access-code",
    callback=_asked_for,
    help="Four letters or digits; never shown. Others on this machine can read it here: without the option it is "
    "asked for, or read from the first line of standard input.",
)
