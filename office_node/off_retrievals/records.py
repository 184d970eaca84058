"""The table of forwarded retrievals, and how a row moves through its states."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, String, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from office_node import clock
from office_node.das.error_codes import OUR_OWN
from office_node.das.messages import RetrievalStatus
from office_node.document_id import DocumentKind
from office_node.moves import move
from office_node.off_retrievals import states
from office_node.off_retrievals.states import RetrievalState
from office_node.storage.columns import UtcDateTime
from office_node.storage.database import Records

UNENDED = text("state NOT IN ('refused', 'expired', 'withdrawn')")
"""Literal, as in the index: a planner proves nothing of bound values."""


class ForwardedRetrievalRecord(Records):
    """One request of WIPO for one of our documents. The access code it came with is compared and forgotten."""

    __tablename__ = "forwarded_retrievals"
    __table_args__ = (
        Index("ix_forwarded_retrievals_unended", "received_at", sqlite_where=UNENDED, postgresql_where=UNENDED),
        Index("ix_forwarded_retrievals_document", "kind", "number"),
        Index("ix_forwarded_retrievals_caller", "client_id", "received_at"),
    )

    acknowledgement_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    """The id we gave to WIPO (B1 of protocol.md 7)."""
    wipo_acknowledgement_id: Mapped[str | None] = mapped_column(String(100), index=True)
    """The id WIPO gave to the request (A1), if it told us."""
    client_id: Mapped[str] = mapped_column(String(200))
    open_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    """Digest of what makes two forwards the same request; empty once it is no longer open."""
    kind: Mapped[str] = mapped_column(String(20))
    number: Mapped[str] = mapped_column(String(100))
    date: Mapped[date]
    state: Mapped[str] = mapped_column(String(12))
    version_id: Mapped[str | None] = mapped_column(String(32))
    """The content that was prepared; what a download link gives."""
    upload_id: Mapped[str | None] = mapped_column(String(32))
    """Its way through WIPO's transit zone, if the document is big."""
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    prepared_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    notified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    downloaded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_because: Mapped[str | None] = mapped_column(String(200))

    def may_move(self, new: RetrievalState) -> bool:
        """Whether `new` may follow the present state."""
        return new in states.MOVES[RetrievalState(self.state)]

    def move(self, new: RetrievalState, **facts: Any) -> None:
        """Go to `new` and note `facts`. Raises `ImpossibleMove`."""
        self.state = move(states.MOVES, RetrievalState(self.state), new)
        for name, value in facts.items():
            setattr(self, name, value)

    def end(self, new: RetrievalState, because: str) -> None:
        """Go to one of the states that nothing follows, and say why."""
        self.move(new, ended_at=clock.now(), ended_because=because, open_key=None)

    def status(self) -> RetrievalStatus:
        """How far it is, in the words of the wire."""
        state = RetrievalState(self.state)
        return RetrievalStatus(
            acknowledgement_id=self.acknowledgement_id,
            category=states.ON_THE_WIRE[state],
            kind=DocumentKind(self.kind),
            number=self.number,
            date=self.date,
            available_since=self.prepared_at if state in states.SERVED else None,
            error_code=OUR_OWN if state in states.ENDED else None,
            status_message=self.ended_because,
        )


def locked(session: Session, acknowledgement_id: str) -> ForwardedRetrievalRecord:
    """The row of a request that is known to exist, held until the transaction ends."""
    query = select(ForwardedRetrievalRecord).where(ForwardedRetrievalRecord.acknowledgement_id == acknowledgement_id)
    return session.scalars(query.with_for_update()).one()
