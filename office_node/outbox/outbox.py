"""Writing, claiming, settling, postponing and parking messages."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    CursorResult,
    Update,
    and_,
    bindparam,
    case,
    exists,
    literal,
    not_,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import Session

from office_node import clock, logs
from office_node.errors import NotYet, OfficeNodeError, PeerUnavailable, Postponed
from office_node.outbox import backoff
from office_node.outbox.records import OPEN, MessageState, OutboxRecord
from office_node.storage.columns import UtcDateTime
from office_node.storage.database import Database
from office_node.timeline.noting import note
from office_node.timeline.steps import Step

_LONGEST_CAUSE = 500
_SHORTEST_LOOK_SECONDS = 0.5
_UNSETTLED = (MessageState.DUE, MessageState.CLAIMED, MessageState.PARKED)


class LeaseLost(OfficeNodeError):
    """The message went to another worker while this one was busy with it: its late result must not be recorded."""

    code = "N610"
    hint = "nothing to do; if it happens often, raise [outbox] lease_seconds"


class StaleMessage(OfficeNodeError):
    """After a long time without a worker an old message is not sent in a burst with all others: a human decides."""

    code = "N615"
    hint = "`office-node outbox retry` sends it now; [outbox] stale_hours is the age"


class NotParked(OfficeNodeError):
    """A message that was named for a retry does not wait for a human."""

    code = "N611"
    hint = "`office-node outbox list --parked` tells the ids"


@dataclass(frozen=True, slots=True)
class Claim:
    """A message this worker may work on until its lease ends."""

    message_id: str
    kind: str
    acknowledgement_id: str | None
    payload: dict[str, Any]
    fencing: int
    attempts: int
    first_tried_at: datetime
    is_uncertain: bool = False
    """A call for it may have had its effect already: an answer was lost, or a worker died at it."""
    late_by: timedelta = timedelta(0)
    """How long it was due before anybody took it up."""

    def next_look_seconds(self, longest: float) -> float:
        """How long to leave alone what goes on elsewhere: half as long as was waited for it, 0.5 s at least."""
        waited = (clock.now() - self.first_tried_at).total_seconds()
        return min(longest, max(_SHORTEST_LOOK_SECONDS, waited / 2))


@dataclass(frozen=True, slots=True)
class Message:
    """A message as an administrator sees it."""

    message_id: str
    kind: str
    acknowledgement_id: str | None
    state: MessageState
    due_at: datetime
    attempts: int
    created_at: datetime
    first_cause: str | None
    last_cause: str | None


class Outbox:
    """The messages of the node. Guarantee: every message put is tried until it is settled or parked."""

    def __init__(
        self,
        database: Database,
        *,
        lease_seconds: float,
        first_retry_seconds: float,
        rest_seconds: float,
        give_up_hours: float,
        stale_hours: float,
    ) -> None:
        self._database = database
        self.lease_seconds = lease_seconds
        self._first_retry_seconds = first_retry_seconds
        self._rest_seconds = rest_seconds
        self._give_up = timedelta(hours=give_up_hours)
        self._stale_hours = stale_hours

    def put(
        self, session: Session, kind: str, effect_key: str, payload: dict[str, Any], acknowledgement_id: str | None
    ) -> None:
        """Write a message in the caller's transaction, due at once; the same effect is never written twice."""
        moment = clock.now()
        values = {
            "id": uuid4().hex,
            "kind": kind,
            "effect_key": effect_key,
            "acknowledgement_id": acknowledgement_id,
            "payload": payload,
            "state": MessageState.DUE.value,
            "due_at": moment,
            "fencing": 0,
            "attempts": 0,
            "created_at": moment,
            "woken": False,
        }
        self._database.insert_once(session, OutboxRecord, values)

    def put_again(self, session: Session, effect_key: str, again_key: str) -> None:
        """The message with this effect once more, as an effect of its own, if it was sent or is being; in the caller's
        transaction. One that is still to be sent needs no repeat."""
        query = select(OutboxRecord).where(OutboxRecord.effect_key == effect_key)
        sent = session.scalars(query).first()
        if sent and sent.state in (MessageState.SETTLED, MessageState.CLAIMED):
            self.put(session, sent.kind, again_key, sent.payload, sent.acknowledgement_id)

    def states(self, effect_keys: Collection[str]) -> dict[str, MessageState]:
        """How far the messages with these effects are; what was never put is left out."""
        query = select(OutboxRecord.effect_key, OutboxRecord.state).where(OutboxRecord.effect_key.in_(effect_keys))
        with self._database.reading() as session:
            return {key: MessageState(state) for key, state in session.execute(query).all()}

    def due_kinds(self, kinds: Sequence[str]) -> list[str]:
        """Those of the kinds of which something is due: one look for all of them, for most ticks find nothing."""
        if not kinds:
            return []
        with self._database.reading() as session:
            return [*session.scalars(_look_for_due(tuple(kinds)), {"moment": clock.now()})]

    def claim(self, kind: str, limit: int, allow: Callable[[int], int] = lambda count: count) -> list[Claim]:
        """Up to `limit` due messages, each now ours for the length of a lease; `allow` may lower how many."""
        candidates = self._due(kind, limit)
        candidates = candidates[: allow(len(candidates))] if candidates else []
        if not candidates:
            return []
        with self._database.transaction() as session:
            return [claim for record in candidates if (claim := self._claim_one(session, record))]

    def renew(self, claims: Iterable[Claim]) -> None:
        """Lengthen the leases of claims that are still being worked on."""
        for claim in claims:  # one at a time: who holds several rows at once may wait for another that does
            with self._database.transaction() as session:
                session.execute(_held(claim).values(due_at=self._lease_end()))

    def settle(self, session: Session, claim: Claim) -> None:
        """Done, in the transaction that records the result. Raises `LeaseLost`, which must roll that back."""
        self._change(session, claim, state=MessageState.SETTLED, settled_at=clock.now())

    def postpone(self, claim: Claim, error: Exception) -> datetime | None:
        """Try again later, or park when the first try is too long ago. Returns when, None if parked.

        Raises `LeaseLost`.
        """
        if isinstance(error, Postponed):
            return self._put_off(claim, error)
        peer = error if isinstance(error, PeerUnavailable) else PeerUnavailable("")
        if clock.now() - claim.first_tried_at >= self._give_up:
            self.park(claim, error)
            return None
        wait = backoff.wait_seconds(
            claim.attempts,
            first_seconds=self._first_retry_seconds,
            retry_after_seconds=peer.retry_after_seconds,
            at_least_seconds=self._rest_seconds if peer.needs_rest else 0,
            made_progress=peer.made_progress,
        )
        due_at = clock.now() + timedelta(seconds=wait)
        self._record_failure(claim, error, state=MessageState.DUE, due_at=due_at)
        return due_at

    def _put_off(self, claim: Claim, because: Postponed) -> datetime:
        """Nothing was tried: the message is as it was, and due when that may have ended."""
        due_at = clock.now() + timedelta(seconds=because.retry_after_seconds or self._first_retry_seconds)
        untried = {"first_tried_at": None} if claim.attempts == 1 else {}
        with self._database.transaction() as session:
            as_it_was = {"state": MessageState.DUE, "due_at": due_at, "attempts": claim.attempts - 1, **untried}
            self._change(session, claim, last_cause=_told(because), **as_it_was)
        return due_at

    def look_again(self, claim: Claim, because: NotYet) -> bool:
        """Nothing failed, and it is not done: due again soon, or at once if it was woken meanwhile.

        Returns False if it was parked, for even this ends. Raises `LeaseLost`.
        """
        if clock.now() - claim.first_tried_at >= self._give_up:
            self.park(claim, because)
            return False
        now = clock.now()
        # In one statement: whoever ends what is waited for has woken it before, or finds it waiting after.
        due_at = case((OutboxRecord.woken, _literal(now)), else_=_literal(now + timedelta(seconds=because.seconds)))
        # A look is no try: a line that fails after many of them is tried again as soon as after none.
        looked: dict[str, Any] = {"due_at": due_at, "attempts": claim.attempts - 1, "last_cause": _told(because)}
        if because.is_ours:
            looked["first_tried_at"] = None
        with self._database.transaction() as session:
            self._change(session, claim, state=MessageState.DUE, **looked)
        return True

    def doubt(self, session: Session) -> None:
        """After a restore: what was open then may have been done since. Each is due, uncertain, and nobody's."""
        moment = clock.now()
        open_then = update(OutboxRecord).where(OPEN)
        fresh = {"state": MessageState.DUE, "due_at": moment, "uncertain_since": moment}
        _changed(session, open_then.values(**fresh, fencing=OutboxRecord.fencing + 1))

    def make_due(self, session: Session, acknowledgement_id: str) -> None:
        """What waits under this id is worth a look at once, in the caller's transaction."""
        of_it = (OutboxRecord.acknowledgement_id == acknowledgement_id, OPEN)
        waits = OutboxRecord.state == MessageState.DUE
        due_at = case((waits, _literal(clock.now())), else_=OutboxRecord.due_at)
        _changed(session, update(OutboxRecord).where(*of_it).values(due_at=due_at, woken=not_(waits)))

    def refuse_stale(self, claim: Claim) -> None:
        """Raises `StaleMessage` for one that was due for so long that a human must say whether it still matters."""
        hours = claim.late_by.total_seconds() / 3600
        if hours >= self._stale_hours:
            raise StaleMessage(f"nobody worked on it for {hours:.0f} hours")

    def park(self, claim: Claim, error: Exception) -> None:
        """Keep it for a human; nothing is ever dropped. Raises `LeaseLost`."""
        self._record_failure(claim, error, state=MessageState.PARKED)

    def messages(self, *, parked_only: bool = False) -> list[Message]:
        """Everything that is not settled, oldest first; or only what waits for a human."""
        states = (MessageState.PARKED,) if parked_only else _UNSETTLED
        query = select(OutboxRecord).where(OutboxRecord.state.in_(states)).order_by(OutboxRecord.created_at)
        with self._database.reading() as session:
            return [_message(record) for record in session.scalars(query)]

    def retry(self, message_ids: Sequence[str]) -> None:
        """Make parked messages due at once, with all their tries before them. Raises `NotParked`, changing nothing."""
        with self._database.transaction() as session:
            for message_id in message_ids:
                parked = update(OutboxRecord).where(
                    OutboxRecord.id == message_id, OutboxRecord.state == MessageState.PARKED
                )
                fresh = {"state": MessageState.DUE, "due_at": clock.now(), "attempts": 0, "first_tried_at": None}
                if _changed(session, parked.values(**fresh)) != 1:
                    raise NotParked(f"message {message_id} is not parked")
                subject = session.get_one(OutboxRecord, message_id).acknowledgement_id
                note(session, Step.RETRIED, None, None, subject=subject, message=message_id)

    def _due(self, kind: str, limit: int) -> Sequence[OutboxRecord]:
        # A look without the write lock: most ticks find nothing.
        query = (
            select(OutboxRecord)
            .where(OutboxRecord.kind == kind, OPEN, OutboxRecord.due_at <= clock.now())
            .order_by(OutboxRecord.due_at)
            .limit(limit)
        )
        with self._database.reading() as session:
            return session.scalars(query).all()

    def _claim_one(self, session: Session, record: OutboxRecord) -> Claim | None:
        moment = clock.now()
        first_tried_at = record.first_tried_at or moment
        # One that is claimed still was with a worker that died, or slept: how far it came nobody knows.
        is_left_behind = record.state == MessageState.CLAIMED
        uncertain_since = record.uncertain_since or (moment if is_left_behind else None)
        guarded = (
            update(OutboxRecord)
            .where(OutboxRecord.id == record.id, OutboxRecord.fencing == record.fencing)
            .where(OPEN, OutboxRecord.due_at <= moment)
            .values(
                state=MessageState.CLAIMED,
                due_at=self._lease_end(),
                fencing=record.fencing + 1,
                attempts=record.attempts + 1,
                first_tried_at=first_tried_at,
                uncertain_since=uncertain_since,
                woken=False,
            )
        )
        if _changed(session, guarded) != 1:
            return None  # nothing got updated: another worker got there first
        return Claim(
            record.id,
            record.kind,
            record.acknowledgement_id,
            record.payload,
            record.fencing + 1,
            record.attempts + 1,
            first_tried_at,
            uncertain_since is not None,
            moment - record.due_at,
        )

    def _record_failure(self, claim: Claim, error: Exception, **values: Any) -> None:
        cause = _told(error)
        uncertain = isinstance(error, PeerUnavailable) and error.may_have_happened
        with self._database.transaction() as session:
            known = session.execute(
                select(OutboxRecord.first_cause, OutboxRecord.uncertain_since).where(
                    OutboxRecord.id == claim.message_id
                )
            ).one()
            values["uncertain_since"] = known.uncertain_since or (clock.now() if uncertain else None)
            # The first cause is never overwritten: later ones are often only its echo.
            self._change(session, claim, first_cause=known.first_cause or cause, last_cause=cause, **values)
            if values["state"] is MessageState.PARKED:
                subject = claim.acknowledgement_id
                note(session, Step.PARKED, None, None, subject=subject, message=claim.message_id, cause=cause)

    def _change(self, session: Session, claim: Claim, **values: Any) -> None:
        if _changed(session, _held(claim).values(**values)) != 1:
            raise LeaseLost(f"message {claim.message_id} went to another worker")

    def _lease_end(self) -> datetime:
        return clock.now() + timedelta(seconds=self.lease_seconds)


def _told(error: Exception) -> str:
    """It may quote a peer: half a surrogate or a NUL must not keep a message from being parked, nor an escape code
    reach a terminal."""
    cause = logs.redact_text(str(error) or type(error).__name__)
    return "".join(letter if letter.isprintable() else " " for letter in cause[:_LONGEST_CAUSE])


@lru_cache
def _look_for_due(kinds: tuple[str, ...]) -> CompoundSelect[tuple[str]]:
    """Made once for the same kinds: at every tick of an idle worker, making it would cost more than asking."""
    is_due = and_(OPEN, OutboxRecord.due_at <= bindparam("moment", type_=UtcDateTime()))
    return union_all(
        *(select(literal(kind)).where(exists().where(OutboxRecord.kind == kind, is_due)) for kind in kinds)
    )


def _literal(moment: datetime) -> ColumnElement[datetime]:
    return literal(moment, UtcDateTime)


def _held(claim: Claim) -> Update:
    return update(OutboxRecord).where(
        OutboxRecord.id == claim.message_id,
        OutboxRecord.fencing == claim.fencing,
        OutboxRecord.state == MessageState.CLAIMED,
    )


def _changed(session: Session, statement: Update) -> int:
    result = session.execute(statement, execution_options={"synchronize_session": False})
    return result.rowcount if isinstance(result, CursorResult) else 0


def _message(record: OutboxRecord) -> Message:
    return Message(
        record.id,
        record.kind,
        record.acknowledgement_id,
        _state(record),
        record.due_at,
        record.attempts,
        record.created_at,
        record.first_cause,
        record.last_cause,
    )


def _state(record: OutboxRecord) -> MessageState:
    state = MessageState(record.state)
    return MessageState.UNCERTAIN if state is MessageState.DUE and record.uncertain_since else state
