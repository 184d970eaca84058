"""What the catalogue says of a document and of its contents, read off the rows."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Row, Select, select

from office_node.document_id import DocumentKind, PriorityDocumentId
from office_node.library.classification import Classification
from office_node.library.formats import FileFormat
from office_node.library.records import DocumentRecord, VersionRecord


@dataclass(frozen=True, slots=True)
class Version:
    """One kept content of a document."""

    version_id: str
    version: int
    sha256: str
    """64 lower-case hexadecimal digits."""
    size: int
    """Bytes."""
    file_format: FileFormat
    stored_at: datetime
    wrapped_key: str | None = field(default=None, repr=False)
    """The key under which its file is sealed, for `DigitalLibrary.open` alone; None if it is kept plain."""
    quarantined_at: datetime | None = None
    """Since when it is out of service because its file is damaged."""

    @property
    def is_sealed(self) -> bool:
        """Whether its file is encrypted."""
        return self.wrapped_key is not None


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A document with its current content. The sealed access code is for `access_code_matches` alone."""

    document: PriorityDocumentId
    current: Version
    sealed_access_code: str
    withdrawn_at: datetime | None = None
    """Since when it is no longer served."""
    big_document_bytes: int | None = None
    """Its own bound for WIPO's transit zone, if it has one."""
    classification: Classification = Classification.CONFIDENTIAL
    is_collected: bool = False
    """Whether it is another office's, collected from WIPO."""


def current() -> Select[DocumentRecord, VersionRecord]:
    """Documents with their current content."""
    return select(DocumentRecord, VersionRecord).join(
        VersionRecord,
        (VersionRecord.document_id == DocumentRecord.id) & (VersionRecord.version == DocumentRecord.current_version),
    )


def entry_in(row: Row[DocumentRecord, VersionRecord]) -> CatalogueEntry:
    """A row of `current` as an entry."""
    document, version = row
    return CatalogueEntry(
        document_in(document),
        version_in(version),
        document.sealed_access_code,
        document.withdrawn_at,
        document.big_document_bytes,
        Classification(document.classification),
        document.is_collected,
    )


def document_in(record: DocumentRecord) -> PriorityDocumentId:
    """Which document the row is about."""
    return PriorityDocumentId(DocumentKind(record.kind), record.number, record.date)


def version_in(record: VersionRecord) -> Version:
    """Which content the row is about."""
    return Version(
        record.id,
        record.version,
        record.sha256,
        record.size,
        FileFormat(record.file_format),
        record.stored_at,
        record.wrapped_key,
        record.quarantined_at,
    )
