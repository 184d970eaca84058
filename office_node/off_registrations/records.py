"""The tables of registrations and of the operations on them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, func, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from office_node import clock
from office_node.document_id import DocumentKind, PriorityDocumentId
from office_node.moves import move
from office_node.off_registrations import states
from office_node.off_registrations.states import OperationState, RegistrationState, Verb
from office_node.storage.columns import UtcDateTime
from office_node.storage.database import Records

_LONGEST_REASON = 500
_Date = date  # a column of this name hides it below
WAITING = text("state = 'waiting'")
"""Literal, as in the index: a planner proves nothing of bound values."""


class RegistrationRecord(Records):
    """A document as it is registered at WIPO, or is about to be. The access code stands in the catalogue alone."""

    __tablename__ = "registrations"
    __table_args__ = (
        Index("ix_registrations_document", "kind", "number"),
        Index("ix_registrations_created_at", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    open_key: Mapped[str | None] = mapped_column(String(130), unique=True)
    """Kind and number, until it has ended: a document has one open registration."""
    kind: Mapped[str] = mapped_column(String(20))
    number: Mapped[str] = mapped_column(String(100))
    date: Mapped[date]
    content_at: Mapped[str] = mapped_column(String(8))
    """Who keeps the content for DAS: "wipo", or "library" (the office's own)."""
    version_id: Mapped[str] = mapped_column(ForeignKey("document_versions.id"))
    file_reference: Mapped[str | None] = mapped_column(String(100))
    application_category: Mapped[str | None] = mapped_column(String(100))
    application_number: Mapped[str | None] = mapped_column(String(100))
    application_filing_date: Mapped[_Date | None]
    email: Mapped[str | None] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(12))
    file_id: Mapped[str | None] = mapped_column(String(100))
    """WIPO's id of the content it keeps."""
    wipo_acknowledgement_id: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    registered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_because: Mapped[str | None] = mapped_column(String(500))

    @property
    def document(self) -> PriorityDocumentId:
        """Which document, with the date that WIPO knows."""
        return PriorityDocumentId(DocumentKind(self.kind), self.number, self.date)

    def move(self, new: RegistrationState, **facts: Any) -> None:
        """Go to `new` and note `facts`. Raises `ImpossibleMove`."""
        self.state = move(states.MOVES, RegistrationState(self.state), new)
        for name, value in facts.items():
            setattr(self, name, value)

    def end(self, new: RegistrationState, because: str) -> None:
        """Go to one of the states that nothing follows, and say why; the document may be registered anew."""
        self.move(new, open_key=None, ended_at=clock.now(), ended_because=because[:_LONGEST_REASON])


class OperationRecord(Records):
    """One thing the office wants of WIPO about a document; those of one document take turns."""

    __tablename__ = "registration_operations"
    __table_args__ = (
        UniqueConstraint("kind", "number", "turn"),
        Index(
            "ix_registration_operations_waiting",
            "kind",
            "number",
            "turn",
            sqlite_where=WAITING,
            postgresql_where=WAITING,
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    registration_id: Mapped[str | None] = mapped_column(ForeignKey("registrations.id"))
    kind: Mapped[str] = mapped_column(String(20))
    number: Mapped[str] = mapped_column(String(100))
    turn: Mapped[int]
    verb: Mapped[str] = mapped_column(String(12))
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    """What `correct` and `replace` change; an access code only sealed."""
    upload_id: Mapped[str | None] = mapped_column(String(32))
    hand_back_to: Mapped[str | None] = mapped_column(String(300))
    """Name in the watched folder of what asked for it."""
    state: Mapped[str] = mapped_column(String(8))
    first_sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Written before WIPO is told for the first time: from then on it may know, whatever we heard."""
    wipo_acknowledgement_id: Mapped[str | None] = mapped_column(String(200))
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    reason: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


def open_key(kind: DocumentKind, number: str) -> str:
    """The same for every open registration of one document."""
    return f"{kind.value}\n{number}"


def locked_open_registration(session: Session, kind: DocumentKind, number: str) -> RegistrationRecord | None:
    """The document's registration that has not ended, held until the transaction ends."""
    query = select(RegistrationRecord).where(RegistrationRecord.open_key == open_key(kind, number))
    return session.scalars(query.with_for_update()).first()


def locked_operation(session: Session, operation_id: str) -> OperationRecord:
    """The row of an operation that is known to exist, held until the transaction ends."""
    return session.scalars(select(OperationRecord).where(OperationRecord.id == operation_id).with_for_update()).one()


def locked_registration(session: Session, registration_id: str) -> RegistrationRecord:
    """The row of a registration that is known to exist, held until the transaction ends."""
    return session.scalars(
        select(RegistrationRecord).where(RegistrationRecord.id == registration_id).with_for_update()
    ).one()


def next_turn(session: Session, kind: DocumentKind, number: str) -> int:
    """The turn of a new operation on the document."""
    last = select(func.max(OperationRecord.turn)).where(
        OperationRecord.kind == kind.value, OperationRecord.number == number
    )
    return int(session.scalar(last) or 0) + 1


def is_its_turn(session: Session, operation: OperationRecord) -> bool:
    """Whether nothing that was asked earlier about the document still waits."""
    earlier = select(OperationRecord.id).where(
        OperationRecord.kind == operation.kind,
        OperationRecord.number == operation.number,
        WAITING,
        OperationRecord.turn < operation.turn,
    )
    return session.scalars(earlier.limit(1)).first() is None


def next_in_turn(session: Session, operation: OperationRecord) -> str | None:
    """The operation on the document that waits for this one to end."""
    later = select(OperationRecord.id).where(
        OperationRecord.kind == operation.kind,
        OperationRecord.number == operation.number,
        WAITING,
        OperationRecord.turn > operation.turn,
    )
    return session.scalars(later.order_by(OperationRecord.turn).limit(1)).first()


def waiting_corrections(session: Session, kind: DocumentKind, number: str) -> dict[str, Any]:
    """What corrections that still wait will have made of the document's data, the latest last."""
    query = select(OperationRecord.facts).where(
        OperationRecord.kind == kind.value,
        OperationRecord.number == number,
        WAITING,
        OperationRecord.verb == Verb.CORRECT,
    )
    together: dict[str, Any] = {}
    for facts in session.scalars(query.order_by(OperationRecord.turn)):
        together |= facts
    return together


def doubt(session: Session) -> None:
    """After a restore: every operation that waited then may have been told since, so WIPO is asked before."""
    unsent = update(OperationRecord).where(WAITING, OperationRecord.first_sent_at.is_(None))
    session.execute(unsent.values(first_sent_at=clock.now()))


def is_waiting(operation: OperationRecord) -> bool:
    """Whether it has not ended."""
    return operation.state == OperationState.WAITING


def first_operation(session: Session, registration_id: str) -> str:
    """The operation that registers."""
    query = select(OperationRecord.id).where(
        OperationRecord.registration_id == registration_id, OperationRecord.verb == Verb.REGISTER
    )
    return session.scalars(query).one()


def asked_as(session: Session, kind: DocumentKind, number: str, hand_back_to: str | None) -> str | None:
    """The operation on the document that was asked for under this name, if there is one."""
    query = select(OperationRecord.id).where(
        OperationRecord.kind == kind.value,
        OperationRecord.number == number,
        OperationRecord.hand_back_to == hand_back_to,
    )
    return session.scalars(query).first() if hand_back_to else None


def waiting(session: Session, kind: DocumentKind, number: str, verb: Verb, version_id: str | None = None) -> str | None:
    """The latest operation of that kind that still waits, for that content."""
    query = select(OperationRecord).where(
        OperationRecord.kind == kind.value, OperationRecord.number == number, WAITING, OperationRecord.verb == verb
    )
    for operation in session.scalars(query.order_by(OperationRecord.turn.desc())):
        if version_id in (None, operation.facts.get("version_id")):
            return operation.id
    return None
