"""What is open between us and WIPO about a document that this office asked for."""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from office_node.osf_retrievals.records import UNENDED, RequestRecord
from office_node.osf_retrievals.states import RequestState
from office_node.outbox.open_messages import who_acts
from office_node.timeline.history import OpenMatter


def open_matters(session: Session, kind: str, number: str) -> Iterator[OpenMatter]:
    """Requests that have not ended, and copies that wait to be taken."""
    found = select(RequestRecord).where(RequestRecord.kind == kind, RequestRecord.number == number)
    for request in session.scalars(found.where(UNENDED).order_by(RequestRecord.created_at)):
        who, next_step = who_acts(session, request.id)
        yield OpenMatter(f"our request {request.id} is {request.state}", who, next_step)
    is_collected = RequestRecord.state == RequestState.COLLECTED
    for request in session.scalars(found.where(RequestRecord.keep_until.is_not(None), is_collected)):
        until = f"{request.keep_until:%Y-%m-%d %H:%M} UTC"
        yield OpenMatter(
            f"{request.handed_over_as} in collected/ is in transit only",
            "the office's systems",
            f"take it before {until}: it is deleted then",
        )
