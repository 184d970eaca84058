"""What is open about a document in the library: contents that are out of service."""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from office_node.library.damage import DocumentQuarantined
from office_node.library.records import DocumentRecord, VersionRecord
from office_node.timeline.history import OpenMatter


def open_matters(session: Session, kind: str, number: str) -> Iterator[OpenMatter]:
    """Each content that was found damaged, unless a newer one is in its place."""
    found = (
        select(VersionRecord)
        .join(DocumentRecord)
        .where(DocumentRecord.kind == kind, DocumentRecord.number == number)
        .where(VersionRecord.version == DocumentRecord.current_version, VersionRecord.quarantined_at.is_not(None))
    )
    for version in session.scalars(found):
        since = f"{version.quarantined_at:%Y-%m-%d %H:%M} UTC"
        what = f"version {version.version} is out of service since {since}: {version.damage}"
        yield OpenMatter(what, "the administrator", DocumentQuarantined.hint)
