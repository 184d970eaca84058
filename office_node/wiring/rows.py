"""What works on rows alone, for verbs that need no keys."""

from office_node.auth import keys
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
        give_up_hours=timing.give_up_hours,
    )
