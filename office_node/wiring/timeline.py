"""The timeline's verbs, joined."""

from datetime import timedelta

from joserfc.jwk import ECKey

from office_node.auth import keys
from office_node.auth.key_ring import KeyRing
from office_node.library.open_matters import open_matters as of_library
from office_node.off_registrations.open_matters import open_matters as of_registrations
from office_node.off_retrievals.open_matters import open_matters as of_forwarded_retrievals
from office_node.osf_retrievals.open_matters import open_matters as of_requests
from office_node.settings import Settings
from office_node.storage.database import Database
from office_node.timeline.checkpoints import Checkpoints
from office_node.timeline.history import Histories
from office_node.timeline.verification import TimelineVerification


def build_checkpoints(settings: Settings, database: Database) -> Checkpoints:
    """Signs them. Raises `KeyUnusable`."""
    return Checkpoints(
        database=database,
        key=_ring(settings).signing,
        folder=settings.timeline.checkpoint_folder,
        office=settings.office.code,
        every=timedelta(minutes=settings.timeline.checkpoint_minutes),
    )


def build_timeline_verification(settings: Settings, database: Database) -> TimelineVerification:
    """Reads it all. Raises `KeyUnusable`."""
    ring = _ring(settings)

    def key_of(thumbprint: str) -> ECKey | None:
        return next((key for key in ring.verifying().values() if key.thumbprint() == thumbprint), None)

    return TimelineVerification(database, settings.timeline.checkpoint_folder, key_of)


def build_histories(database: Database) -> Histories:
    """What happened, and what is open."""
    return Histories(database, [of_library, of_forwarded_retrievals, of_registrations, of_requests])


def _ring(settings: Settings) -> KeyRing:
    return KeyRing(settings.timeline.signing_key_file, load=keys.load_either_half)
