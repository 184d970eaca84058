"""Damaged files: out of service at once, kept aside for whoever looks into it, told and noted."""

import structlog
from sqlalchemy import select

from office_node import clock
from office_node.library.catalogue import Version
from office_node.library.damage import DocumentDamaged, StoreUnusable
from office_node.library.records import DocumentRecord, VersionRecord
from office_node.library.store import Store
from office_node.storage.database import Database
from office_node.timeline.noting import note
from office_node.timeline.steps import Step

log = structlog.get_logger()

_LONGEST_DAMAGE = 200


class Quarantine:
    """Takes contents out of service, and back."""

    def __init__(self, database: Database, store: Store) -> None:
        self._database = database
        self._store = store

    def put(self, version: Version, damage: DocumentDamaged) -> None:
        """Its file is not what it was: the row first, so that nobody opens it; then the file is set aside.

        Found twice at the same moment, it is told once.
        """
        with self._database.transaction() as session:
            record = session.get_one(VersionRecord, version.version_id, with_for_update=True)
            if record.quarantined_at:
                return
            record.quarantined_at, record.damage = clock.now(), damage.message[:_LONGEST_DAMAGE]
            document = session.get_one(DocumentRecord, record.document_id)
            note(
                session,
                Step.QUARANTINED,
                document.kind,
                document.number,
                version=version.version,
                file=version.version_id,
                damage=damage.message,
            )
        try:
            self._store.set_aside(version.version_id)
        except StoreUnusable as exc:
            log.warning("damaged file not set aside", version_id=version.version_id, reason=exc.message, hint=exc.hint)
        log.error(
            "document found damaged, it is out of service",
            code=damage.code,
            reason=damage.message,
            hint=damage.next_step,
            version_id=version.version_id,
        )

    def lift(self, version: Version) -> None:
        """Its file is what it was again."""
        with self._database.transaction() as session:
            record = session.get_one(VersionRecord, version.version_id, with_for_update=True)
            if record.quarantined_at is None:
                return
            record.quarantined_at, record.damage, record.checked_at = None, None, clock.now()
            document = session.scalars(select(DocumentRecord).where(DocumentRecord.id == record.document_id)).one()
            note(session, Step.RESTORED, document.kind, document.number, version=version.version)
        log.info("damaged document is good again, and in service", version_id=version.version_id)
