"""Requests that end by age, and bytes that may lie here no longer."""

from collections.abc import Sequence
from datetime import timedelta

import structlog
from sqlalchemy import Select, select

from office_node import clock
from office_node.osf_retrievals.coming import ComingFiles
from office_node.osf_retrievals.handing_over import CollectedFolder, name_of
from office_node.osf_retrievals.noted import note_of
from office_node.osf_retrievals.records import RequestRecord, locked
from office_node.osf_retrievals.states import AWAITED, HERE, RequestState
from office_node.storage.database import Database
from office_node.timeline.steps import Step

log = structlog.get_logger()

_AT_ONCE = 500


class RequestEndings:
    """What housekeeping does about our requests; what a killed worker left is done by the next."""

    def __init__(
        self, *, database: Database, coming: ComingFiles, collected: CollectedFolder, request_days: int
    ) -> None:
        self._database = database
        self._coming = coming
        self._collected = collected
        self._request_days = request_days

    def end_old(self) -> int:
        """End what WIPO did not answer in time; returns how many."""
        limit = clock.now() - timedelta(days=self._request_days)
        old = select(RequestRecord.id).where(RequestRecord.state.in_(AWAITED), RequestRecord.created_at < limit)
        return self._ended(old, AWAITED, f"no answer of WIPO's within {self._request_days} days")

    def delete_outdated(self) -> int:
        """Delete all bytes whose time is over, handed over or not; returns of how many requests.

        Raises `StoreUnusable`; what could not be deleted is tried again.
        """
        outdated = select(RequestRecord.id).where(RequestRecord.keep_until <= clock.now()).limit(_AT_ONCE)
        with self._database.reading() as session:
            found = session.scalars(outdated).all()
        for request_id in found:
            self._delete(request_id)
        self._coming.remove_strays()
        return len(found)

    def _delete(self, request_id: str) -> None:
        """The files first: the row says that they are to go until they are gone."""
        with self._database.transaction() as session:
            request = locked(session, request_id)
            if request.state in HERE:
                request.end(RequestState.EXPIRED, "not collected before its time in transit was over")
                note_of(session, Step.ASKING_EXPIRED, request, because=request.ended_because)
        coming = self._coming.forget(request_id)
        removed = self._collected.remove(name_of(request))
        with self._database.transaction() as session:
            present = locked(session, request_id)
            if present.keep_until is None:
                return  # another worker was quicker
            present.keep_until = None
            was_taken = present.handed_over_as is not None and not removed
            if coming or removed or was_taken:
                note_of(session, Step.COPY_DELETED, present, files=coming + len(removed), taken_before=was_taken)
        log.info("time in transit over, copy deleted", request_id=request_id, files=coming + len(removed))

    def _ended(self, query: Select[str], states: Sequence[RequestState], because: str) -> int:
        with self._database.transaction() as session:
            ended = 0
            for request_id in session.scalars(query.limit(_AT_ONCE)).all():
                request = locked(session, request_id)
                if request.state in states:
                    request.end(RequestState.EXPIRED, because)
                    note_of(session, Step.ASKING_EXPIRED, request, because=because)
                    ended += 1
        return ended
