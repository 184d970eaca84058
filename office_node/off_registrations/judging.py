"""What a verb refuses before it changes anything; the verbs and `foresight` ask the same questions."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from office_node.document_id import DocumentKind, PriorityDocumentId
from office_node.library import filing_dates
from office_node.library.accession import Accession, ContentDiffers
from office_node.library.catalogue import CatalogueEntry
from office_node.library.digital_library import DigitalLibrary
from office_node.off_registrations import refusals
from office_node.off_registrations.details import CORRECTABLE, DATES, Corrections
from office_node.off_registrations.records import RegistrationRecord, open_key

IN_THE_CATALOGUE = frozenset({"filing_date", "sealed_access_code"})
"""What of a correction has its place in the library."""


def open_registration(session: Session, kind: DocumentKind, number: str) -> RegistrationRecord | None:
    """The document's registration that has not ended, as it is now."""
    query = select(RegistrationRecord).where(RegistrationRecord.open_key == open_key(kind, number))
    return session.scalars(query).first()


def kept(library: DigitalLibrary, session: Session, kind: DocumentKind, number: str) -> CatalogueEntry:
    """The document in the library. Raises `NotInLibrary`."""
    entry = library.look_up(session, kind, number)
    if entry is None:
        raise refusals.NotInLibrary(f"the {kind} {number} is not in the library")
    _own(entry)
    return entry


def _own(entry: CatalogueEntry) -> None:
    if entry.is_collected:
        hint = "an office registers its own documents; this one came from WIPO"
        raise refusals.NotInLibrary(f"{entry.document} is another office's", hint=hint)


def newest(library: DigitalLibrary, session: Session, entry: CatalogueEntry) -> None:
    """Raises `ContentDiffers` if somebody else has given the document another content meanwhile."""
    present = kept(library, session, entry.document.kind, entry.document.number)
    if present.current.version_id != entry.current.version_id:
        raise ContentDiffers(f"{entry.document} was given another content at the same moment")


def access_code(
    library: DigitalLibrary, entry: CatalogueEntry | None, document: PriorityDocumentId, given: str | None
) -> str:
    """The one that was given, else the catalogue's. Raises `AccessCodeMissing`."""
    code = given or (library.access_code(entry) if entry else None)
    if code is None:
        raise refusals.AccessCodeMissing(f"no access code for {document}")
    return code


def sound(
    accession: Accession, entry: CatalogueEntry | None, document: PriorityDocumentId, code: str, *, note: bool = True
) -> CatalogueEntry:
    """The entry of a document that is submitted without a file.

    Raises `NotInLibrary`, `DocumentDiffers`, or what an inspection raises that was never made.
    """
    if entry is None:
        raise refusals.NotInLibrary(f"{document} is not in the library")
    _own(entry)
    accession.refuse_differing(entry, document, code)
    accession.insist_on_inspection(entry, note=note)
    return entry


def differing_facts(
    library: DigitalLibrary,
    entry: CatalogueEntry,
    registration: RegistrationRecord | None,
    corrections: Corrections,
    on_their_way: Mapping[str, Any],
) -> dict[str, Any]:
    """What of the corrections changes anything, as an operation keeps it; the access code sealed.

    `on_their_way` is what earlier corrections, which still wait, will have changed by then.

    Raises `NothingToCorrect`, `NotRegistered` where there is no place for what is corrected, `BadAccessCode`, or
    `DateAhead`.
    """
    if corrections.filing_date:
        filing_dates.refuse_ahead(corrections.filing_date)
    known = {name: getattr(registration, name) for name in CORRECTABLE} if registration else {}
    dates = {name: Corrections.date_in(on_their_way, name) for name in DATES if name in on_their_way}
    facts = corrections.differing_from({"filing_date": entry.document.date, **known, **on_their_way, **dates})
    if corrections.access_code is not None:
        kind, number = entry.document.kind, entry.document.number
        sealed = library.seal(corrections.access_code, kind, number)
        present = library.reveal(on_their_way.get("sealed_access_code", entry.sealed_access_code), kind, number)
        if corrections.access_code.upper() != present:
            facts["sealed_access_code"] = sealed
    if not facts:
        raise refusals.NothingToCorrect(f"{entry.document} has these data already")
    if registration is None and facts.keys() - IN_THE_CATALOGUE:
        raise refusals.not_registered(entry.document)
    return facts
