"""What the worker tells WIPO: one operation at a time for each document, each with one effect there.

Whatever was heard of a call, its effect may have happened: that it is about to be made is written down first, and who
finds that note asks WIPO before it says the same again. What WIPO refuses ends the operation with WIPO's reason; what
the line swallows is tried again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from sqlalchemy.orm import Session

from office_node import clock, crash_points
from office_node.das.registration_messages import DocumentStatus, Registration, RegistrationStatus
from office_node.document_id import DocumentKind, PriorityDocumentId
from office_node.errors import NotYet, PeerRefused, PeerUnavailable
from office_node.library import changes
from office_node.library.digital_library import CatalogueEntry, DigitalLibrary
from office_node.off_registrations import operations
from office_node.off_registrations.certificates import Certificates
from office_node.off_registrations.details import Corrections
from office_node.off_registrations.records import (
    OperationRecord,
    RegistrationRecord,
    is_its_turn,
    is_waiting,
    locked_operation,
    locked_registration,
)
from office_node.off_registrations.states import ENDED, OperationState, RegistrationState, Verb
from office_node.outbox.outbox import Claim, Outbox
from office_node.storage.database import Database
from office_node.uploads.service import Upload, Uploads

log = structlog.get_logger()

_LONGEST_LOOK_SECONDS = 60.0
_TURN_SECONDS = 0.5
_CONFLICT_SECONDS = 15.0
_MOST_LOOKS = 20
_NOT_REGISTERED = -7
_CONFLICT = 409
_CHANGING = (Verb.CORRECT, Verb.REPLACE, Verb.WITHDRAW)


class TakesRegistrations(Protocol):
    """What this capability needs of WIPO's client."""

    def register(self, registration: Registration) -> RegistrationStatus: ...

    def correct(self, registration: Registration) -> RegistrationStatus: ...

    def withdraw(self, document: PriorityDocumentId, access_code: str) -> None: ...

    def registration_status(self, acknowledgement_id: str) -> RegistrationStatus: ...

    def certificate(self, document: PriorityDocumentId, access_code: str) -> bytes: ...

    def document_status(self, document: PriorityDocumentId, access_code: str) -> DocumentStatus: ...


@dataclass(frozen=True, slots=True)
class _Job:
    """An operation with what it is about, as it was when the work on it began."""

    claim: Claim
    operation: OperationRecord
    registration: RegistrationRecord | None
    entry: CatalogueEntry
    access_code: str
    upload: Upload | None

    @property
    def registered(self) -> RegistrationRecord:
        assert self.registration, "every verb but status and certificate needs one"  # noqa: S101  for the type alone
        return self.registration

    @property
    def document(self) -> PriorityDocumentId:
        """The document with the date that WIPO knows; the catalogue's, if WIPO knows none."""
        return self.registration.document if self.registration else self.entry.document


class Telling:
    """Carries operations out."""

    def __init__(
        self,
        *,
        database: Database,
        library: DigitalLibrary,
        outbox: Outbox,
        uploads: Uploads,
        wipo: TakesRegistrations,
        certificates: Certificates,
    ) -> None:
        self._database = database
        self._library = library
        self._outbox = outbox
        self._uploads = uploads
        self._wipo = wipo
        self._certificates = certificates
        self._verbs: Mapping[Verb, Callable[[_Job], None]] = {
            Verb.REGISTER: self._register,
            Verb.CORRECT: self._change,
            Verb.REPLACE: self._change,
            Verb.WITHDRAW: self._withdraw,
            Verb.STATUS: self._ask_status,
            Verb.CERTIFICATE: self._fetch_certificate,
        }

    def tell(self, claim: Claim) -> None:
        """Carry the operation of this message out. Raises `NotYet`, `PeerUnavailable`, or what the library raises."""
        job = self._job(claim)
        if job is None:
            with self._database.transaction() as session:
                self._outbox.settle(session, claim)
            return
        if reason := _pointless(job):
            self._refuse(job, reason)
            return
        try:
            self._verbs[Verb(job.operation.verb)](job)
        except PeerRefused as exc:
            self._refuse(job, exc.message)

    def _job(self, claim: Claim) -> _Job | None:
        """None if there is nothing left to do. Raises `NotYet` if something that was asked earlier still waits."""
        with self._database.reading() as session:
            operation = session.get_one(OperationRecord, str(claim.payload["operation"]))
            if not is_waiting(operation):
                return None
            if not is_its_turn(session, operation):
                raise NotYet("something asked earlier about this document still waits", seconds=_TURN_SECONDS)
            kind = DocumentKind(operation.kind)
            entry = self._library.look_up(session, kind, operation.number)
            assert entry, "documents never leave the catalogue"  # noqa: S101  for the type alone
            registration = (
                session.get_one(RegistrationRecord, operation.registration_id) if operation.registration_id else None
            )
            upload = self._uploads.look_up(session, operation.upload_id) if operation.upload_id else None
        return _Job(claim, operation, registration, entry, self._library.access_code(entry), upload)

    def _register(self, job: _Job) -> None:
        if job.operation.wipo_acknowledgement_id:
            self._await_decision(job, job.operation.wipo_acknowledgement_id)
            return
        if self._may_be_known(job) and self._is_registered(job):
            self._done(job, {"found": "registered, when asked before a repeat"})
            return
        try:
            status = self._wipo.register(self._message(job))
        except PeerRefused as exc:
            if exc.status != _CONFLICT or job.claim.attempts > _MOST_LOOKS:
                raise
            if not self._is_registered(job):
                raise NotYet(f"{exc.message}, and WIPO does not show it yet", seconds=_CONFLICT_SECONDS) from exc
            self._done(job, {"found": "WIPO knew it already, with these data"})
            return
        crash_points.reached("registration: answered, not recorded")
        self._decided(job, status)

    def _await_decision(self, job: _Job, acknowledgement_id: str) -> None:
        try:
            self._decided(job, self._wipo.registration_status(acknowledgement_id))
        except PeerRefused as exc:
            # WIPO's texts show no path for this question (protocol.md E9): ask the other way.
            if exc.status != 404 or not self._is_registered(job):
                raise
            self._done(job, {"found": "registered, by the document's status"})

    def _decided(self, job: _Job, status: RegistrationStatus) -> None:
        if status.category == "error":
            self._refuse(job, f"WIPO answered {status.said}", status.acknowledgement_id)
        elif status.category == "success":
            self._done(job, {}, status.acknowledgement_id)
        else:
            self._note_submitted(job, status)
            seconds = min(_LONGEST_LOOK_SECONDS, 0.5 * 2 ** min(job.claim.attempts - 1, 10))
            raise NotYet(f"WIPO has not decided yet ({status.said})", seconds=seconds)

    def _change(self, job: _Job) -> None:
        """Correct and replace: the same again changes nothing at WIPO, so a lost answer costs a repeat and no more."""
        self._note_sent(job)
        status = self._wipo.correct(self._message(job))
        if status.category == "error":
            raise PeerRefused(f"WIPO answered {status.said}")
        self._done(job, {}, status.acknowledgement_id)

    def _withdraw(self, job: _Job) -> None:
        self._note_sent(job)
        try:
            self._wipo.withdraw(job.document, job.access_code)
        except PeerRefused as exc:
            if _NOT_REGISTERED not in exc.numbers:
                raise
        self._done(job, {})

    def _ask_status(self, job: _Job) -> None:
        """E17, and E9 where WIPO gave an acknowledgement id. What WIPO says no to is an answer too."""
        found = self._wipo.document_status(job.document, job.access_code)
        result: dict[str, Any] = {
            "document": {"registered": found.is_registered, "numbers": list(found.numbers), "said": found.said}
        }
        acknowledgement_id = job.registration.wipo_acknowledgement_id if job.registration else None
        if acknowledgement_id:
            result["registration"] = self._registration_status(acknowledgement_id)
        self._done(job, result)

    def _registration_status(self, acknowledgement_id: str) -> dict[str, Any]:
        try:
            status = self._wipo.registration_status(acknowledgement_id)
        except (PeerRefused, PeerUnavailable) as exc:
            return {"wipo_acknowledgement_id": acknowledgement_id, "status": None, "said": exc.message}
        return {"wipo_acknowledgement_id": acknowledgement_id, "status": status.category, "said": status.said}

    def _fetch_certificate(self, job: _Job) -> None:
        content = self._wipo.certificate(job.document, job.access_code)
        self._done(job, self._certificates.keep(job.operation.id, content))

    def _is_registered(self, job: _Job) -> bool:
        """Whether WIPO knows the document with these data. Raises `PeerRefused` if it knows it with others."""
        status = self._wipo.document_status(job.document, job.access_code)
        if status.is_registered or _NOT_REGISTERED in status.numbers:
            return status.is_registered
        if status.numbers:
            raise PeerRefused(f"WIPO knows the document with other data: {status.said}", numbers=status.numbers)
        raise NotYet(f"WIPO has not decided yet ({status.said})", seconds=_LONGEST_LOOK_SECONDS / 4)

    def _message(self, job: _Job) -> Registration:
        """The registration as it shall be, with what the operation changes."""
        registration, facts = job.registered, job.operation.facts
        document = PriorityDocumentId(
            job.entry.document.kind, registration.number, Corrections.date_in(facts) or registration.date
        )
        sealed = facts.get("sealed_access_code")
        code = self._library.reveal(sealed, document.kind, document.number) if sealed else job.access_code
        filing_date = Corrections.date_in(facts, "application_filing_date")
        return Registration(
            document=document,
            access_code=code,
            application_category=facts.get("application_category", registration.application_category),
            application_number=facts.get("application_number", registration.application_number),
            application_filing_date=filing_date or registration.application_filing_date,
            email=facts.get("email", registration.email),
            file_id=job.upload.file_id if job.upload else None,
        )

    def _may_be_known(self, job: _Job) -> bool:
        """Whether WIPO was told before; else it is noted that it is told now."""
        if job.operation.first_sent_at is not None:
            return True
        self._note_sent(job)
        crash_points.reached("registration: noted as sent, before it is")
        return False

    def _note_sent(self, job: _Job) -> None:
        """Raises `NotYet` if it was called off meanwhile, so that the next look finds it ended."""
        with self._database.transaction() as session:
            operation = locked_operation(session, job.operation.id)
            if not is_waiting(operation):
                raise NotYet("called off", seconds=0)
            operation.first_sent_at = operation.first_sent_at or clock.now()
            if operation.verb == Verb.REGISTER and job.upload:
                registration = locked_registration(session, job.registered.id)
                if registration.state == RegistrationState.UPLOADING:
                    registration.move(RegistrationState.UPLOADED, file_id=job.upload.file_id)

    def _note_submitted(self, job: _Job, status: RegistrationStatus) -> None:
        with self._database.transaction() as session:
            operation = locked_operation(session, job.operation.id)
            operation.wipo_acknowledgement_id = operation.wipo_acknowledgement_id or status.acknowledgement_id
            registration = locked_registration(session, job.registered.id)
            if registration.state != RegistrationState.SUBMITTED:
                registration.move(RegistrationState.SUBMITTED)

    def _done(self, job: _Job, result: dict[str, Any], acknowledgement_id: str | None = None) -> None:
        with self._database.transaction() as session:
            operation = self._end(session, job, OperationState.DONE, None)
            operation.result = result
            operation.wipo_acknowledgement_id = operation.wipo_acknowledgement_id or acknowledgement_id
            if job.registration:
                registration = locked_registration(session, job.registration.id)
                self._record(session, job, operation, registration)
        log.info("WIPO told", verb=job.operation.verb, wipo_acknowledgement_id=acknowledgement_id)

    def _record(
        self, session: Session, job: _Job, operation: OperationRecord, registration: RegistrationRecord
    ) -> None:
        """What is true of the registration now that WIPO has taken the operation."""
        match Verb(operation.verb):
            case Verb.REGISTER:
                registration.move(
                    RegistrationState.REGISTERED,
                    registered_at=clock.now(),
                    wipo_acknowledgement_id=operation.wipo_acknowledgement_id,
                )
            case Verb.CORRECT | Verb.REPLACE:
                registration.move(RegistrationState.CORRECTED, **_changed_columns(job))
                self._correct_catalogue(session, job)
            case Verb.WITHDRAW:
                because = "withdrawn by the office"
                registration.move(
                    RegistrationState.WITHDRAWN, open_key=None, ended_at=clock.now(), ended_because=because
                )
            case Verb.STATUS | Verb.CERTIFICATE:
                pass

    def _correct_catalogue(self, session: Session, job: _Job) -> None:
        facts, document = job.operation.facts, job.entry.document
        if facts.keys() & {"filing_date", "sealed_access_code"}:
            sealed = facts.get("sealed_access_code", job.entry.sealed_access_code)
            changes.correct(
                session, document.kind, document.number, Corrections.date_in(facts) or document.date, sealed
            )

    def _refuse(self, job: _Job, reason: str, acknowledgement_id: str | None = None) -> None:
        with self._database.transaction() as session:
            operation = self._end(session, job, OperationState.REFUSED, reason)
            operation.wipo_acknowledgement_id = operation.wipo_acknowledgement_id or acknowledgement_id
            if operation.verb == Verb.REGISTER:
                locked_registration(session, job.registered.id).move(
                    RegistrationState.REFUSED, open_key=None, ended_at=clock.now(), ended_because=reason[:500]
                )
        log.error("WIPO refused", code=PeerRefused.code, verb=job.operation.verb, reason=reason, hint=_MEND)

    def _end(self, session: Session, job: _Job, state: OperationState, reason: str | None) -> OperationRecord:
        self._outbox.settle(session, job.claim)
        operation = locked_operation(session, job.operation.id)
        operations.end(session, self._outbox, operation, state, reason)
        return operation


_MEND = "correct what WIPO names, then ask for it again; `office-node registrations list` shows the reason"


def _pointless(job: _Job) -> str | None:
    """Why WIPO need not be told, if so."""
    if job.upload and not job.upload.is_accepted:
        return job.upload.reason or "the content was not uploaded"
    if job.registration and job.registration.state in ENDED and Verb(job.operation.verb) in _CHANGING:
        return f"the registration has ended: {job.registration.ended_because}"
    return None


def _changed_columns(job: _Job) -> dict[str, Any]:
    """What the registration's row says from now on."""
    facts = job.operation.facts
    columns: dict[str, Any] = {
        name: facts[name] for name in ("application_category", "application_number", "email") if name in facts
    }
    for name, column in (("filing_date", "date"), ("application_filing_date", "application_filing_date")):
        if value := Corrections.date_in(facts, name):
            columns[column] = value
    if "version_id" in facts:
        columns["version_id"] = facts["version_id"]
        columns["file_id"] = job.upload.file_id if job.upload else None
    return columns
