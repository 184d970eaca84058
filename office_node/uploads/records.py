"""The table of uploads. Addresses at WIPO's store are secrets and are never kept: a new one is asked for instead."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from office_node.moves import move
from office_node.storage.columns import UtcDateTime
from office_node.storage.database import Records
from office_node.uploads import states
from office_node.uploads.states import UploadState


class UploadRecord(Records):
    """One content on its way to WIPO, and which message of the outbox its end puts."""

    __tablename__ = "uploads"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    version_id: Mapped[str] = mapped_column(ForeignKey("document_versions.id"))
    reference: Mapped[str] = mapped_column(String(100))
    """`fileReference` of E2: the office's own words."""
    subject: Mapped[str] = mapped_column(String(100))
    """Id of what it is for; stands on every log line of it."""
    then_kind: Mapped[str] = mapped_column(String(40))
    then_effect_key: Mapped[str] = mapped_column(String(200))
    then_payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(12))
    file_id: Mapped[str | None] = mapped_column(String(100))
    """WIPO's id of the file (E2)."""
    round: Mapped[int]
    """How often it began anew because WIPO had forgotten the file."""
    began_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reason: Mapped[str | None] = mapped_column(String(500))

    def move(self, new: UploadState, **facts: Any) -> None:
        """Go to `new` and note `facts`. Raises `ImpossibleMove`."""
        self.state = move(states.MOVES, UploadState(self.state), new)
        for name, value in facts.items():
            setattr(self, name, value)


def locked(session: Session, upload_id: str) -> UploadRecord:
    """The row of an upload that is known to exist, held until the transaction ends."""
    return session.scalars(select(UploadRecord).where(UploadRecord.id == upload_id).with_for_update()).one()
