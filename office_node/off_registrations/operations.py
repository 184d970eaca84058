"""How an operation begins and how it ends, each in the caller's transaction."""

from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from office_node import clock
from office_node.document_id import PriorityDocumentId
from office_node.off_registrations.records import OperationRecord, RegistrationRecord, next_in_turn, next_turn
from office_node.off_registrations.states import OperationState, Verb
from office_node.outbox.outbox import Outbox
from office_node.timeline.noting import note
from office_node.timeline.steps import Step

HAND_BACK = "hand_back"
_LONGEST_REASON = 500


def write_down(
    session: Session,
    verb: Verb,
    document: PriorityDocumentId,
    registration: RegistrationRecord | None,
    *,
    facts: dict[str, Any] | None = None,
    hand_back_to: str | None = None,
) -> OperationRecord:
    """A new operation, whose turn comes after all that were asked for before about the document."""
    operation = OperationRecord(
        id=uuid4().hex,
        registration_id=registration.id if registration else None,
        kind=document.kind.value,
        number=document.number,
        turn=next_turn(session, document.kind, document.number),
        verb=verb.value,
        facts=facts or {},
        hand_back_to=hand_back_to,
        state=OperationState.WAITING,
        created_at=clock.now(),
    )
    session.add(operation)
    note(session, Step.OPERATION_ASKED, document.kind, document.number, subject=operation.id, verb=verb.value)
    return operation


def end(
    session: Session, outbox: Outbox, operation: OperationRecord, state: OperationState, reason: str | None = None
) -> None:
    """It is over: the next in turn goes on, and whoever laid it into the watched folder is told."""
    operation.state, operation.ended_at = state, clock.now()
    operation.reason = reason[:_LONGEST_REASON] if reason else None
    step = Step.OPERATION_DONE if state is OperationState.DONE else Step.OPERATION_REFUSED
    note(
        session,
        step,
        operation.kind,
        operation.number,
        subject=operation.id,
        verb=operation.verb,
        reason=operation.reason,
    )
    if following := next_in_turn(session, operation):
        outbox.make_due(session, following)
    if operation.hand_back_to:
        outbox.put(session, HAND_BACK, f"{HAND_BACK}:{operation.id}", {"operation": operation.id}, operation.id)
