"""What may change about a catalogued document, in the caller's transaction; its contents never change."""

from datetime import date

from sqlalchemy import Update, select, update
from sqlalchemy.orm import Session

from office_node import clock
from office_node.document_id import DocumentKind
from office_node.library.records import DocumentRecord


def lock(session: Session, kind: DocumentKind, number: str) -> None:
    """Whoever else changes something about the document waits until this transaction has ended."""
    which = (DocumentRecord.kind == kind.value, DocumentRecord.number == number)
    session.execute(select(DocumentRecord.id).where(*which).with_for_update())


def withdraw(session: Session, kind: DocumentKind, number: str) -> None:
    """It is no longer served from now on; the first withdrawal's moment stays."""
    session.execute(_of(kind, number).where(DocumentRecord.withdrawn_at.is_(None)).values(withdrawn_at=clock.now()))


def serve_again(session: Session, kind: DocumentKind, number: str) -> None:
    """It is registered anew."""
    session.execute(_of(kind, number).values(withdrawn_at=None))


def correct(session: Session, kind: DocumentKind, number: str, filing_date: date, sealed_access_code: str) -> None:
    """Another date or access code, sealed by `DigitalLibrary.seal`; what callers must know from now on."""
    session.execute(_of(kind, number).values(date=filing_date, sealed_access_code=sealed_access_code))


def bound_for_transit(session: Session, kind: DocumentKind, number: str, big_document_bytes: int | None) -> None:
    """From more bytes than this on it goes through WIPO's transit zone; None: as the settings say."""
    session.execute(_of(kind, number).values(big_document_bytes=big_document_bytes))


def _of(kind: DocumentKind, number: str) -> Update:
    return update(DocumentRecord).where(DocumentRecord.kind == kind.value, DocumentRecord.number == number)
