"""What a clerk sees: registrations, and how far what was asked about them is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, select

from office_node.document_id import DocumentKind
from office_node.errors import OfficeNodeError
from office_node.off_registrations.records import OperationRecord, RegistrationRecord
from office_node.off_registrations.states import OperationState, RegistrationState, Verb
from office_node.outbox.records import MessageState, OutboxRecord
from office_node.storage.database import Database
from office_node.uploads.records import UploadRecord

_AT_ONCE = 500


class NoSuchOperation(OfficeNodeError):
    """Nothing was asked for under this id."""

    code = "N356"
    owner = "office"
    hint = "`office-node registrations list` tells the ids"


@dataclass(frozen=True, slots=True)
class RegistrationView:
    """A registration as it stands."""

    registration_id: str
    kind: DocumentKind
    number: str
    date: date
    state: RegistrationState
    content_at: str
    file_reference: str | None
    application_number: str | None
    file_id: str | None
    wipo_acknowledgement_id: str | None
    created_at: datetime
    registered_at: datetime | None
    ended_at: datetime | None
    ended_because: str | None


@dataclass(frozen=True, slots=True)
class OperationView:
    """One thing the office wants of WIPO, and how far it is."""

    operation_id: str
    registration_id: str | None
    verb: Verb
    state: OperationState
    file_id: str | None
    """WIPO's id of the content that it brings, once WIPO gave one."""
    wipo_acknowledgement_id: str | None
    result: dict[str, Any] | None
    reason: str | None
    """Why it was refused; while it waits, what was last heard."""
    is_parked: bool
    """Whether it waits for a human: `office-node outbox list --parked`."""
    hand_back_to: str | None
    created_at: datetime
    ended_at: datetime | None

    @property
    def has_ended(self) -> bool:
        return self.state != OperationState.WAITING


class Overview:
    """Looks, and changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def registrations(self, kind: DocumentKind | None = None, number: str | None = None) -> list[RegistrationView]:
        """Registrations, the newest first; only of this kind, only of this number (normal form)."""
        query = select(RegistrationRecord).order_by(RegistrationRecord.created_at.desc())
        if kind is not None:
            query = query.where(RegistrationRecord.kind == kind.value)
        if number is not None:
            query = query.where(RegistrationRecord.number == number)
        with self._database.reading() as session:
            return [_registration(record) for record in session.scalars(query)]

    def registration(self, registration_id: str) -> RegistrationView:
        """One that is known to exist."""
        with self._database.reading() as session:
            return _registration(session.get_one(RegistrationRecord, registration_id))

    def operation(self, operation_id: str) -> OperationView:
        """How far an operation is. Raises `NoSuchOperation`."""
        for view in self.operations([operation_id]):
            return view
        raise NoSuchOperation(f"nothing was asked for as {operation_id}")

    def operations(self, operation_ids: Sequence[str]) -> Iterator[OperationView]:
        """How far these are, in no order; what does not exist is left out."""
        for begin in range(0, len(operation_ids), _AT_ONCE):
            yield from self._views(
                _with_messages().where(OperationRecord.id.in_(operation_ids[begin : begin + _AT_ONCE]))
            )

    def about(self, kind: DocumentKind, number: str) -> list[OperationView]:
        """Everything that was ever asked about a document (number in normal form), the newest first."""
        which = (OperationRecord.kind == kind.value, OperationRecord.number == number)
        return self._views(_with_messages().where(*which).order_by(OperationRecord.turn.desc()))

    def _views(self, query: Select[OperationRecord, UploadRecord, OutboxRecord]) -> list[OperationView]:
        with self._database.reading() as session:
            # One that was called off may have two messages still to be settled.
            return [*{row[0].id: _operation(*row) for row in session.execute(query).all()}.values()]


def _with_messages() -> Select[OperationRecord, UploadRecord, OutboxRecord]:
    """Operations with their upload and with the message of the outbox that is to carry them on."""
    waiting = (MessageState.DUE, MessageState.CLAIMED, MessageState.PARKED)
    return (
        select(OperationRecord, UploadRecord, OutboxRecord)
        .outerjoin(UploadRecord, UploadRecord.id == OperationRecord.upload_id)
        .outerjoin(
            OutboxRecord,
            (OutboxRecord.acknowledgement_id == OperationRecord.id) & OutboxRecord.state.in_(waiting),
        )
    )


def _operation(record: OperationRecord, upload: UploadRecord | None, message: OutboxRecord | None) -> OperationView:
    return OperationView(
        operation_id=record.id,
        registration_id=record.registration_id,
        verb=Verb(record.verb),
        state=OperationState(record.state),
        file_id=upload.file_id if upload else None,
        wipo_acknowledgement_id=record.wipo_acknowledgement_id,
        result=record.result,
        reason=record.reason or (message.last_cause if message else None),
        is_parked=bool(message and message.state == MessageState.PARKED),
        hand_back_to=record.hand_back_to,
        created_at=record.created_at,
        ended_at=record.ended_at,
    )


def _registration(record: RegistrationRecord) -> RegistrationView:
    return RegistrationView(
        registration_id=record.id,
        kind=DocumentKind(record.kind),
        number=record.number,
        date=record.date,
        state=RegistrationState(record.state),
        content_at=record.content_at,
        file_reference=record.file_reference,
        application_number=record.application_number,
        file_id=record.file_id,
        wipo_acknowledgement_id=record.wipo_acknowledgement_id,
        created_at=record.created_at,
        registered_at=record.registered_at,
        ended_at=record.ended_at,
        ended_because=record.ended_because,
    )
