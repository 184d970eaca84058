"""What the office wants of WIPO about its documents: each verb writes down an operation, and the outbox message for it.

Nothing here calls WIPO; `telling` does, in the worker. An operation that was written down is carried out once, however
often a process dies meanwhile. Asking for the same again gives the operation that is there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO, Literal
from uuid import uuid4

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from office_node import clock
from office_node.document_id import DocumentKind, PriorityDocumentId
from office_node.library import changes
from office_node.library.accession import Accession
from office_node.library.catalogue import CatalogueEntry
from office_node.library.digital_library import DigitalLibrary
from office_node.off_registrations import judging, operations, refusals
from office_node.off_registrations.details import Corrections, Details
from office_node.off_registrations.records import (
    WAITING,
    OperationRecord,
    RegistrationRecord,
    asked_as,
    first_operation,
    locked_open_registration,
    open_key,
    waiting,
    waiting_corrections,
)
from office_node.off_registrations.states import AT_WIPO, OperationState, RegistrationState, Verb
from office_node.outbox.outbox import Outbox
from office_node.storage.database import Database
from office_node.uploads.service import Then, Uploads

log = structlog.get_logger()

TELL = "tell_registration"
ContentAt = Literal["wipo", "library"]
OnWithdrawn = Callable[[Session, DocumentKind, str], None]
"""What else ends, in the same transaction, when a document is withdrawn."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of a verb: the operation to wait for, if WIPO has to hear of it at all."""

    operation_id: str | None
    is_new: bool
    """Whether this call wrote it down; else the same had been asked for before."""


class Registrations:
    """Documents of the library, as WIPO shall know them.

    `hand_back_to` names what asked: under one name a verb is carried out once, even after its operation has ended.
    """

    def __init__(
        self,
        *,
        database: Database,
        library: DigitalLibrary,
        accession: Accession,
        outbox: Outbox,
        uploads: Uploads,
        on_withdrawn: OnWithdrawn,
        usual_content_at: ContentAt,
    ) -> None:
        """`usual_content_at` is who keeps contents when it is not said otherwise."""
        self._database = database
        self._library = library
        self._accession = accession
        self._outbox = outbox
        self._uploads = uploads
        self._on_withdrawn = on_withdrawn
        self._usual_content_at: ContentAt = usual_content_at

    def submit(
        self,
        document: PriorityDocumentId,
        source: BinaryIO | None,
        access_code: str | None,
        details: Details,
        content_at: ContentAt | None,
        *,
        hand_back_to: str | None = None,
    ) -> Asked:
        """Register a document: `source` goes into the library first; without it, the document has to be there.

        Registering the same again has no second effect. Raises what `Accession.add` raises, `NotInLibrary`,
        `AccessCodeMissing`, or `RegistrationDiffers` if it is registered with other data or another content.
        """
        entry = self._taken_in(document, source, access_code)
        with self._database.transaction() as session:
            changes.lock(session, document.kind, document.number)
            if repeated := asked_as(session, document.kind, document.number, hand_back_to):
                return Asked(repeated, is_new=False)
            if known := locked_open_registration(session, document.kind, document.number):
                if waiting(session, document.kind, document.number, Verb.WITHDRAW):
                    raise refusals.BeingWithdrawn(f"{entry.document} is about to be withdrawn")
                refusals.differing(known, entry, details, content_at)
                if known.state in AT_WIPO:  # WIPO refused a withdrawal: it is to stay
                    changes.serve_again(session, document.kind, document.number)
                return Asked(first_operation(session, known.id), is_new=False)
            judging.newest(self._library, session, entry)
            content_at = content_at or self._usual_content_at
            registration = _drafted(entry, details, content_at)
            session.add(registration)
            session.flush()
            operation = operations.write_down(
                session, Verb.REGISTER, entry.document, registration, hand_back_to=hand_back_to
            )
            self._send(session, operation, registration, entry.current.version_id if content_at == "wipo" else None)
        log.info("registration drafted", operation_id=operation.id, content_at=content_at)
        return Asked(operation.id, is_new=True)

    def correct(
        self, kind: DocumentKind, number: str, corrections: Corrections, *, hand_back_to: str | None = None
    ) -> Asked:
        """Tell WIPO other data; the catalogue follows once WIPO has them.

        What is not registered is corrected in the catalogue at once. Raises `NotInLibrary`, `NothingToCorrect`,
        `NotRegistered` where there is no place for what is corrected, or `BadAccessCode`.
        """
        with self._database.transaction() as session:
            changes.lock(session, kind, number)
            if repeated := asked_as(session, kind, number, hand_back_to):
                return Asked(repeated, is_new=False)
            entry = judging.kept(self._library, session, kind, number)
            registration = locked_open_registration(session, kind, number)
            facts = self._differing(session, entry, registration, corrections)
            if facts is None:
                return Asked(waiting(session, kind, number, Verb.CORRECT), is_new=False)
            if registration is None:
                self._correct_catalogue(session, entry, facts)
                return Asked(None, is_new=True)
            operation = operations.write_down(
                session, Verb.CORRECT, entry.document, registration, facts=facts, hand_back_to=hand_back_to
            )
            self._send(session, operation, registration, None)
        log.info("correction asked for", operation_id=operation.id, members=sorted(facts))
        return Asked(operation.id, is_new=True)

    def replace(self, kind: DocumentKind, number: str, source: BinaryIO, *, hand_back_to: str | None = None) -> Asked:
        """Give a registered document another content: a new version in the library, the old one is kept.

        Raises `NotInLibrary`, `NotRegistered`, `NothingToReplace`, and what `Accession.add` raises.
        """
        with self._database.reading() as session:
            entry = judging.kept(self._library, session, kind, number)
            refusals.unregistered(judging.open_registration(session, kind, number) is not None, entry.document)
        _, entry = self._accession.add(source, entry.document, self._library.access_code(entry))
        version_id = entry.current.version_id
        with self._database.transaction() as session:
            changes.lock(session, kind, number)
            if repeated := asked_as(session, kind, number, hand_back_to):
                return Asked(repeated, is_new=False)
            registration = locked_open_registration(session, kind, number)
            if registration is None:
                raise refusals.not_registered(entry.document)
            if known := waiting(session, kind, number, Verb.REPLACE, version_id):
                return Asked(known, is_new=False)
            judging.newest(self._library, session, entry)
            refusals.unchanged(registration, entry)
            operation = operations.write_down(
                session,
                Verb.REPLACE,
                entry.document,
                registration,
                facts={"version_id": version_id},
                hand_back_to=hand_back_to,
            )
            self._send(session, operation, registration, version_id if registration.content_at == "wipo" else None)
        log.info("replacement asked for", operation_id=operation.id, version_id=version_id)
        return Asked(operation.id, is_new=True)

    def withdraw(self, kind: DocumentKind, number: str, *, hand_back_to: str | None = None) -> Asked:
        """Serve the document no longer, from this moment; and tell WIPO, if WIPO may have heard of it.

        Raises `NotInLibrary`.
        """
        with self._database.transaction() as session:
            changes.lock(session, kind, number)
            if repeated := asked_as(session, kind, number, hand_back_to):
                return Asked(repeated, is_new=False)
            entry = judging.kept(self._library, session, kind, number)
            changes.withdraw(session, kind, number)
            self._on_withdrawn(session, kind, number)
            if known := waiting(session, kind, number, Verb.WITHDRAW):
                return Asked(known, is_new=False)
            registration = locked_open_registration(session, kind, number)
            if registration is None or self._called_off(session, registration):
                return Asked(None, is_new=True)
            self._overtake(session, kind, number)
            operation = operations.write_down(
                session, Verb.WITHDRAW, entry.document, registration, hand_back_to=hand_back_to
            )
            self._send(session, operation, registration, None)
        log.info("withdrawal asked for", operation_id=operation.id)
        return Asked(operation.id, is_new=True)

    def asked_as(self, kind: DocumentKind, number: str, hand_back_to: str) -> str | None:
        """The operation on the document that was asked for under this name, if there is one."""
        with self._database.reading() as session:
            return asked_as(session, kind, number, hand_back_to)

    def ask(self, verb: Literal[Verb.STATUS, Verb.CERTIFICATE], kind: DocumentKind, number: str) -> Asked:
        """Have WIPO asked for the status or the certificate of a document of the library. Raises `NotInLibrary`."""
        with self._database.transaction() as session:
            changes.lock(session, kind, number)
            entry = judging.kept(self._library, session, kind, number)
            registration = locked_open_registration(session, kind, number)
            operation = operations.write_down(session, verb, entry.document, registration)
            self._send(session, operation, registration, None)
        return Asked(operation.id, is_new=True)

    def _taken_in(
        self, document: PriorityDocumentId, source: BinaryIO | None, access_code: str | None
    ) -> CatalogueEntry:
        """The catalogue's entry; a content that WIPO knows already is not followed by another one here."""
        with self._database.reading() as session:
            entry = self._library.look_up(session, document.kind, document.number)
        code = judging.access_code(self._library, entry, document, access_code)
        if source is None:
            return judging.sound(self._accession, entry, document, code)
        _, entry = self._accession.add(source, document, code, may_follow=partial(_is_unregistered, document))
        return entry

    def _differing(
        self,
        session: Session,
        entry: CatalogueEntry,
        registration: RegistrationRecord | None,
        corrections: Corrections,
    ) -> dict[str, Any] | None:
        """What changes; None if a correction that still waits says the same already."""
        kind, number = entry.document.kind, entry.document.number
        on_their_way = waiting_corrections(session, kind, number)
        try:
            return judging.differing_facts(self._library, entry, registration, corrections, on_their_way)
        except refusals.NothingToCorrect:
            if on_their_way:
                return None
            raise

    def _correct_catalogue(self, session: Session, entry: CatalogueEntry, facts: dict[str, Any]) -> None:
        filing_date = Corrections.date_in(facts) or entry.document.date
        sealed = facts.get("sealed_access_code", entry.sealed_access_code)
        changes.correct(session, entry.document.kind, entry.document.number, filing_date, sealed)

    def _called_off(self, session: Session, registration: RegistrationRecord) -> bool:
        """Whether WIPO surely has not heard of the registration: then it ends here."""
        if registration.state in (*AT_WIPO, RegistrationState.SUBMITTED):
            return False
        first = session.get_one(
            OperationRecord, first_operation(session, registration.id), with_for_update=True, populate_existing=True
        )
        if first.first_sent_at is not None:
            return False
        because = "withdrawn before WIPO heard of it"
        registration.end(RegistrationState.REFUSED, because)
        still_waiting = select(OperationRecord).where(OperationRecord.registration_id == registration.id, WAITING)
        for operation in session.scalars(still_waiting.with_for_update()):
            self._call_off(session, operation, because)
        return True

    def _overtake(self, session: Session, kind: DocumentKind, number: str) -> None:
        """What WIPO has not been told yet of a withdrawn document it need not hear any more."""
        overtaken = select(OperationRecord).where(
            OperationRecord.kind == kind.value,
            OperationRecord.number == number,
            WAITING,
            OperationRecord.verb.in_((Verb.CORRECT, Verb.REPLACE)),
            OperationRecord.first_sent_at.is_(None),
        )
        for operation in session.scalars(overtaken.with_for_update()):
            self._call_off(session, operation, "overtaken by the withdrawal")

    def _call_off(self, session: Session, operation: OperationRecord, because: str) -> None:
        if operation.upload_id:
            self._uploads.give_up(session, operation.upload_id)
        operations.end(session, self._outbox, operation, OperationState.REFUSED, because)

    def _send(
        self,
        session: Session,
        operation: OperationRecord,
        registration: RegistrationRecord | None,
        version_id: str | None,
    ) -> None:
        """Have WIPO told at once, or as soon as it has accepted the content of `version_id`."""
        effect_key, payload = f"{TELL}:{operation.id}", {"operation": operation.id}
        if version_id is None:
            self._outbox.put(session, TELL, effect_key, payload, operation.id)
            return
        reference = (registration.file_reference if registration else None) or operation.number
        then = Then(TELL, effect_key, payload)
        operation.upload_id = self._uploads.begin(
            session, version_id, reference=reference, subject=operation.id, then=then
        )


def _is_unregistered(document: PriorityDocumentId, session: Session) -> bool:
    return judging.open_registration(session, document.kind, document.number) is None


def _drafted(entry: CatalogueEntry, details: Details, content_at: ContentAt) -> RegistrationRecord:
    document = entry.document
    return RegistrationRecord(
        id=uuid4().hex,
        open_key=open_key(document.kind, document.number),
        kind=document.kind.value,
        number=document.number,
        date=document.date,
        content_at=content_at,
        version_id=entry.current.version_id,
        state=RegistrationState.UPLOADING if content_at == "wipo" else RegistrationState.DRAFTED,
        created_at=clock.now(),
        **details.columns(),
    )
