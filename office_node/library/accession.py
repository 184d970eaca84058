"""Taking a document in: received, inspected, sealed if it is to be, kept, catalogued. The same bytes again change
nothing."""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO
from uuid import uuid4

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from office_node import clock, crash_points
from office_node.document_id import PriorityDocumentId
from office_node.errors import OfficeNodeError
from office_node.headroom import Headroom
from office_node.library import filing_dates, keepings
from office_node.library.catalogue import CatalogueEntry
from office_node.library.classification import Classification
from office_node.library.digital_library import DigitalLibrary
from office_node.library.formats import FileFormat
from office_node.library.incoming import Incoming, Received
from office_node.library.policy import StoragePolicy
from office_node.library.records import DocumentRecord, VersionRecord
from office_node.library.sealing.at_rest import FileAtRest
from office_node.library.store import Store
from office_node.storage.database import Database
from office_node.timeline.noting import note
from office_node.timeline.steps import Step


class DocumentDiffers(OfficeNodeError):
    """The library knows this document with another date, another access code or another class."""

    code = "N307"
    owner = "office"
    hint = "check kind and number; what is known of a kept document is not changed by adding it again"


class ContentDiffers(OfficeNodeError):
    """The library keeps this document with another content, and a new version was not asked for."""

    code = "N316"
    owner = "office"
    hint = "give a registered document its new content with `office-node registrations replace`"


class Outcome(StrEnum):
    ADDED = "added"
    UNCHANGED = "unchanged"
    NEW_VERSION = "new version"
    RESTORED = "restored"
    """The same bytes, in the place of a file that was found damaged."""


MayFollow = Callable[[Session], bool]
"""Whether a kept content may be followed by another one: asked while the document is held."""


@dataclass(frozen=True, slots=True)
class _Taking:
    """What is taken in, under which name."""

    document: PriorityDocumentId
    access_code: str
    sealed_access_code: str
    classification: Classification
    is_collected: bool
    may_follow: MayFollow

    def __repr__(self) -> str:
        return f"_Taking({self.document})"


class Accession:
    """How documents come into the library."""

    def __init__(
        self,
        *,
        database: Database,
        library: DigitalLibrary,
        incoming: Incoming,
        store: Store,
        inspect: Callable[[FileAtRest], FileFormat],
        max_bytes: int,
        sealed_classes: Collection[Classification],
        storage_policy: StoragePolicy,
        headroom: Headroom,
    ) -> None:
        """Documents of `sealed_classes` are kept sealed, others plain; none comes in without `headroom`."""
        self._database = database
        self._library = library
        self._incoming = incoming
        self._store = store
        self._inspect = inspect
        self._max_bytes = max_bytes
        self._sealed_classes = frozenset(sealed_classes)
        self._policy = storage_policy
        self._headroom = headroom

    def add(
        self,
        source: BinaryIO,
        document: PriorityDocumentId,
        access_code: str,
        *,
        classification: Classification | None = None,
        is_collected: bool = False,
        may_follow: MayFollow = lambda _session: True,
    ) -> tuple[Outcome, CatalogueEntry]:
        """Take a document in: the same bytes again change nothing, other bytes become a new version.

        Without `classification` a new document is confidential. The file is kept before its row is written, so a row
        never names a file that is not there. Raises `BadAccessCode`, `DateAhead`, `NotADocument`, `UnsoundPackage`,
        `InspectionImpossible`, `FileTooLarge`, `SourceUnreadable`, `DocumentDiffers`, `StoreUnusable`,
        `DatabaseUnavailable`, `DiskNearlyFull`, `MayNotBeKept` by the storage policy, and `ContentDiffers` for other
        bytes where they may not follow.
        """
        taking = self._taking(document, access_code, classification, may_follow, is_collected=is_collected)
        with self._received(source, taking.classification) as received:
            file_format = self._inspect(received.at_rest)
            with self._database.reading() as session:
                outcome, known = self._judged(session, received, taking)
            if known and outcome is Outcome.UNCHANGED:
                return outcome, known
            return self._keep(received, file_format, taking)

    def would_add(
        self,
        source: BinaryIO,
        document: PriorityDocumentId,
        access_code: str,
        *,
        classification: Classification | None = None,
        may_follow: MayFollow,
    ) -> Outcome:
        """What `add` would do; raises what it would raise, and keeps nothing."""
        taking = self._taking(document, access_code, classification, may_follow)
        with self._received(source, taking.classification) as received:
            self._inspect(received.at_rest)
            with self._database.reading() as session:
                return self._judged(session, received, taking)[0]

    def insist_on_inspection(self, entry: CatalogueEntry, *, note: bool = True) -> None:
        """Inspect a content that was taken in before contents were inspected. Raises as `add` for what is unsound.

        Without `note` it is not written down, and would be inspected again.
        """
        version_id = entry.current.version_id
        with self._database.reading() as session:
            if session.get_one(VersionRecord, version_id).inspected_at:
                return
        with self._library.open(entry.current) as kept, self._received(kept, entry.classification) as copy:
            self._inspect(copy.at_rest)
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
        if not self._library.access_code_matches(known, access_code):
            raise DocumentDiffers(f"{known.document} is kept with another access code")

    def _taking(
        self,
        document: PriorityDocumentId,
        access_code: str,
        classification: Classification | None,
        may_follow: MayFollow,
        *,
        is_collected: bool = False,
    ) -> _Taking:
        filing_dates.refuse_ahead(document.date)
        sealed_access_code = self._library.seal(access_code, document.kind, document.number)
        known = None if classification else self._library.find(document.kind, document.number)
        usual = known.classification if known else Classification.CONFIDENTIAL
        classified = classification or usual
        self._policy.insist_on_library(document.kind, document.number, classified)
        return _Taking(document, access_code, sealed_access_code, classified, is_collected, may_follow)

    def _received(self, source: BinaryIO, classification: Classification) -> AbstractContextManager[Received]:
        self._headroom.insist()
        return self._incoming.receiving(source, self._max_bytes, sealed=classification in self._sealed_classes)

    def _judged(self, session: Session, received: Received, taking: _Taking) -> tuple[Outcome, CatalogueEntry | None]:
        """What the received bytes are to the library. Raises `DocumentDiffers` and `ContentDiffers`."""
        known = self._library.look_up(session, taking.document.kind, taking.document.number)
        if known is None:
            return Outcome.ADDED, None
        if known.is_collected is not taking.is_collected:
            whose = "another office's, collected from WIPO" if known.is_collected else "this office's own"
            raise DocumentDiffers(f"{known.document} is kept as {whose}")
        self.refuse_differing(known, taking.document, taking.access_code)
        if known.classification is not taking.classification:
            raise DocumentDiffers(f"{known.document} is kept as {known.classification.value}")
        if known.current.sha256 == received.sha256:
            return (Outcome.RESTORED if known.current.quarantined_at else Outcome.UNCHANGED), known
        if not taking.may_follow(session):
            raise ContentDiffers(f"{known.document} is kept with another content")
        return Outcome.NEW_VERSION, known

    def _keep(self, received: Received, file_format: FileFormat, taking: _Taking) -> tuple[Outcome, CatalogueEntry]:
        with self._database.transaction() as session:
            keepings.begin(session, received.name)
        crash_points.reached("accession: noted, not kept")
        self._store.keep(received.at_rest.path, received.name)
        crash_points.reached("accession: kept, not catalogued")
        try:
            outcome, entry = self._catalogue(received, file_format, taking)
        except (DocumentDiffers, ContentDiffers):
            # Only what surely wrote no row: after a commit whose answer was lost, the row may name this file.
            self._discard(received.name)
            raise
        if outcome is Outcome.UNCHANGED:
            self._discard(received.name)
        return outcome, entry

    def _discard(self, name: str) -> None:
        self._store.discard(name)
        with self._database.transaction() as session:
            keepings.end(session, name)

    def _catalogue(
        self, received: Received, file_format: FileFormat, taking: _Taking
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
                "classification": taking.classification.value,
                "is_collected": taking.is_collected,
            }
            self._database.insert_once(session, DocumentRecord, first)
            # The row's lock makes two intakes of one document take turns on PostgreSQL too.
            which = (DocumentRecord.kind == document.kind, DocumentRecord.number == document.number)
            record = session.scalars(select(DocumentRecord).where(*which).with_for_update()).one()
            outcome, known = self._judged(session, received, taking)
            if known and outcome is Outcome.UNCHANGED:
                return outcome, known
            number = record.current_version + 1
            wrapped = received.wrapped_key
            version = VersionRecord(
                id=received.name,
                document_id=record.id,
                version=number,
                sha256=received.sha256,
                size=received.size,
                file_format=file_format.value,
                stored_at=moment,
                inspected_at=moment,
                checked_at=moment,
                wrapped_key=wrapped.text if wrapped else None,
                storage_kid=wrapped.storage_kid if wrapped else None,
            )
            session.add(version)
            keepings.end(session, received.name)
            session.execute(update(DocumentRecord).where(*which).values(current_version=number))
            session.flush()
            _note(session, document, version, taking.classification, is_restored=outcome is Outcome.RESTORED)
            return outcome, self._entry(session, document)

    def _entry(self, session: Session, document: PriorityDocumentId) -> CatalogueEntry:
        entry = self._library.look_up(session, document.kind, document.number)
        if entry is None:
            raise LookupError(f"{document} was catalogued and is not there")
        return entry


def _note(
    session: Session,
    document: PriorityDocumentId,
    version: VersionRecord,
    classification: Classification,
    *,
    is_restored: bool,
) -> None:
    usual = Step.ADDED if version.version == 1 else Step.NEW_VERSION
    note(
        session,
        Step.RESTORED if is_restored else usual,
        document.kind,
        document.number,
        date=document.date.isoformat(),
        version=version.version,
        bytes=version.size,
        sha256=version.sha256,
        classification=classification.value,
        encrypted=version.wrapped_key is not None,
    )
