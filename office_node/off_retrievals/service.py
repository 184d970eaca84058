"""The node's own part of a forwarded retrieval: accept it, prepare it, announce it, end it when it grows old."""

import hashlib
import json
from typing import Any, Protocol
from uuid import uuid4

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from office_node import clock, crash_points, logs
from office_node.auth.token_verifier import VerifiedClaims
from office_node.das import error_codes, number_formats
from office_node.das.error_codes import Detail, DocumentMismatch
from office_node.das.messages import RetrievalRequest
from office_node.das.number_formats import BadDocumentNumber
from office_node.document_id import DocumentKind
from office_node.errors import NotYet
from office_node.headroom import Headroom
from office_node.library import changes
from office_node.library.catalogue import CatalogueEntry
from office_node.library.damage import FileMissing
from office_node.library.digital_library import DigitalLibrary
from office_node.off_retrievals import states
from office_node.off_retrievals.announcements import Announcements
from office_node.off_retrievals.endings import CANNOT_SUPPLY, Endings
from office_node.off_retrievals.noted import note_of
from office_node.off_retrievals.records import ForwardedRetrievalRecord as Retrieval
from office_node.off_retrievals.records import locked
from office_node.off_retrievals.states import RetrievalState
from office_node.outbox.outbox import Claim, Outbox
from office_node.storage.database import Database
from office_node.timeline.noting import note
from office_node.timeline.steps import Step
from office_node.uploads.service import Then, Uploads

log = structlog.get_logger()

PREPARE = "prepare_retrieval"
TRANSIT = "announce_transit"


class Notifies(Protocol):
    """What this capability needs of WIPO's client."""

    def notify(self, notification: dict[str, Any]) -> None: ...


class ForwardedRetrievals:
    """Steps 2 and 3 of flow F3 (protocol.md 7)."""

    def __init__(
        self,
        *,
        database: Database,
        library: DigitalLibrary,
        outbox: Outbox,
        uploads: Uploads,
        wipo: Notifies,
        announcements: Announcements,
        endings: Endings,
        big_document_bytes: int,
        headroom: Headroom,
    ) -> None:
        """A document with more bytes goes through WIPO's transit zone, if it has no bound of its own."""
        self._database = database
        self._library = library
        self._outbox = outbox
        self._uploads = uploads
        self._wipo = wipo
        self._announcements = announcements
        self._endings = endings
        self._big_document_bytes = big_document_bytes
        self._headroom = headroom

    def accept(self, caller: VerifiedClaims, request: RetrievalRequest) -> str:
        """Take the request on; returns our acknowledgement id. A repeat of an open request gets the same id.

        Raises `DocumentMismatch` with -7, -12 or -14, never telling what was expected; and `DiskNearlyFull`.
        """
        self._headroom.insist()
        try:
            return self._accepted(caller, request)
        except DocumentMismatch as exc:
            self._note_refusal(caller, request, exc)
            raise

    def _accepted(self, caller: VerifiedClaims, request: RetrievalRequest) -> str:
        acknowledgement_id = str(uuid4())
        wipo_id = next(iter(request.acknowledgement_ids), None)
        with self._database.transaction() as session:
            entry = self._asked_for(session, request)
            open_key = _open_key(caller, request, entry)
            if known := _open_request(session, open_key):
                return self._repeated(session, known)
            row = {
                "acknowledgement_id": acknowledgement_id,
                "wipo_acknowledgement_id": wipo_id,
                "client_id": caller.client_id,
                "open_key": open_key,
                "kind": entry.document.kind.value,
                "number": entry.document.number,
                "date": entry.document.date,
                "state": RetrievalState.RECEIVED.value,
                "received_at": clock.now(),
            }
            if not self._database.insert_once(session, Retrieval, row):
                # On PostgreSQL two repeats may arrive at the same instant: the other one was first by a hair.
                known = _open_request(session, open_key)
                return self._repeated(session, known) if known else self._accepted(caller, request)
            self._outbox.put(session, PREPARE, f"{PREPARE}:{acknowledgement_id}", {}, acknowledgement_id)
            note(
                session,
                Step.RETRIEVAL_RECEIVED,
                entry.document.kind,
                entry.document.number,
                subject=acknowledgement_id,
                wipo_id=wipo_id,
                client=caller.client_id,
            )
        crash_points.reached("retrieval: written down, not answered")
        logs.bind(acknowledgement_id=acknowledgement_id)
        log.info("retrieval accepted", wipo_acknowledgement_id=wipo_id)
        return acknowledgement_id

    def prepare(self, claim: Claim) -> None:
        """Read the document whole against its digest; then WIPO may be told, in the same transaction.

        Raises `FileMissing`, `DocumentDamaged` or `StoreUnusable`: tried again, for an administrator can mend them.
        """
        acknowledgement_id = str(claim.acknowledgement_id)
        with self._database.reading() as session:
            asked = session.get_one(Retrieval, acknowledgement_id)
            entry = self._library.look_up(session, DocumentKind(asked.kind), asked.number)
        if asked.state in states.ENDED:
            self._settle(claim)  # nobody waits for it: a damaged file of it must not be tried for days
            return
        if entry is None:
            raise FileMissing("the document left the catalogue")
        self._library.check(entry.current)
        crash_points.reached("retrieval: read whole, not recorded")
        with self._database.transaction() as session:
            # Looked up anew, and held: it may have been withdrawn, or replaced, while the file was read.
            changes.lock(session, entry.document.kind, entry.document.number)
            present = self._library.look_up(session, entry.document.kind, entry.document.number) or entry
            self._outbox.settle(session, claim)
            retrieval = locked(session, acknowledgement_id)
            if retrieval.state != RetrievalState.RECEIVED:
                return  # ended meanwhile: there is nothing to tell
            if present.current.version_id != entry.current.version_id:
                raise NotYet("the document was replaced while it was read", seconds=0, is_ours=True)
            if present.withdrawn_at:
                self._endings.withdraw(session, retrieval)
            elif self._is_big(entry):
                self._begin_transit(session, retrieval, entry)
            else:
                version_id = entry.current.version_id
                retrieval.move(RetrievalState.PREPARED, prepared_at=clock.now(), version_id=version_id)
                self._announcements.put(session, retrieval)
                note_of(session, Step.RETRIEVAL_PREPARED, retrieval, version=entry.current.version)
        log.info("document prepared", version_id=entry.current.version_id, bytes=entry.current.size)

    def announce_transit(self, claim: Claim) -> None:
        """The upload of a big document has ended: then WIPO may be told, with the file's id (flow F4)."""
        with self._database.transaction() as session:
            self._outbox.settle(session, claim)
            retrieval = locked(session, str(claim.acknowledgement_id))
            upload = self._uploads.look_up(session, str(retrieval.upload_id))
            if retrieval.state != RetrievalState.UPLOADING:
                return
            if upload.is_accepted:
                retrieval.move(RetrievalState.PREPARED, prepared_at=clock.now())
                note_of(session, Step.RETRIEVAL_PREPARED, retrieval, through="transit", file_id=upload.file_id)
            else:
                retrieval.end(RetrievalState.REFUSED, CANNOT_SUPPLY)
                note_of(session, Step.RETRIEVAL_ENDED, retrieval, because=CANNOT_SUPPLY)
            self._announcements.put(session, retrieval, upload.file_id if upload.is_accepted else None)
        log.info("transit ended", accepted=upload.is_accepted, file_id=upload.file_id, reason=upload.reason)

    def announce(self, claim: Claim) -> None:
        """Tell WIPO what was put into the outbox. Raises what `DasClient.notify` raises."""
        acknowledgement_id = str(claim.acknowledgement_id)
        category = claim.payload["requestStatusCategory"]
        with self._database.reading() as session:
            overtaken = session.get_one(Retrieval, acknowledgement_id).status().category != category
        if overtaken:
            # It ended while WIPO was away: what would be announced is no longer true.
            self._settle(claim)
            log.warning("notification overtaken, not sent", category=category)
            return
        self._wipo.notify(claim.payload)
        crash_points.reached("notification: answered, not recorded")
        with self._database.transaction() as session:
            self._outbox.settle(session, claim)
            retrieval = locked(session, acknowledgement_id)
            note_of(session, Step.RETRIEVAL_NOTIFIED, retrieval, status=category)
            if retrieval.may_move(RetrievalState.NOTIFIED):
                retrieval.move(RetrievalState.NOTIFIED, notified_at=clock.now())
        log.info("WIPO notified", category=category)

    def _repeated(self, session: Session, known: Retrieval) -> str:
        """The same id again; and what WIPO was told meanwhile, under an id that it had not heard of."""
        if known.state in states.TOLD:
            self._announcements.put_again(session, known)
        logs.bind(acknowledgement_id=known.acknowledgement_id)
        log.info("retrieval repeated")
        return known.acknowledgement_id

    def _note_refusal(self, caller: VerifiedClaims, request: RetrievalRequest, exc: DocumentMismatch) -> None:
        """For the clerk who is asked why; of documents that are not here there is no timeline."""
        kind = request.document_kind_category
        try:
            number = number_formats.normalise(kind, request.document_number)
        except BadDocumentNumber:
            return
        if self._library.find(kind, number) is None:
            return
        codes = " ".join(str(detail.code) for detail in exc.details)
        with self._database.transaction() as session:
            note(session, Step.RETRIEVAL_REFUSED, kind, number, codes=codes, client=caller.client_id)

    def _is_big(self, entry: CatalogueEntry) -> bool:
        bound = entry.big_document_bytes
        return entry.current.size > (self._big_document_bytes if bound is None else bound)

    def _begin_transit(self, session: Session, retrieval: Retrieval, entry: CatalogueEntry) -> None:
        acknowledgement_id, version_id = retrieval.acknowledgement_id, entry.current.version_id
        upload_id = self._uploads.begin(
            session,
            version_id,
            reference=acknowledgement_id,
            subject=acknowledgement_id,
            then=Then(TRANSIT, f"{TRANSIT}:{acknowledgement_id}", {}),
        )
        retrieval.move(RetrievalState.UPLOADING, upload_id=upload_id, version_id=version_id)
        note_of(session, Step.RETRIEVAL_IN_TRANSIT, retrieval, version=entry.current.version)

    def _settle(self, claim: Claim) -> None:
        with self._database.transaction() as session:
            self._outbox.settle(session, claim)

    def _asked_for(self, session: Session, request: RetrievalRequest) -> CatalogueEntry:
        try:
            number = number_formats.normalise(request.document_kind_category, request.document_number)
        except BadDocumentNumber:
            raise DocumentMismatch("number in no known form", details=[error_codes.NOT_REGISTERED]) from None
        entry = self._library.look_up(session, request.document_kind_category, number)
        if entry is None or entry.withdrawn_at or entry.is_collected:
            raise DocumentMismatch("document not in the library, or withdrawn", details=[error_codes.NOT_REGISTERED])
        details: list[Detail] = []
        if entry.document.date != request.document_date:
            details.append(error_codes.DATE_DIFFERS)
        if not self._library.access_code_matches(entry, request.das_access_code):
            details.append(error_codes.ACCESS_CODE_DIFFERS)
        if details:
            raise DocumentMismatch("the request does not match the document", details=details)
        return entry


def _open_request(session: Session, open_key: str) -> Retrieval | None:
    return session.scalars(select(Retrieval).where(Retrieval.open_key == open_key)).first()


def _open_key(caller: VerifiedClaims, request: RetrievalRequest, entry: CatalogueEntry) -> str:
    """Two forwards with equal keys are one request: the same document for the same application, under the same id."""
    filing_date = request.application_filing_date
    same = [
        caller.client_id,
        entry.document.kind.value,
        entry.document.number,
        request.acknowledgement_ids[:1],
        request.application_number,
        filing_date.isoformat() if filing_date else None,
    ]
    return hashlib.sha256(json.dumps(same).encode()).hexdigest()
