"""What the timeline is told of a request of ours."""

from sqlalchemy.orm import Session

from office_node.osf_retrievals.records import RequestRecord
from office_node.timeline.noting import note
from office_node.timeline.steps import Step


def note_of(session: Session, step: Step, request: RequestRecord, **said: str | int | bool | None) -> None:
    """Note a step under the request's own id."""
    note(session, step, request.kind, request.number, subject=request.id, **said)
