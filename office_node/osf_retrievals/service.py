"""What the office asks for: each request is written down once, and the outbox message for it; WIPO hears it later."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date
from uuid import uuid4

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from office_node import clock
from office_node.document_id import PriorityDocumentId
from office_node.library import filing_dates
from office_node.library.classification import Classification
from office_node.library.digital_library import DigitalLibrary
from office_node.library.policy import StoragePolicy
from office_node.osf_retrievals.noted import note_of
from office_node.osf_retrievals.records import RequestRecord
from office_node.osf_retrievals.states import RequestState
from office_node.outbox.outbox import Outbox
from office_node.storage.database import Database
from office_node.timeline.steps import Step

log = structlog.get_logger()

ASK = "ask_wipo"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A document, and the office's own application for which it is wanted."""

    document: PriorityDocumentId
    access_code: str = field(repr=False)
    classification: Classification = Classification.CONFIDENTIAL
    application_category: str | None = None
    application_number: str | None = None
    application_filing_date: date | None = None

    @property
    def open_key(self) -> str:
        """The same for what is the same request."""
        document = self.document
        same = [document.kind.value, document.number, document.date.isoformat(), self.application_number]
        return hashlib.sha256(json.dumps(same).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking."""

    request_id: str
    is_new: bool
    """Whether this call wrote it down; else the same had been asked for before."""


class Retrievals:
    """Requests of this office."""

    def __init__(
        self, *, database: Database, library: DigitalLibrary, outbox: Outbox, storage_policy: StoragePolicy
    ) -> None:
        self._database = database
        self._library = library
        self._outbox = outbox
        self._policy = storage_policy

    def ask(self, wanted: Wanted, *, again: bool = False) -> Asked:
        """Have WIPO asked for a document; the same for the same application is one request.

        With `again`, what was collected is asked for anew. Raises `BadAccessCode`, `DateAhead` and `MayNotBeFetched`.
        """
        document = wanted.document
        filing_dates.refuse_ahead(document.date)
        self._policy.insist_on_fetching(document.kind, document.number, wanted.classification)
        sealed = self._library.seal(wanted.access_code, document.kind, document.number)
        request_id = uuid4().hex
        with self._database.transaction() as session:
            if again:
                _set_free(session, wanted.open_key)
            row = {
                "id": request_id,
                "open_key": wanted.open_key,
                "kind": document.kind.value,
                "number": document.number,
                "date": document.date,
                "classification": wanted.classification.value,
                "application_category": wanted.application_category,
                "application_number": wanted.application_number,
                "application_filing_date": wanted.application_filing_date,
                "sealed_access_code": sealed,
                "state": RequestState.ASKED.value,
                "created_at": clock.now(),
            }
            if not self._database.insert_once(session, RequestRecord, row):
                known = session.scalars(select(RequestRecord.id).where(RequestRecord.open_key == wanted.open_key)).one()
                return Asked(known, is_new=False)
            request = session.get_one(RequestRecord, request_id)
            self._outbox.put(session, ASK, f"{ASK}:{request_id}", {"request": request_id}, request_id)
            note_of(session, Step.ASKED, request, application=wanted.application_number)
        log.info("request written down", request_id=request_id)
        return Asked(request_id, is_new=True)


def _set_free(session: Session, open_key: str) -> None:
    for request in session.scalars(select(RequestRecord).where(RequestRecord.open_key == open_key).with_for_update()):
        if request.state == RequestState.COLLECTED:
            request.open_key = None
    session.flush()
