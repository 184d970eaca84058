"""The catalogue's tables: a document, and each content it ever had."""

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from office_node.library.classification import Classification
from office_node.storage.columns import UtcDateTime
from office_node.storage.database import Records


class DocumentRecord(Records):
    """A priority document. Kind and number name it; the date and the access code are what a caller must also know."""

    __tablename__ = "documents"
    __table_args__ = (UniqueConstraint("kind", "number"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    number: Mapped[str] = mapped_column(String(100))
    date: Mapped[date]
    sealed_access_code: Mapped[str] = mapped_column(String(100))
    current_version: Mapped[int]
    catalogued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Since when it is no longer served."""
    big_document_bytes: Mapped[int | None] = mapped_column(BigInteger)
    """From more bytes than this on it goes through WIPO's transit zone; empty: as the settings say."""
    is_collected: Mapped[bool] = mapped_column(default=False)
    """Whether it came from WIPO: another office's document, which this one neither serves nor registers."""
    classification: Mapped[str] = mapped_column(String(20), default=Classification.CONFIDENTIAL.value)


class VersionRecord(Records):
    """One content of a document; never changed, only followed by the next."""

    __tablename__ = "document_versions"
    __table_args__ = (UniqueConstraint("document_id", "version"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id"))
    version: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    file_format: Mapped[str] = mapped_column(String(8))
    stored_at: Mapped[datetime] = mapped_column(UtcDateTime)
    inspected_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it was found sound; empty for what was taken in before contents were inspected."""
    wrapped_key: Mapped[str | None] = mapped_column(String(1000))
    """The key under which the file is sealed; empty for a file that is kept plain."""
    storage_kid: Mapped[str | None] = mapped_column(String(43), index=True)
    """Thumbprint of the storage key to which that key is wrapped."""
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    """When the file was last read whole and had its digest; empty: not since documents are checked."""
    quarantined_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Since when it is out of service because its file is not what it was."""
    damage: Mapped[str | None] = mapped_column(String(200))
    """What was found then."""
