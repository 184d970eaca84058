"""What happened to one document or request, and who must act next."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from office_node.storage.database import Database
from office_node.timeline.chain import Entry
from office_node.timeline.records import TimelineRecord


@dataclass(frozen=True, slots=True)
class OpenMatter:
    """Something that has not ended."""

    what: str
    who: str
    """Who must act next: this node, WIPO, the administrator."""
    next_step: str


OpenMattersOf = Callable[[Session, str, str], Iterable[OpenMatter]]
"""What a capability has open about a document, by kind and number."""


@dataclass(frozen=True, slots=True)
class History:
    """Of what was asked for."""

    entries: list[Entry]
    open_matters: list[OpenMatter]


class Histories:
    """Told from the timeline; what is open, from the capabilities themselves."""

    def __init__(self, database: Database, capabilities: Sequence[OpenMattersOf]) -> None:
        self._database = database
        self._capabilities = capabilities

    def of(self, asked: Sequence[str]) -> History:
        """Of every document with one of these numbers, and of every request with one of these ids."""
        with self._database.reading() as session:
            entries = [row.entry() for row in entries_of(session, asked)]
            documents = dict.fromkeys((entry.kind, entry.number) for entry in entries)
            matters = [
                matter
                for kind, number in documents
                if kind and number
                for open_matters in self._capabilities
                for matter in open_matters(session, kind, number)
            ]
        return History(entries, matters)


def entries_of(session: Session, asked: Sequence[str]) -> Sequence[TimelineRecord]:
    """Every entry of a document with one of these numbers, or of a request with one of these ids; oldest first.

    With a document come the steps of its requests that name the request alone.
    """
    requests = select(TimelineRecord.subject).where(
        TimelineRecord.number.in_(asked), TimelineRecord.subject.is_not(None)
    )
    which = or_(
        TimelineRecord.number.in_(asked), TimelineRecord.subject.in_(asked), TimelineRecord.subject.in_(requests)
    )
    return session.scalars(select(TimelineRecord).where(which).order_by(TimelineRecord.sequence)).all()
