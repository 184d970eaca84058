"""The watched folder, joined."""

from office_node.headroom import Headroom
from office_node.intake.folder import IntakeFolder
from office_node.intake.service import Intake
from office_node.intake.watch import Watch
from office_node.off_registrations.overview import Overview
from office_node.off_registrations.service import Registrations
from office_node.outbox.outbox import Outbox
from office_node.settings import Settings
from office_node.storage.database import Database
from office_node.wiring.osf import SecondFiling


def build_intake(
    settings: Settings,
    database: Database,
    outbox: Outbox,
    registrations: Registrations,
    overview: Overview,
    second_filing: SecondFiling,
    headroom: Headroom,
) -> Intake | None:
    """The intake of [intake]; None without that section."""
    if settings.intake is None:
        return None
    folder = IntakeFolder(settings.intake.folder)
    return Intake(
        folder=folder,
        watch=Watch(
            folder=folder,
            database=database,
            outbox=outbox,
            settle_seconds=settings.intake.settle_seconds,
            headroom=headroom,
        ),
        registrations=registrations,
        overview=overview,
        retrievals=second_filing.retrievals,
        requests=second_filing.requests,
        database=database,
        outbox=outbox,
        missing_seconds=settings.intake.missing_seconds,
    )
