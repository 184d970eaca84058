"""What is true once WIPO was told, written down: one transaction each, with the message settled in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from sqlalchemy.orm import Session

from office_node import clock
from office_node.das.registration_messages import RegistrationStatus
from office_node.errors import NotYet, PeerRefused
from office_node.library import changes
from office_node.off_registrations import operations
from office_node.off_registrations.details import Corrections
from office_node.off_registrations.jobs import Job
from office_node.off_registrations.records import (
    OperationRecord,
    RegistrationRecord,
    is_waiting,
    locked_operation,
    locked_registration,
)
from office_node.off_registrations.states import OperationState, RegistrationState, Verb
from office_node.outbox.outbox import Claim, Outbox
from office_node.storage.database import Database
from office_node.timeline.noting import note
from office_node.timeline.steps import Step

log = structlog.get_logger()

_MEND = "correct what WIPO names, then ask for it again; `office-node registrations list` shows the reason"


class Recording:
    """The worker's notes about operations."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox

    def settle(self, claim: Claim) -> None:
        """There was nothing left to do."""
        with self._database.transaction() as session:
            self._outbox.settle(session, claim)

    def about_to_tell(self, job: Job) -> bool:
        """Note, before WIPO is told, that it is; whether it may have been told before.

        Raises `NotYet` if the operation was called off meanwhile, so that the next look finds it ended.
        """
        with self._locked(job) as session:
            operation = locked_operation(session, job.operation.id)
            if not is_waiting(operation):
                raise NotYet("called off", seconds=0, is_ours=True)
            was_told = operation.first_sent_at is not None
            operation.first_sent_at = operation.first_sent_at or clock.now()
            note(
                session,
                Step.OPERATION_SENT,
                operation.kind,
                operation.number,
                subject=operation.id,
                verb=operation.verb,
                again=was_told,
            )
            if job.verb is Verb.REGISTER and job.upload:
                registration = locked_registration(session, job.registered.id)
                if registration.state == RegistrationState.UPLOADING:
                    registration.move(RegistrationState.UPLOADED, file_id=job.upload.file_id)
        return was_told

    def submitted(self, job: Job, status: RegistrationStatus) -> None:
        """WIPO has it and has not decided."""
        with self._locked(job) as session:
            operation = locked_operation(session, job.operation.id)
            if not is_waiting(operation):
                return  # another worker was quicker
            operation.wipo_acknowledgement_id = operation.wipo_acknowledgement_id or status.acknowledgement_id
            if job.verb is not Verb.REGISTER:
                return
            registration = locked_registration(session, job.registered.id)
            if registration.state != RegistrationState.SUBMITTED:
                registration.move(RegistrationState.SUBMITTED)

    def done(self, job: Job, result: dict[str, Any], acknowledgement_id: str | None = None) -> None:
        """WIPO has taken it. Raises `LeaseLost`."""
        with self._locked(job) as session:
            operation = self._end(session, job, OperationState.DONE, None, acknowledgement_id)
            operation.result = result
            if job.registration:
                self._follow(session, job, operation, locked_registration(session, job.registration.id))
        log.info("WIPO told", verb=job.verb.value, wipo_acknowledgement_id=acknowledgement_id)

    def refused(self, job: Job, reason: str, acknowledgement_id: str | None = None) -> None:
        """WIPO does not want it, or it came to nothing before. Raises `LeaseLost`."""
        with self._locked(job) as session:
            self._end(session, job, OperationState.REFUSED, reason, acknowledgement_id)
            if job.verb is Verb.REGISTER:
                locked_registration(session, job.registered.id).end(RegistrationState.REFUSED, reason)
        log.error("WIPO refused", code=PeerRefused.code, verb=job.verb.value, reason=reason, hint=_MEND)

    @contextmanager
    def _locked(self, job: Job) -> Iterator[Session]:
        """A transaction that begins with the document, as the verbs' do: two that lock in one order never wait for
        each other."""
        with self._database.transaction() as session:
            changes.lock(session, job.entry.document.kind, job.entry.document.number)
            yield session

    def _end(
        self, session: Session, job: Job, state: OperationState, reason: str | None, acknowledgement_id: str | None
    ) -> OperationRecord:
        self._outbox.settle(session, job.claim)
        operation = locked_operation(session, job.operation.id)
        operations.end(session, self._outbox, operation, state, reason)
        operation.wipo_acknowledgement_id = operation.wipo_acknowledgement_id or acknowledgement_id
        return operation

    def _follow(self, session: Session, job: Job, operation: OperationRecord, registration: RegistrationRecord) -> None:
        """The registration, and with a correction the catalogue, follow what WIPO has taken."""
        match job.verb:
            case Verb.REGISTER:
                acknowledgement_id = operation.wipo_acknowledgement_id
                registration.move(
                    RegistrationState.REGISTERED,
                    registered_at=clock.now(),
                    wipo_acknowledgement_id=acknowledgement_id,
                )
                changes.serve_again(session, job.entry.document.kind, job.entry.document.number)
            case Verb.CORRECT | Verb.REPLACE:
                registration.move(RegistrationState.CORRECTED, **_changed_columns(job))
                _correct_catalogue(session, job)
            case Verb.WITHDRAW:
                registration.end(RegistrationState.WITHDRAWN, "withdrawn by the office")
            case Verb.STATUS | Verb.CERTIFICATE:
                pass


def _correct_catalogue(session: Session, job: Job) -> None:
    facts, document = job.operation.facts, job.entry.document
    if facts.keys() & {"filing_date", "sealed_access_code"}:
        sealed = facts.get("sealed_access_code", job.entry.sealed_access_code)
        changes.correct(session, document.kind, document.number, Corrections.date_in(facts) or document.date, sealed)


def _changed_columns(job: Job) -> dict[str, Any]:
    """What the registration's row says from now on."""
    facts = job.operation.facts
    plain = ("application_category", "application_number", "email", "version_id")
    columns: dict[str, Any] = {name: facts[name] for name in plain if name in facts}
    for name, column in (("filing_date", "date"), ("application_filing_date", "application_filing_date")):
        if value := Corrections.date_in(facts, name):
            columns[column] = value
    if "version_id" in facts:
        columns["file_id"] = job.upload.file_id if job.upload else None
    return columns
