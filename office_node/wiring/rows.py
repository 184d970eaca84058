"""What works on rows and disks alone, for verbs that need no keys."""

from pathlib import Path

from office_node.auth import keys
from office_node.headroom import Headroom
from office_node.outbox.outbox import Outbox
from office_node.settings import Settings
from office_node.storage.database import Database


def build_database(settings: Settings) -> Database:
    """The database. Raises `KeyUnusable` when its password cannot be read."""
    file = settings.database.password_file
    return Database(settings.database.url, keys.load_password(file) if file else None)


def build_outbox(settings: Settings, database: Database) -> Outbox:
    """The outbox, for the verbs that list and retry."""
    timing = settings.outbox
    return Outbox(
        database,
        lease_seconds=timing.lease_seconds,
        first_retry_seconds=timing.first_retry_seconds,
        rest_seconds=timing.rest_seconds,
        give_up_hours=timing.give_up_hours,
        stale_hours=timing.stale_hours,
    )


def build_headroom(settings: Settings, database: Database) -> Headroom:
    """The room that is kept free where documents lie or come, and the database of an embedded node."""
    folders = [settings.library.store, settings.osf.folder]
    if database.is_sqlite:
        folders.append(Path(str(database.engine.url.database)).parent)
    return Headroom(folders, settings.library.headroom_megabytes * 1_000_000)
