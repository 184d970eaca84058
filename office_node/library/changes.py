"""What may change about a catalogued document, in the caller's transaction; its contents never change."""

from datetime import date

from sqlalchemy import CursorResult, Update, select, update
from sqlalchemy.orm import Session

from office_node import clock
from office_node.document_id import DocumentKind
from office_node.library.records import DocumentRecord
from office_node.timeline.noting import note
from office_node.timeline.steps import Step


def lock(session: Session, kind: DocumentKind, number: str) -> None:
    """Whoever else changes something about the document waits until this transaction has ended."""
    which = (DocumentRecord.kind == kind.value, DocumentRecord.number == number)
    session.execute(select(DocumentRecord.id).where(*which).with_for_update())


def withdraw(session: Session, kind: DocumentKind, number: str) -> None:
    """It is no longer served from now on; the first withdrawal's moment stays."""
    served = _of(kind, number).where(DocumentRecord.withdrawn_at.is_(None))
    if _changed(session, served.values(withdrawn_at=clock.now())):
        note(session, Step.WITHDRAWN, kind, number)


def serve_again(session: Session, kind: DocumentKind, number: str) -> None:
    """It is registered anew."""
    withdrawn = _of(kind, number).where(DocumentRecord.withdrawn_at.is_not(None))
    if _changed(session, withdrawn.values(withdrawn_at=None)):
        note(session, Step.SERVED_AGAIN, kind, number)


def correct(session: Session, kind: DocumentKind, number: str, filing_date: date, sealed_access_code: str) -> None:
    """Another date or access code, sealed by `DigitalLibrary.seal`; what callers must know from now on."""
    if _changed(session, _of(kind, number).values(date=filing_date, sealed_access_code=sealed_access_code)):
        note(session, Step.CORRECTED, kind, number, date=filing_date.isoformat())


def bound_for_transit(session: Session, kind: DocumentKind, number: str, big_document_bytes: int | None) -> None:
    """From more bytes than this on it goes through WIPO's transit zone; None: as the settings say."""
    if _changed(session, _of(kind, number).values(big_document_bytes=big_document_bytes)):
        note(session, Step.BOUND, kind, number, bytes=big_document_bytes)


def _changed(session: Session, statement: Update) -> bool:
    result = session.execute(statement)
    return isinstance(result, CursorResult) and result.rowcount > 0


def _of(kind: DocumentKind, number: str) -> Update:
    return update(DocumentRecord).where(DocumentRecord.kind == kind.value, DocumentRecord.number == number)
