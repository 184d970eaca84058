"""The verb of every room: note a step, in the transaction that makes it true."""

from dataclasses import replace

from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from office_node import clock
from office_node.document_id import DocumentKind
from office_node.timeline import chain
from office_node.timeline.chain import BEFORE_THE_FIRST, Entry
from office_node.timeline.records import TimelineRecord
from office_node.timeline.said import write_said
from office_node.timeline.steps import Step

_NOTED = "office_node_timeline"
_TURN = 0x0FF1CE  # of PostgreSQL's advisory lock: any number that nothing else here takes


def note(
    session: Session,
    step: Step,
    kind: DocumentKind | str | None,
    number: str | None,
    *,
    subject: str | None = None,
    **said: str | int | bool | None,
) -> None:
    """Note a step: it is true if the transaction commits, and stands in the chain then.

    What is said must be no secret: it is shown to clerks, and goes out as evidence.
    """
    entry = Entry(
        0, clock.now().isoformat(timespec="microseconds"), step.value, kind and str(kind), number, subject, said
    )
    noted: list[Entry] | None = session.info.get(_NOTED)
    if noted is None:
        noted = session.info[_NOTED] = []
        # At the very end: whoever appends waits for those before it, and then for nothing else.
        event.listen(session, "before_commit", _append, once=True)
    noted.append(entry)


def _last(session: Session) -> tuple[int, str]:
    """Sequence and digest of the newest entry."""
    newest = select(TimelineRecord.sequence, TimelineRecord.digest).order_by(TimelineRecord.sequence.desc()).limit(1)
    row = session.execute(newest).first()
    return (row.sequence, row.digest) if row else (0, BEFORE_THE_FIRST)


def _append(session: Session) -> None:
    session.flush()  # whatever that waits for, it waits for before it holds the end of the chain
    _take_turn(session)
    sequence, digest = _last(session)
    for entry in session.info.pop(_NOTED):
        sequence += 1
        placed = replace(entry, sequence=sequence)
        digest = chain.digest(digest, placed)
        session.add(
            TimelineRecord(
                sequence=sequence,
                at=placed.at,
                step=placed.step,
                kind=placed.kind,
                number=placed.number,
                subject=placed.subject,
                said=write_said(placed.said),
                digest=digest,
            )
        )


def _take_turn(session: Session) -> None:
    """On PostgreSQL several write at once; SQLite has one writer."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": _TURN})
