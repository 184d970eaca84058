"""Requests that end without WIPO's doing: they grow old, or their document is withdrawn."""

from datetime import timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from office_node import clock, logs
from office_node.document_id import DocumentKind
from office_node.off_retrievals import states
from office_node.off_retrievals.announcements import Announcements
from office_node.off_retrievals.noted import note_of
from office_node.off_retrievals.records import UNENDED
from office_node.off_retrievals.records import ForwardedRetrievalRecord as Retrieval
from office_node.off_retrievals.states import RetrievalState
from office_node.storage.database import Database
from office_node.timeline.steps import Step
from office_node.uploads.service import Uploads

log = structlog.get_logger()

CANNOT_SUPPLY = "The office of first filing could not supply the document"
_AT_ONCE = 500


class Endings:
    """Ends requests; WIPO is told of those of which it never heard that it could fetch."""

    def __init__(
        self, *, database: Database, uploads: Uploads, announcements: Announcements, request_days: int
    ) -> None:
        self._database = database
        self._uploads = uploads
        self._announcements = announcements
        self._request_days = request_days

    def expire_old(self) -> int:
        """End requests that grew too old. Returns how many ended."""
        limit = clock.now() - timedelta(days=self._request_days)
        query = select(Retrieval).where(UNENDED, Retrieval.received_at < limit).order_by(Retrieval.received_at)
        with self._database.transaction() as session:
            old = session.scalars(query.with_for_update(skip_locked=True).limit(_AT_ONCE)).all()
            for retrieval in old:
                unheard = retrieval.state in states.UNHEARD
                because = CANNOT_SUPPLY if unheard else f"older than {self._request_days} days"
                self._end(session, retrieval, RetrievalState.REFUSED if unheard else RetrievalState.EXPIRED, because)
        return len(old)

    def withdraw_all(self, session: Session, kind: DocumentKind, number: str) -> None:
        """End every request for a document, in the transaction that withdraws it: its links stop working at once."""
        query = select(Retrieval).where(Retrieval.kind == kind.value, Retrieval.number == number, UNENDED)
        for retrieval in session.scalars(query.with_for_update()):
            self.withdraw(session, retrieval)

    def withdraw(self, session: Session, retrieval: Retrieval) -> None:
        """End one whose document is withdrawn."""
        self._end(session, retrieval, RetrievalState.WITHDRAWN, CANNOT_SUPPLY)

    def _end(self, session: Session, retrieval: Retrieval, state: RetrievalState, because: str) -> None:
        unheard = retrieval.state in states.UNHEARD
        if retrieval.upload_id:
            self._uploads.give_up(session, retrieval.upload_id)
        retrieval.end(state, because)
        note_of(session, Step.RETRIEVAL_ENDED, retrieval, because=because)
        if unheard:
            self._announcements.put(session, retrieval)
        with logs.bound(acknowledgement_id=retrieval.acknowledgement_id):
            log.info("retrieval ended", state=state.value)
