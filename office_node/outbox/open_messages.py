"""What is open about a subject, as its messages stand."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from office_node.outbox.records import MessageState, OutboxRecord

NODE, ADMINISTRATOR, WIPO = "this node", "the administrator", "WIPO"


def who_acts(session: Session, subject: str) -> tuple[str, str]:
    """Who must act about what these messages are for, and how: the node by itself, or an administrator."""
    unsettled = select(OutboxRecord).where(
        OutboxRecord.acknowledgement_id == subject, OutboxRecord.state != MessageState.SETTLED
    )
    messages = session.scalars(unsettled.order_by(OutboxRecord.created_at)).all()
    for message in messages:
        if message.state == MessageState.PARKED:
            return ADMINISTRATOR, f"`office-node outbox retry {message.id}` once this is mended: {message.last_cause}"
    for message in messages:
        due = f"{message.due_at:%Y-%m-%d %H:%M:%S} UTC"
        if message.last_cause:
            return NODE, f"tries again at {due}, after {message.attempts} tries: {message.last_cause}"
        return NODE, f"works on it, due at {due}"
    return WIPO, "has to answer or to fetch"
