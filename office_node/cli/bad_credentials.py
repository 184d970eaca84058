"""office-node rehearsal bad-credentials"""

import sys
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import click

from office_node.cli.context import echo_json, load_settings
from office_node.cli.rehearsal_group import rehearsal, running_central, told_if_away
from office_node.errors import OfficeNodeError

_TITLES = {
    ("assertion", "own"): "token requests and assertions, at the office's token endpoint",
    ("token", "own"): "tokens of the office's own server, at its API",
    ("token", "wipo"): "tokens of WIPO's server, at the office's API",
}


class OfficeAway(OfficeNodeError):
    """The office that is to be tried does not answer."""

    code = "N704"
    hint = "start it with `office-node serve`, with the same settings"


class NoSuchRow(OfficeNodeError):
    """The catalogue has nothing under this number."""

    code = "N706"
    hint = "the numbers are those of the table of checks; leave --number out to try everything"


@rehearsal.command("bad-credentials")
@click.option("--number", type=int, help="Only this row of the table of checks.")
@click.option("--setup", type=click.Choice(["own", "wipo"]), help="Only this one; every accepted one if not given.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def bad_credentials(ctx: click.Context, number: int | None, setup: str | None, as_json: bool) -> None:
    """Let the running simulated WIPO try every bad credential on the running node, and the good ones beside them.

    Every setup of [trust] accept is tried unless one is named. Exit code 1 if an answer is not as it must be.
    """
    central = running_central(ctx, setup)
    from office_node.rehearsal import remote

    if not remote.answers(load_settings(ctx).web.public_url):
        raise OfficeAway("the office does not answer")
    with told_if_away():
        entries = [
            entry
            for entry in remote.get(central, "bad-credentials")
            if number in (None, entry["number"]) and setup in (None, entry["setup"])
        ]
        if not entries:
            raise NoSuchRow(f"nothing has the number {number} here")
        outcomes = (remote.post(central, "bad-credentials", entry) for entry in entries)
        good = _as_json(outcomes, len(entries)) if as_json else _told(outcomes)
    sys.exit(0 if good else 1)


def _as_json(outcomes: Iterator[dict[str, Any]], length: int) -> bool:
    with click.progressbar(
        outcomes, length=length, label="trying", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as progress:
        tried = list(progress)
    echo_json(tried)
    return all(outcome["ok"] for outcome in tried)


def _told(outcomes: Iterator[dict[str, Any]]) -> bool:
    """A line for each as it comes, and a sum for each group."""
    sums = []
    for (kind, setup), group in groupby(outcomes, key=lambda outcome: (outcome["kind"], outcome["setup"])):
        click.echo(_TITLES[kind, setup])
        tried = []
        for outcome in group:
            click.echo(_line(outcome))
            tried.append(outcome)
        sums.append((kind, setup, tried))
    for kind, setup, tried in sums:
        click.echo(f"{kind}s ({setup}): {_sum(tried)}")
    return all(outcome["ok"] for _, _, tried in sums for outcome in tried)


def _line(outcome: dict[str, Any]) -> str:
    verdict = "ok" if outcome["ok"] else f"FAILED: {outcome['sentence']}"
    number, name, expected, got = (outcome[key] for key in ("number", "name", "expected", "got"))
    return f"  {number:>3}  {name:<30} {expected:<50} {got:<28} {verdict}"


def _sum(tried: list[dict[str, Any]]) -> str:
    accepted = sum(outcome["ok"] and outcome["got"].startswith("200") for outcome in tried)
    refused = sum(outcome["ok"] for outcome in tried) - accepted
    return f"{refused} bad refused, {accepted} good accepted, {len(tried) - refused - accepted} FAILED"
