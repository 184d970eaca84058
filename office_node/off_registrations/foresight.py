"""What a verb would do, and would refuse, without doing it."""

from typing import BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from office_node.document_id import DocumentKind, PriorityDocumentId
from office_node.library.digital_library import CatalogueEntry, DigitalLibrary
from office_node.off_registrations import refusals
from office_node.off_registrations.details import CORRECTABLE, Corrections, Details
from office_node.off_registrations.records import RegistrationRecord, open_key
from office_node.storage.database import Database


class Foresight:
    """Looks, and changes nothing; what it says is true until somebody else changes something."""

    def __init__(self, database: Database, library: DigitalLibrary) -> None:
        self._database = database
        self._library = library

    def of_submission(
        self,
        document: PriorityDocumentId,
        source: BinaryIO | None,
        access_code: str | None,
        details: Details,
        content_at: str,
    ) -> bool:
        """Whether the document would be registered; False if that was asked for already. Raises as `submit` does."""
        with self._database.reading() as session:
            entry = self._library.look_up(session, document.kind, document.number)
            registration = _open(session, document.kind, document.number)
        code = access_code or (self._library.access_code(entry) if entry else None)
        if code is None:
            raise refusals.AccessCodeMissing(f"no access code for {document}")
        if source:
            self._library.would_add(source, document, code, new_versions=registration is None)
        elif entry is None:
            raise refusals.NotInLibrary(f"{document} is not in the library")
        else:
            self._library.refuse_differing(entry, document, code)
            self._library.insist_on_inspection(entry, note=False)
        if registration is None or entry is None:
            return True
        refusals.differing(registration, entry, details, content_at)
        return False

    def of_correction(self, kind: DocumentKind, number: str, corrections: Corrections) -> list[str]:
        """The names of what would be corrected. Raises as `correct` does."""
        with self._database.reading() as session:
            entry = self._library.look_up(session, kind, number)
            registration = _open(session, kind, number)
        if entry is None:
            raise refusals.NotInLibrary(f"the {kind} {number} is not in the library")
        known = {name: getattr(registration, name) for name in CORRECTABLE} if registration else {}
        differing = [*corrections.differing_from({"filing_date": entry.document.date, **known})]
        if corrections.access_code is not None and self._is_another(entry, corrections.access_code):
            differing.append("access_code")
        if not differing:
            raise refusals.NothingToCorrect(f"{entry.document} has these data already")
        if registration is None and not {"filing_date", "access_code"} & {*differing}:
            raise refusals.not_registered(entry.document)
        return differing

    def _is_another(self, entry: CatalogueEntry, access_code: str) -> bool:
        self._library.seal(access_code, entry.document.kind, entry.document.number)
        return not self._library.access_code_matches(entry, access_code)


def _open(session: Session, kind: DocumentKind, number: str) -> RegistrationRecord | None:
    query = select(RegistrationRecord).where(RegistrationRecord.open_key == open_key(kind, number))
    return session.scalars(query).first()
