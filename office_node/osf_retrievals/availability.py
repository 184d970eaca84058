"""What WIPO says of our requests, by a notification (E13) or when it is asked (E12): one verb for both.

The same news twice changes nothing, and news that come too late neither.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from office_node import clock, logs
from office_node.das.error_codes import NotFound
from office_node.das.retrieval_messages import RetrievalNews
from office_node.headroom import Headroom
from office_node.library.policy import StoragePolicy
from office_node.osf_retrievals.noted import note_of
from office_node.osf_retrievals.records import RequestRecord, locked
from office_node.osf_retrievals.states import AWAITED, RequestState
from office_node.outbox.outbox import Outbox
from office_node.storage.database import Database
from office_node.timeline.steps import Step

log = structlog.get_logger()

COLLECT = "collect_document"
_ASKED_ONE_BY_ONE = 50


class TellsOfRequests(Protocol):
    """WIPO, as it is asked how far our requests are."""

    def retrievals(self, **wanted: str) -> list[RetrievalNews]: ...


class Availability:
    """Which documents WIPO has for us."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        wipo: TellsOfRequests,
        storage_policy: StoragePolicy,
        headroom: Headroom,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._wipo = wipo
        self._policy = storage_policy
        self._headroom = headroom

    def notified(self, news: RetrievalNews) -> None:
        """WIPO says it unasked. Raises `NotFound` when it is about no request of ours, and `DiskNearlyFull`."""
        self._headroom.insist()
        if not self.note(news):
            raise NotFound("No such request")

    def note(self, news: RetrievalNews) -> bool:
        """Write down what WIPO says; False when it is about no request of ours."""
        with self._database.transaction() as session:
            meant = _meant(session, news)
            for request in meant:
                logs.bind(request_id=request.id)
                self.take(session, request, news)
        return bool(meant)

    def take(self, session: Session, request: RequestRecord, news: RetrievalNews) -> None:
        """The same, about a request that the caller holds."""
        if request.state not in AWAITED:
            return
        if request.acknowledgement_id is None and news.acknowledgement_ids:
            request.acknowledgement_id = news.acknowledgement_ids[0]
            request.acknowledged_at = clock.now()
            note_of(session, Step.ACKNOWLEDGED, request, wipo_id=request.acknowledgement_id)
        match news.category:
            case "pending" if request.state == RequestState.ASKED and request.acknowledgement_id:
                request.move(RequestState.ACKNOWLEDGED)
            case "success" if request.acknowledgement_id:
                self._available(session, request)
            case "error":
                because = news.said if news.said.startswith("WIPO") else f"WIPO: {news.said}"
                request.end(RequestState.REFUSED, because, news.error_code)
                note_of(session, Step.ASKING_REFUSED, request, said=news.said, code=news.error_code)
                log.warning("WIPO cannot supply the document", reason=news.said, das_code=news.error_code)
            case _:
                pass

    def poll(self) -> int:
        """Ask WIPO about all that is awaited; returns of how many it has news. Raises what the client raises."""
        awaited = self._awaited()
        if not awaited:
            return 0
        told = self._wipo.retrievals()
        heard = {name for news in told for name in news.acknowledgement_ids}
        # What ended long ago no longer stands among all: it is asked for by name, a few at a time.
        for name in [name for name in awaited if name and name not in heard][:_ASKED_ONE_BY_ONE]:
            told += self._wipo.retrievals(requestAckId=name)
        # A request whose id is not known here may be meant by any entry; else what is awaited has its id.
        names = None if None in awaited else set(awaited)
        news_of_ours = [news for news in told if names is None or names.intersection(news.acknowledgement_ids)]
        return sum(self.note(news) for news in news_of_ours if news.category != "pending")

    def _available(self, session: Session, request: RequestRecord) -> None:
        decision = self._policy.decide(request.document.kind, request.number, request.classed)
        now: datetime = clock.now()
        request.move(RequestState.AVAILABLE, available_at=now, keep_until=now + decision.max_age)
        self._outbox.put(session, COLLECT, f"{COLLECT}:{request.id}", {"request": request.id}, request.id)
        note_of(session, Step.AVAILABLE, request, place=decision.place.value)
        log.info("document available", request_id=request.id)

    def _awaited(self) -> Sequence[str | None]:
        sent = RequestRecord.first_sent_at.is_not(None)
        query = select(RequestRecord.acknowledgement_id).where(RequestRecord.state.in_(AWAITED), sent)
        with self._database.reading() as session:
            return session.scalars(query).all()


def _meant(session: Session, news: RetrievalNews) -> list[RequestRecord]:
    """The requests of that id; else, while its answer is still on the way, the one about that document."""
    by_id = select(RequestRecord.id).where(RequestRecord.acknowledgement_id.in_(news.acknowledgement_ids))
    found = list(session.scalars(by_id.order_by(RequestRecord.id)))
    if not found and news.document:
        document = news.document
        unanswered = select(RequestRecord.id).where(
            RequestRecord.kind == document.kind.value,
            RequestRecord.number == document.number,
            RequestRecord.date == document.date,
            RequestRecord.state == RequestState.ASKED,
            RequestRecord.first_sent_at.is_not(None),
            RequestRecord.acknowledgement_id.is_(None),
        )
        one = list(session.scalars(unanswered.limit(2)))
        found = one if len(one) == 1 else []
    return [locked(session, request_id) for request_id in found]
