"""What the worker tells WIPO: one operation at a time for each document, each with one effect there.

Whatever was heard of a call, its effect may have happened: that it is about to be made is written down first, and who
finds that note asks WIPO before it registers or withdraws again. A correction, a replacement are said again: no
question of WIPO's tells whether they happened, and the same once more changes nothing. What WIPO refuses ends the
operation with WIPO's reason, never what it refuses of our questions; what the line swallows is tried again.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from office_node import crash_points
from office_node.das.registration_messages import DocumentStatus, Registration, RegistrationStatus
from office_node.document_id import PriorityDocumentId
from office_node.errors import NotYet, PeerRefused, PeerUnavailable
from office_node.library.digital_library import DigitalLibrary
from office_node.off_registrations import jobs
from office_node.off_registrations.certificates import Certificates
from office_node.off_registrations.details import Corrections
from office_node.off_registrations.jobs import Job
from office_node.off_registrations.recording import Recording
from office_node.off_registrations.states import Verb
from office_node.outbox.outbox import Claim, Outbox
from office_node.storage.database import Database
from office_node.uploads.service import Uploads

_LONGEST_LOOK_SECONDS = 60.0
_NOT_REGISTERED = -7
_CONFLICT = 409


class TakesRegistrations(Protocol):
    """What this capability needs of WIPO's client."""

    def register(self, registration: Registration) -> RegistrationStatus: ...

    def correct(self, registration: Registration) -> RegistrationStatus: ...

    def withdraw(self, document: PriorityDocumentId, access_code: str) -> None: ...

    def registration_status(self, acknowledgement_id: str, access_code: str) -> RegistrationStatus: ...

    def certificate(self, document: PriorityDocumentId, access_code: str) -> bytes: ...

    def document_status(self, document: PriorityDocumentId, access_code: str) -> DocumentStatus: ...


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
        self._uploads = uploads
        self._wipo = wipo
        self._certificates = certificates
        self._recording = Recording(database, outbox)
        self._verbs: Mapping[Verb, Callable[[Job], None]] = {
            Verb.REGISTER: self._register,
            Verb.CORRECT: self._change,
            Verb.REPLACE: self._change,
            Verb.WITHDRAW: self._withdraw,
            Verb.STATUS: self._ask_status,
            Verb.CERTIFICATE: self._fetch_certificate,
        }

    def tell(self, claim: Claim) -> None:
        """Carry the operation of this message out. Raises `NotYet`, `PeerUnavailable`, or what the library raises."""
        job = jobs.read(self._database, self._library, self._uploads, claim)
        if job is None:
            self._recording.settle(claim)
        elif job.pointless:
            self._recording.refused(job, job.pointless)
        else:
            try:
                self._verbs[job.verb](job)
            except PeerRefused as exc:
                self._recording.refused(job, exc.message)

    def _register(self, job: Job) -> None:
        if job.operation.wipo_acknowledgement_id:
            self._await_decision(job, job.operation.wipo_acknowledgement_id)
            return
        was_told = self._recording.about_to_tell(job)
        if was_told and self._is_registered(job):
            self._recording.done(job, {"found": "registered, when asked before a repeat"})
            return
        crash_points.reached("registration: noted as sent, before it is")
        try:
            status = self._wipo.register(self._message(job))
        except PeerRefused as exc:
            if exc.status != _CONFLICT:
                raise
            self._known_already(job, exc, was_told=was_told)
            return
        crash_points.reached("registration: answered, not recorded")
        self._decided(job, status)

    def _known_already(self, job: Job, exc: PeerRefused, *, was_told: bool) -> None:
        """WIPO may refuse because it has the document: from us, by an answer that was lost, or from an older system."""
        if self._is_registered(job):
            if job.upload:  # the content it has may be another
                self._wipo.correct(self._message(job))
            self._recording.done(job, {"found": "WIPO knew it already, with these data"})
        elif was_told:
            raise NotYet(f"{exc.message}, and WIPO does not show it yet", seconds=self._next_look(job)) from exc
        else:
            raise exc

    def _await_decision(self, job: Job, acknowledgement_id: str) -> None:
        try:
            status = self._wipo.registration_status(acknowledgement_id, job.access_code)
        except (PeerRefused, PeerUnavailable) as exc:
            # WIPO's texts show no path for this question (protocol.md E9): ask the other way.
            if not self._is_registered(job):
                raise NotYet(f"{exc.message}, and WIPO does not show it yet", seconds=self._next_look(job)) from exc
            self._recording.done(job, {"found": "registered, by the document's status"})
        else:
            self._decided(job, status)

    def _decided(self, job: Job, status: RegistrationStatus) -> None:
        if status.category == "error":
            self._recording.refused(job, f"WIPO answered {status.said}", status.acknowledgement_id)
        elif status.category == "success":
            self._recording.done(job, {}, status.acknowledgement_id)
        else:
            self._recording.submitted(job, status)
            raise NotYet(f"WIPO has not decided yet ({status.said})", seconds=self._next_look(job))

    def _next_look(self, job: Job) -> float:
        return job.claim.next_look_seconds(_LONGEST_LOOK_SECONDS)

    def _change(self, job: Job) -> None:
        """Correct and replace: the same again changes nothing at WIPO, so a lost answer costs a repeat and no more."""
        if job.operation.wipo_acknowledgement_id:
            self._await_decision(job, job.operation.wipo_acknowledgement_id)
            return
        self._recording.about_to_tell(job)
        crash_points.reached("registration: noted as sent, before it is")
        status = self._wipo.correct(self._message(job))
        crash_points.reached("registration: answered, not recorded")
        self._decided(job, status)

    def _withdraw(self, job: Job) -> None:
        was_told = self._recording.about_to_tell(job)
        if was_told and self._is_gone(job):
            self._recording.done(job, {"found": "withdrawn, when asked before a repeat"})
            return
        crash_points.reached("registration: noted as sent, before it is")
        try:
            self._wipo.withdraw(job.document, job.access_code)
        except PeerRefused as exc:
            if _NOT_REGISTERED not in exc.numbers:
                raise
        crash_points.reached("registration: answered, not recorded")
        self._recording.done(job, {})

    def _ask_status(self, job: Job) -> None:
        """E17, and E9 where WIPO gave an acknowledgement id. What WIPO says no to is an answer too."""
        found = self._wipo.document_status(job.document, job.access_code)
        result: dict[str, Any] = {
            "document": {"registered": found.is_registered, "numbers": list(found.numbers), "said": found.said}
        }
        acknowledgement_id = job.registration.wipo_acknowledgement_id if job.registration else None
        if acknowledgement_id:
            result["registration"] = self._registration_status(job, acknowledgement_id)
        self._recording.done(job, result)

    def _registration_status(self, job: Job, acknowledgement_id: str) -> dict[str, Any]:
        try:
            status = self._wipo.registration_status(acknowledgement_id, job.access_code)
        except (PeerRefused, PeerUnavailable) as exc:
            return {"wipo_acknowledgement_id": acknowledgement_id, "status": None, "said": exc.message}
        return {"wipo_acknowledgement_id": acknowledgement_id, "status": status.category, "said": status.said}

    def _fetch_certificate(self, job: Job) -> None:
        content = self._wipo.certificate(job.document, job.access_code)
        self._recording.done(job, self._certificates.keep(job.operation.id, content))

    def _is_registered(self, job: Job) -> bool:
        """Whether WIPO knows the document as the operation wants it. Raises `PeerRefused` if it knows it otherwise.

        Raises `PeerUnavailable` if WIPO does not take the question: that is no answer to what was told.
        """
        message = self._message(job)
        try:
            status = self._wipo.document_status(message.document, message.access_code)
        except PeerRefused as exc:
            raise PeerUnavailable(f"whether it is registered cannot be asked: {exc.message}") from exc
        if status.is_registered or _NOT_REGISTERED in status.numbers:
            return status.is_registered
        if status.numbers:
            raise PeerRefused(f"WIPO knows the document with other data: {status.said}", numbers=status.numbers)
        raise NotYet(f"WIPO has not decided yet ({status.said})", seconds=self._next_look(job))

    def _is_gone(self, job: Job) -> bool:
        """Whether WIPO says that it does not know the document. What it says no to is no answer: it is told again."""
        try:
            return _NOT_REGISTERED in self._wipo.document_status(job.document, job.access_code).numbers
        except PeerRefused:
            return False

    def _message(self, job: Job) -> Registration:
        """The registration as it shall be, with what the operation changes."""
        registration, facts = job.registered, job.operation.facts
        filing_date = Corrections.date_in(facts) or registration.date
        document = PriorityDocumentId(job.entry.document.kind, registration.number, filing_date)
        sealed = facts.get("sealed_access_code")
        application_date = Corrections.date_in(facts, "application_filing_date")
        return Registration(
            document=document,
            access_code=self._library.reveal(sealed, document.kind, document.number) if sealed else job.access_code,
            application_category=facts.get("application_category", registration.application_category),
            application_number=facts.get("application_number", registration.application_number),
            application_filing_date=application_date or registration.application_filing_date,
            email=facts.get("email", registration.email),
            file_id=job.upload.file_id if job.upload else None,
        )
