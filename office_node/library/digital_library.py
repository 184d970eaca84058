"""The verbs of the digital library: add, bind, find, look up, open, check."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from office_node import clock
from office_node.document_id import DocumentKind, PriorityDocumentId
from office_node.errors import OfficeNodeError
from office_node.library import changes, filing_dates
from office_node.library.access_codes import AccessCodes
from office_node.library.catalogue import CatalogueEntry, Version, current, entry_in, version_in
from office_node.library.folder_store import FileMissing, FolderStore, Received
from office_node.library.formats import FileFormat
from office_node.library.records import DocumentRecord, VersionRecord
from office_node.storage.database import Database


class DocumentDiffers(OfficeNodeError):
    """The library knows this document with another date or another access code."""

    code = "N307"
    hint = "check kind and number; the date and the access code of a kept document are not changed by adding it again"


class ContentDiffers(OfficeNodeError):
    """The library keeps this document with another content, and a new version was not asked for."""

    code = "N316"
    hint = "give a registered document its new content with `office-node registrations replace`"


class DocumentDamaged(OfficeNodeError):
    """A kept file is not what the catalogue says it is."""

    code = "N308"
    hint = "run `office-node library verify` and restore the file from the backup"


class Outcome(StrEnum):
    ADDED = "added"
    UNCHANGED = "unchanged"
    NEW_VERSION = "new version"


MayFollow = Callable[[Session], bool]
"""Whether a kept content may be followed by another one: asked while the document is held."""


@dataclass(frozen=True, slots=True)
class _Taking:
    """What is taken in, under which name."""

    document: PriorityDocumentId
    access_code: str
    sealed_access_code: str
    may_follow: MayFollow

    def __repr__(self) -> str:
        return f"_Taking({self.document})"


class DigitalLibrary:
    """Documents of the office: bytes in the store, what they are in the catalogue."""

    def __init__(
        self,
        database: Database,
        store: FolderStore,
        access_codes: AccessCodes,
        max_bytes: int,
        inspect: Callable[[Path], FileFormat],
    ) -> None:
        self._database = database
        self._store = store
        self._access_codes = access_codes
        self._max_bytes = max_bytes
        self._inspect = inspect

    def add(
        self,
        source: BinaryIO,
        document: PriorityDocumentId,
        access_code: str,
        *,
        may_follow: MayFollow = lambda _session: True,
    ) -> tuple[Outcome, CatalogueEntry]:
        """Take a document in: the same bytes again change nothing, other bytes become a new version.

        The file is kept before its row is written, so a row never names a file that is not there. Raises
        `BadAccessCode`, `DateAhead`, `NotADocument`, `UnsoundPackage`, `InspectionImpossible`, `FileTooLarge`,
        `DocumentDiffers`, `StoreUnusable`, `DatabaseUnavailable`, and `ContentDiffers` for other bytes where they may
        not follow.
        """
        taking = self._taking(document, access_code, may_follow)
        with self._store.receiving(source, self._max_bytes) as received:
            file_format = self._inspect(received.path)
            with self._database.reading() as session:
                outcome, known = self._judged(session, received, taking)
            if known and outcome is Outcome.UNCHANGED:
                return outcome, known
            return self._keep(received, file_format, taking)

    def would_add(
        self, source: BinaryIO, document: PriorityDocumentId, access_code: str, *, may_follow: MayFollow
    ) -> Outcome:
        """What `add` would do; raises what it would raise, and keeps nothing."""
        taking = self._taking(document, access_code, may_follow)
        with self._store.receiving(source, self._max_bytes) as received:
            self._inspect(received.path)
            with self._database.reading() as session:
                return self._judged(session, received, taking)[0]

    def _taking(self, document: PriorityDocumentId, access_code: str, may_follow: MayFollow) -> _Taking:
        filing_dates.refuse_ahead(document.date)
        return _Taking(document, access_code, self.seal(access_code, document.kind, document.number), may_follow)

    def _judged(self, session: Session, received: Received, taking: "_Taking") -> tuple[Outcome, CatalogueEntry | None]:
        """What the received bytes are to the library. Raises `DocumentDiffers` and `ContentDiffers`."""
        known = self.look_up(session, taking.document.kind, taking.document.number)
        self.refuse_differing(known, taking.document, taking.access_code)
        if known is None:
            return Outcome.ADDED, None
        if known.current.sha256 == received.sha256:
            return Outcome.UNCHANGED, known
        if not taking.may_follow(session):
            raise ContentDiffers(f"{known.document} is kept with another content")
        return Outcome.NEW_VERSION, known

    def bind(self, kind: DocumentKind, number: str, big_document_bytes: int | None) -> CatalogueEntry | None:
        """From more bytes than this on it goes through WIPO's transit zone; None: as the settings say.

        Returns the document as it is now, None if it is not kept.
        """
        with self._database.transaction() as session:
            changes.lock(session, kind, number)
            changes.bound_for_transit(session, kind, number, big_document_bytes)
            return self.look_up(session, kind, number)

    def find(self, kind: DocumentKind, number: str) -> CatalogueEntry | None:
        """The document of that kind and number (normal form), if it is kept."""
        with self._database.reading() as session:
            return self.look_up(session, kind, number)

    def look_up(self, session: Session, kind: DocumentKind, number: str) -> CatalogueEntry | None:
        """The same as `find`, inside the caller's transaction."""
        row = session.execute(current().where(DocumentRecord.kind == kind, DocumentRecord.number == number)).first()
        return entry_in(row) if row else None

    def entries(self) -> Iterator[CatalogueEntry]:
        """Every document with its current content, by kind and number."""
        with self._database.reading() as session:
            rows = session.execute(current().order_by(DocumentRecord.kind, DocumentRecord.number)).all()
        return map(entry_in, rows)

    def access_code_matches(self, entry: CatalogueEntry, presented: str) -> bool:
        """Whether `presented` opens the document; constant time, without case. Raises `WrongAccessCodeKey`."""
        name = _name(entry.document.kind, entry.document.number)
        return self._access_codes.matches(presented, entry.sealed_access_code, name)

    def access_code(self, entry: CatalogueEntry) -> str:
        """The access code in clear, for WIPO alone. Raises `WrongAccessCodeKey`."""
        return self._access_codes.reveal(entry.sealed_access_code, _name(entry.document.kind, entry.document.number))

    def seal(self, access_code: str, kind: DocumentKind, number: str) -> str:
        """An access code as `change` takes it. Raises `BadAccessCode`."""
        return self._access_codes.seal(access_code, _name(kind, number))

    def reveal(self, sealed_access_code: str, kind: DocumentKind, number: str) -> str:
        """What `seal` has sealed. Raises `WrongAccessCodeKey`."""
        return self._access_codes.reveal(sealed_access_code, _name(kind, number))

    def version(self, version_id: str) -> Version:
        """What the catalogue says of a content. Raises `FileMissing` when it says nothing."""
        with self._database.reading() as session:
            record = session.get(VersionRecord, version_id)
        if record is None:
            raise FileMissing(f"the catalogue has no version {version_id}")
        return version_in(record)

    def open(self, version: Version) -> BinaryIO:
        """The kept file, unbuffered, at its start. Raises `FileMissing`, or `DocumentDamaged` if its size is wrong."""
        file = self._store.open(version.version_id)
        if os.fstat(file.fileno()).st_size != version.size:
            file.close()
            raise DocumentDamaged(f"file {version.version_id} does not have the size of the catalogue")
        return file

    def place(self, version: Version) -> str:
        """Where the store has the file, from its folder on. Raises as `open` does when it cannot be sent."""
        self.open(version).close()
        return self._store.place(version.version_id)

    def check(self, version: Version, tick: Callable[[int], None] = lambda _bytes: None) -> None:
        """Read a kept file whole against its digest. Raises `FileMissing`, `DocumentDamaged` or `StoreUnusable`."""
        if self._store.digest(version.version_id, tick) != version.sha256:
            raise DocumentDamaged(f"file {version.version_id} does not have the digest of the catalogue")

    def insist_on_inspection(self, entry: CatalogueEntry, *, note: bool = True) -> None:
        """Inspect a content that was taken in before contents were inspected. Raises as `add` for what is unsound.

        Without `note` it is not written down, and would be inspected again.
        """
        version_id = entry.current.version_id
        with self._database.reading() as session:
            if session.get_one(VersionRecord, version_id).inspected_at:
                return
        self._inspect(self._store.file(version_id))
        if not note:
            return
        with self._database.transaction() as session:
            session.execute(
                update(VersionRecord).where(VersionRecord.id == version_id).values(inspected_at=clock.now())
            )

    def refuse_differing(self, known: CatalogueEntry | None, document: PriorityDocumentId, access_code: str) -> None:
        """Raises `DocumentDiffers` if the document is known with another date or access code."""
        if known is None:
            return
        if known.document.date != document.date:
            raise DocumentDiffers(f"{known.document} is kept, not the date {document.date.isoformat()}")
        if not self.access_code_matches(known, access_code):
            raise DocumentDiffers(f"{known.document} is kept with another access code")

    def _keep(self, received: Received, file_format: FileFormat, taking: "_Taking") -> tuple[Outcome, CatalogueEntry]:
        version_id = uuid4().hex
        self._store.keep(received, version_id)
        try:
            outcome, entry = self._catalogue(received, file_format, taking, version_id)
        except (DocumentDiffers, ContentDiffers):
            # Only what surely wrote no row: after a commit whose answer was lost, the row may name this file.
            self._store.discard(version_id)
            raise
        if outcome is Outcome.UNCHANGED:
            self._store.discard(version_id)
        return outcome, entry

    def _catalogue(
        self,
        received: Received,
        file_format: FileFormat,
        taking: "_Taking",
        version_id: str,
    ) -> tuple[Outcome, CatalogueEntry]:
        document = taking.document
        with self._database.transaction() as session:
            moment = clock.now()
            first = {
                "id": uuid4().hex,
                "kind": document.kind.value,
                "number": document.number,
                "date": document.date,
                "sealed_access_code": taking.sealed_access_code,
                "current_version": 0,
                "catalogued_at": moment,
            }
            self._database.insert_once(session, DocumentRecord, first)
            # The row's lock makes two intakes of one document take turns on PostgreSQL too.
            which = (DocumentRecord.kind == document.kind, DocumentRecord.number == document.number)
            record = session.scalars(select(DocumentRecord).where(*which).with_for_update()).one()
            outcome, known = self._judged(session, received, taking)
            if known and outcome is Outcome.UNCHANGED:
                return outcome, known
            number = record.current_version + 1
            version = VersionRecord(
                id=version_id,
                document_id=record.id,
                version=number,
                sha256=received.sha256,
                size=received.size,
                file_format=file_format.value,
                stored_at=moment,
                inspected_at=moment,
            )
            session.add(version)
            session.execute(update(DocumentRecord).where(*which).values(current_version=number))
        entry = CatalogueEntry(document, version_in(version), record.sealed_access_code)
        return outcome, entry


def _name(kind: DocumentKind, number: str) -> str:
    return f"{kind.value}\n{number}"
