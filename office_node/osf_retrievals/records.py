"""The tables of our requests and of what comes for them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from office_node import clock
from office_node.document_id import DocumentKind, PriorityDocumentId
from office_node.library.classification import Classification
from office_node.moves import move
from office_node.osf_retrievals import states
from office_node.osf_retrievals.states import ENDED, RequestState
from office_node.storage.columns import UtcDateTime
from office_node.storage.database import Records

_LONGEST_REASON = 500
_Date = date  # a column of this name hides it below
UNENDED = text("state NOT IN ('collected', 'refused', 'expired')")
"""Literal, as in the index: a planner proves nothing of bound values."""


class RequestRecord(Records):
    """One request of ours. The access code is sealed, and forgotten when the request ends."""

    __tablename__ = "requests"
    __table_args__ = (
        Index("ix_requests_unended", "created_at", sqlite_where=UNENDED, postgresql_where=UNENDED),
        Index("ix_requests_document", "kind", "number"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    open_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    """Digest of document and application: asked for again it is the same request, unless it came to nothing."""
    kind: Mapped[str] = mapped_column(String(20))
    number: Mapped[str] = mapped_column(String(100))
    date: Mapped[date]
    classification: Mapped[str] = mapped_column(String(20))
    application_category: Mapped[str | None] = mapped_column(String(100))
    application_number: Mapped[str | None] = mapped_column(String(100))
    application_filing_date: Mapped[_Date | None]
    sealed_access_code: Mapped[str | None] = mapped_column(String(200))
    acknowledgement_id: Mapped[str | None] = mapped_column(String(100), index=True)
    """The id WIPO gave to it (A1 of protocol.md 7); two applications' requests for a document may get the same."""
    state: Mapped[str] = mapped_column(String(12))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    first_sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When WIPO was first told, or was about to be."""
    acknowledged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    available_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    keep_until: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    """Until when its bytes may lie here outside the library; empty once none do."""
    handed_over_as: Mapped[str | None] = mapped_column(String(200))
    version_id: Mapped[str | None] = mapped_column(String(32))
    """The content in the library, if it is kept there."""
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_because: Mapped[str | None] = mapped_column(String(500))
    error_code: Mapped[int | None]
    """WIPO's number for why it cannot supply the document."""

    @property
    def document(self) -> PriorityDocumentId:
        """What was asked for."""
        return PriorityDocumentId(DocumentKind(self.kind), self.number, self.date)

    @property
    def classed(self) -> Classification:
        """How confidential it is."""
        return Classification(self.classification)

    def may_move(self, new: RequestState) -> bool:
        """Whether `new` may follow the present state."""
        return new in states.MOVES[RequestState(self.state)]

    def move(self, new: RequestState, **facts: Any) -> None:
        """Go to `new` and note `facts`. Raises `ImpossibleMove`."""
        self.state = move(states.MOVES, RequestState(self.state), new)
        for name, value in facts.items():
            setattr(self, name, value)

    def end(self, new: RequestState, because: str | None, error_code: int | None = None) -> None:
        """Go to one of the states that nothing follows; the access code is forgotten."""
        self.move(
            new,
            ended_at=clock.now(),
            ended_because=because[:_LONGEST_REASON] if because else None,
            error_code=error_code,
            sealed_access_code=None,
        )
        if new is not RequestState.COLLECTED:
            self.open_key = None

    @property
    def has_ended(self) -> bool:
        """Whether nothing follows."""
        return self.state in ENDED


class ComingFileRecord(Records):
    """A file that is coming, sealed under a key of its own; gone when it was handed over."""

    __tablename__ = "coming_files"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    """Its name in `collecting/`."""
    request_id: Mapped[str] = mapped_column(ForeignKey("requests.id"), index=True)
    role: Mapped[str] = mapped_column(String(20))
    wrapped_key: Mapped[str] = mapped_column(String(1000))
    storage_kid: Mapped[str] = mapped_column(String(43))
    etag: Mapped[str | None] = mapped_column(String(202))
    """By which the store is asked to go on."""
    size: Mapped[int | None] = mapped_column(BigInteger)
    """Bytes of the whole, as the store said."""
    stated_sha256: Mapped[str | None] = mapped_column(String(64))
    """Of the whole, if the store said it."""
    is_whole: Mapped[bool] = mapped_column(default=False)


def locked(session: Session, request_id: str) -> RequestRecord:
    """The row of a request that is known to exist, held until the transaction ends."""
    query = select(RequestRecord).where(RequestRecord.id == request_id)
    return session.scalars(query.with_for_update().execution_options(populate_existing=True)).one()


def coming_files(session: Session, request_id: str) -> list[ComingFileRecord]:
    """What is coming for a request."""
    return list(session.scalars(select(ComingFileRecord).where(ComingFileRecord.request_id == request_id)))


def doubt(session: Session) -> None:
    """After a restore: every request that was to be asked then may have been asked since, so WIPO's list is read."""
    unsent = update(RequestRecord).where(
        RequestRecord.state == RequestState.ASKED, RequestRecord.first_sent_at.is_(None)
    )
    session.execute(unsent.values(first_sent_at=clock.now()))
