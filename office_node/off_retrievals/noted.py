"""What the timeline is told of a forwarded retrieval."""

from sqlalchemy.orm import Session

from office_node.off_retrievals.records import ForwardedRetrievalRecord as Retrieval
from office_node.timeline.noting import note
from office_node.timeline.steps import Step


def note_of(session: Session, step: Step, retrieval: Retrieval, **said: str | int | bool | None) -> None:
    """Note a step under the request's own id."""
    note(session, step, retrieval.kind, retrieval.number, subject=retrieval.acknowledgement_id, **said)
