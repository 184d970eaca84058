"""Tells WIPO what is asked for: once each, whatever is lost on the way.

That WIPO is about to be told is written down first. Who finds that note looks at WIPO's list before asking again: an
answer that was lost may have had its effect.
"""

from typing import Protocol

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from office_node import clock, crash_points
from office_node.das.retrieval_messages import Asking, RetrievalNews
from office_node.errors import PeerRefused
from office_node.library.digital_library import DigitalLibrary
from office_node.osf_retrievals.availability import Availability
from office_node.osf_retrievals.records import RequestRecord, locked
from office_node.osf_retrievals.states import RequestState
from office_node.outbox.outbox import Claim, Outbox
from office_node.storage.database import Database

log = structlog.get_logger()


class TakesRequests(Protocol):
    """WIPO, as it is asked for documents."""

    def request_retrieval(self, asking: Asking) -> RetrievalNews: ...

    def retrievals(self, **wanted: str) -> list[RetrievalNews]: ...


class AsksWipo:
    """The worker's part of asking."""

    def __init__(
        self,
        *,
        database: Database,
        library: DigitalLibrary,
        outbox: Outbox,
        wipo: TakesRequests,
        availability: Availability,
    ) -> None:
        self._database = database
        self._library = library
        self._outbox = outbox
        self._wipo = wipo
        self._availability = availability

    def ask(self, claim: Claim) -> None:
        """Ask WIPO, unless it has the request already. Raises what the client raises."""
        request_id = str(claim.payload["request"])
        with self._database.transaction() as session:
            request = locked(session, request_id)
            if request.state != RequestState.ASKED:
                self._outbox.settle(session, claim)
                return
            was_sent = request.first_sent_at is not None
            request.first_sent_at = request.first_sent_at or clock.now()
        crash_points.reached("asking: noted as sent, before it is")
        news = self._known_at_wipo(request) if was_sent else None
        news = news or self._asked(request)
        crash_points.reached("asking: answered, not recorded")
        with self._database.transaction() as session:
            self._outbox.settle(session, claim)
            self._availability.take(session, locked(session, request_id), news)
        log.info("WIPO asked", request_id=request_id, category=news.category, had_it_already=was_sent)

    def _asked(self, request: RequestRecord) -> RetrievalNews:
        kind, number = request.document.kind, request.number
        asking = Asking(
            request.document,
            self._library.reveal(str(request.sealed_access_code), kind, number),
            request.application_category,
            request.application_number,
            request.application_filing_date,
        )
        try:
            return self._wipo.request_retrieval(asking)
        except PeerRefused as exc:
            # The same words again would be refused again: that is the end of the request, and WIPO's reason is kept.
            return RetrievalNews((), "error", exc.message, exc.numbers[0] if exc.numbers else None)

    def _known_at_wipo(self, request: RequestRecord) -> RetrievalNews | None:
        """What WIPO's list says of a request that nobody here has an id of, for this document."""
        told = self._wipo.retrievals(documentKindCategory=request.kind, documentNumber=request.number)
        with self._database.reading() as session:
            fitting = [news for news in told if _fits(session, news, request)]
        return fitting[0] if fitting else None


def _fits(session: Session, news: RetrievalNews, request: RequestRecord) -> bool:
    if news.document != request.document or not news.acknowledgement_ids:
        return False
    known = select(RequestRecord.id).where(RequestRecord.acknowledgement_id.in_(news.acknowledgement_ids))
    return session.scalars(known).first() in (None, request.id)
