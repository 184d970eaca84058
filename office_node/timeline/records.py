"""The timeline's tables. Rows are only ever added."""

from sqlalchemy import BigInteger, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from office_node.storage.database import Records
from office_node.timeline.chain import Entry
from office_node.timeline.said import read_said


class TimelineRecord(Records):
    """One entry, with its digest."""

    __tablename__ = "timeline"
    __table_args__ = (Index("ix_timeline_document", "number", "kind"),)

    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(String(32))
    step: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str | None] = mapped_column(String(20))
    number: Mapped[str | None] = mapped_column(String(100))
    subject: Mapped[str | None] = mapped_column(String(100), index=True)
    said: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))

    def entry(self) -> Entry:
        """What it says. Raises `ValueError` for a row that somebody has spoilt."""
        return Entry(self.sequence, self.at, self.step, self.kind, self.number, self.subject, read_said(self.said))


class CheckpointRecord(Records):
    """A signed checkpoint, which covers every entry up to `sequence`."""

    __tablename__ = "timeline_checkpoints"

    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    signed: Mapped[str] = mapped_column(Text)
    """A JWS in compact form (RFC 7515)."""
