"""Backups, joined with what they copy and what a restore has to put in doubt."""

from office_node.backup.making import Backups
from office_node.backup.restoring import Restoring
from office_node.library.store import Store
from office_node.off_registrations import records as off_registrations
from office_node.osf_retrievals import records as osf_retrievals
from office_node.outbox.outbox import Outbox
from office_node.settings import Settings, masked
from office_node.storage.database import Database
from office_node.wiring.keys import build_timeline_keys
from office_node.wiring.rows import build_database, build_outbox
from office_node.wiring.store import build_store


def build_backups(settings: Settings, database: Database, store: Store) -> Backups:
    """What makes them. Raises `KeyUnusable`."""
    keys = build_timeline_keys(settings)
    return Backups(
        database=database,
        store=store,
        office=settings.office.code,
        settings=masked(settings),
        signing=keys.signing,
        key_of=keys.of,
    )


def build_restoring(settings: Settings, database: Database, store: Store, outbox: Outbox) -> Restoring:
    """What proves them and brings them back. Raises `KeyUnusable`."""
    return Restoring(
        backups=build_backups(settings, database, store),
        database=database,
        store=store,
        incoming=settings.library.store / "incoming",
        office=settings.office.code,
        key_of=build_timeline_keys(settings).of,
        checkpoint_folder=settings.timeline.checkpoint_folder,
        doubts=(outbox.doubt, off_registrations.doubt, osf_retrievals.doubt),
    )


def restoring_alone(settings: Settings) -> tuple[Restoring, Database]:
    """The same without the rest of a node, which a lost one does not have; and the database it would restore into.

    Opens no connection: a backup is proven without a database. Raises `KeyUnusable`.
    """
    database = build_database(settings)
    return build_restoring(settings, database, build_store(settings), build_outbox(settings, database)), database
