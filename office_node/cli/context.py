"""What every verb starts from: the settings, and the parts it needs."""

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from office_node import logs, settings
from office_node.settings import Settings

if TYPE_CHECKING:  # a verb without a database shall not wait for the libraries of one
    from office_node.storage.database import Database
    from office_node.wiring.node import Node


def load_settings(ctx: click.Context) -> Settings:
    """The settings named by --config. Raises `SettingsFaulty`."""
    file: Path = ctx.find_root().obj
    return settings.load(file)


def ready_node(ctx: click.Context) -> "Node":
    """A node for a verb, its log kept to warnings. Raises what would keep it from working, `SchemaDoesNotFit` too."""
    from office_node.storage import schema
    from office_node.wiring.node import build_node

    found = load_settings(ctx)
    logs.configure("warning", process="cli")
    node = build_node(found)
    ctx.call_on_close(node.database.close)
    schema.check(node.database)
    return node


def ready_database(ctx: click.Context) -> "Database":
    """The database alone, for a verb that needs no keys; whether its schema fits is not asked."""
    from office_node.wiring.rows import build_database

    found = load_settings(ctx)
    logs.configure("warning", process="cli")
    database = build_database(found)
    ctx.call_on_close(database.close)
    return database


def echo_json(value: Any) -> None:
    """For scripts: one JSON value."""
    text = json.dumps(value, indent=2, default=_told, ensure_ascii=False)
    # What a peer said may not be UTF-8, or steer a terminal; JSON writes such letters as it wants any to be written.
    click.echo("".join(c if c.isprintable() or c == "\n" else f"\\u{ord(c):04x}" for c in text))


def _told(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def plain(record: Any) -> dict[str, Any]:
    """A dataclass as JSON-ready data."""
    return asdict(record)
