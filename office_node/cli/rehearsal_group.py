"""What every verb of `office-node rehearsal` starts from: settings that are a rehearsal's, and a simulated WIPO."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import click

from office_node.cli.context import load_settings
from office_node.errors import OfficeNodeError
from office_node.settings import Rehearsal, Settings

_WIPOS_HOST = re.compile(r"(?i)(?<![\w-])wipo\.int(?![\w-]|\.\w)")


class NoRehearsal(OfficeNodeError):
    """The settings are those of a node in production."""

    code = "N701"
    hint = "rehearse with a copy of config/office.toml as it ships, never with the settings of production"


class RehearsalAway(OfficeNodeError):
    """Simulated WIPO is not running."""

    code = "N702"
    hint = "start it with `office-node rehearsal serve`, with the same settings"


class SetupNotAccepted(OfficeNodeError):
    """A setup was named that the office does not accept."""

    code = "N705"
    hint = "leave --setup out, or add the setup to [trust] accept"


@click.group()
def rehearsal() -> None:
    """The simulated WIPO central."""


def running_central(ctx: click.Context, setup: str | None = None) -> str:
    """Where simulated WIPO is. Raises `NoRehearsal`, or `SetupNotAccepted` if the office does not know `setup`."""
    settings = load_settings(ctx)
    rehearsal_section(settings)
    if setup is not None and setup not in settings.trust.accept:
        raise SetupNotAccepted(f"[trust] accept does not name {setup}")
    return central_url(settings)


@contextmanager
def told_if_away() -> Iterator[None]:
    """Raises `RehearsalAway` in the place of simulated WIPO's silence."""
    from office_node.rehearsal import remote

    try:
        yield
    except remote.CentralAway as exc:
        raise RehearsalAway("simulated WIPO does not answer") from exc


def central_url(settings: Settings) -> str:
    """Where simulated WIPO is, as the office's own settings have it."""
    parts = urlsplit(settings.wipo.token_url)
    return f"{parts.scheme}://{parts.netloc}"


def rehearsal_section(settings: Settings) -> Rehearsal:
    """The section [rehearsal]. Raises `NoRehearsal`."""
    if _WIPOS_HOST.search(settings.model_dump_json()):
        raise NoRehearsal("the settings name a host of wipo.int")
    if settings.rehearsal is None:
        raise NoRehearsal("the settings have no section [rehearsal]")
    return settings.rehearsal
