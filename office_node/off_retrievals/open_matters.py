"""What is open between WIPO and us about a document."""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from office_node.off_retrievals.records import UNENDED
from office_node.off_retrievals.records import ForwardedRetrievalRecord as Retrieval
from office_node.off_retrievals.states import RetrievalState
from office_node.outbox.open_messages import who_acts
from office_node.timeline.history import OpenMatter


def open_matters(session: Session, kind: str, number: str) -> Iterator[OpenMatter]:
    """WIPO's requests for it that have not ended; what was sent whole waits for nobody."""
    found = select(Retrieval).where(Retrieval.kind == kind, Retrieval.number == number, UNENDED)
    for retrieval in session.scalars(found.order_by(Retrieval.received_at)):
        if retrieval.state != RetrievalState.DOWNLOADED:
            who, next_step = who_acts(session, retrieval.acknowledgement_id)
            yield OpenMatter(f"WIPO's request {retrieval.acknowledgement_id} is {retrieval.state}", who, next_step)
