"""The timeline's verbs, joined."""

from dataclasses import dataclass
from datetime import timedelta

from office_node.library.open_matters import open_matters as of_library
from office_node.off_registrations.open_matters import open_matters as of_registrations
from office_node.off_retrievals.open_matters import open_matters as of_forwarded_retrievals
from office_node.osf_retrievals.open_matters import open_matters as of_requests
from office_node.settings import Settings
from office_node.storage.database import Database
from office_node.timeline.checkpoints import Checkpoints
from office_node.timeline.evidence import Evidence
from office_node.timeline.history import Histories
from office_node.timeline.verification import TimelineVerification
from office_node.wiring.keys import build_timeline_keys


@dataclass(frozen=True, slots=True)
class Timeline:
    """Its verbs. What happens is noted by each room itself."""

    checkpoints: Checkpoints
    verification: TimelineVerification
    histories: Histories
    evidence: Evidence


def build_timeline(settings: Settings, database: Database) -> Timeline:
    """As [timeline] describes it. Raises `KeyUnusable`."""
    section, office = settings.timeline, settings.office.code
    keys = build_timeline_keys(settings)
    return Timeline(
        checkpoints=Checkpoints(
            database=database,
            key=keys.signing,
            folder=section.checkpoint_folder,
            office=office,
            every=timedelta(minutes=section.checkpoint_minutes),
        ),
        verification=TimelineVerification(database, section.checkpoint_folder, keys.of),
        histories=Histories(database, [of_library, of_forwarded_retrievals, of_registrations, of_requests]),
        evidence=Evidence(database, office),
    )
