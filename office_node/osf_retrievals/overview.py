"""What a clerk sees of the office's requests."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from office_node.document_id import DocumentKind, PriorityDocumentId
from office_node.osf_retrievals.handing_over import name_of
from office_node.osf_retrievals.records import UNENDED, RequestRecord
from office_node.osf_retrievals.states import RequestState
from office_node.storage.database import Database


@dataclass(frozen=True, slots=True)
class RequestView:
    """A request as it stands."""

    request_id: str
    document: PriorityDocumentId
    classification: str
    application_number: str | None
    acknowledgement_id: str | None
    state: RequestState
    asked_at: datetime
    available_at: datetime | None
    ended_at: datetime | None
    reason: str | None
    error_code: int | None
    comes_as: str
    """The name under which it will be handed over."""
    handed_over_as: str | None
    kept_in_library: bool
    keep_until: datetime | None

    @property
    def has_ended(self) -> bool:
        """Whether nothing follows."""
        return self.ended_at is not None


class Requests:
    """Looks, and changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(
        self, kind: DocumentKind | None = None, number: str | None = None, *, open_only: bool = False
    ) -> list[RequestView]:
        """Newest first; `number` in normal form."""
        query = select(RequestRecord).order_by(RequestRecord.created_at.desc())
        if kind:
            query = query.where(RequestRecord.kind == kind.value)
        if number:
            query = query.where(RequestRecord.number == number)
        if open_only:
            query = query.where(UNENDED)
        with self._database.reading() as session:
            return [_view(request) for request in session.scalars(query)]

    def one(self, request_id: str) -> RequestView | None:
        """By our id or by WIPO's."""
        which = (RequestRecord.id == request_id) | (RequestRecord.acknowledgement_id == request_id)
        with self._database.reading() as session:
            found = session.scalars(select(RequestRecord).where(which)).first()
        return _view(found) if found else None


def _view(request: RequestRecord) -> RequestView:
    return RequestView(
        request.id,
        request.document,
        request.classification,
        request.application_number,
        request.acknowledgement_id,
        RequestState(request.state),
        request.created_at,
        request.available_at,
        request.ended_at,
        request.ended_because,
        request.error_code,
        name_of(request),
        request.handed_over_as,
        request.version_id is not None,
        request.keep_until,
    )
