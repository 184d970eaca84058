"""One document's evidence: its entries, and what proves each to somebody who sees nothing else of the office.

The evidence is one JSON object. For each entry: what it says, the digest before it, its path in the tree under a
checkpoint, and which checkpoint; entries that no checkpoint covers yet are told apart. Whoever checks it needs the
public key of the office's timeline, asked for by another way.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from joserfc.jwk import ECKey
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from office_node.errors import OfficeNodeError
from office_node.storage.database import Database
from office_node.timeline import chain
from office_node.timeline.chain import BEFORE_THE_FIRST, Entry
from office_node.timeline.checkpoints import Checkpoint, CheckpointInvalid, opened
from office_node.timeline.history import entries_of
from office_node.timeline.records import CheckpointRecord, TimelineRecord

FORMAT = "office-node/evidence/1"


class EvidenceRefused(OfficeNodeError):
    """What is said to be evidence proves nothing."""

    code = "N382"
    owner = "office"
    hint = "ask the office for it again, and for the public key of its timeline by another way"


class Evidence:
    """Made for one document or request."""

    def __init__(self, database: Database, office: str) -> None:
        self._database = database
        self._office = office

    def export(self, asked: Sequence[str]) -> dict[str, Any] | None:
        """The evidence for a document, by any form of its number, or for a request by its id; None if nothing is."""
        with self._database.reading() as session:
            rows = entries_of(session, asked)
            if not rows:
                return None
            covers = _Covers(session)
            entries = [_proven(session, row, covers) for row in rows]
        return {
            "format": FORMAT,
            "office": self._office,
            "entries": entries,
            "checkpoints": {str(cover.sequence): cover.signed for cover in covers.used},
        }


@dataclass(frozen=True, slots=True)
class _Cover:
    """A checkpoint, and what it is a tree over."""

    since: int
    sequence: int
    signed: str
    digests: Sequence[str]


class _Covers:
    """The checkpoints over a document's entries, each read once: its entries often lie close to each other."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.used: list[_Cover] = []

    def of(self, sequence: int) -> _Cover | None:
        """The checkpoint over that entry; None while there is none."""
        if not self.used or self.used[-1].sequence < sequence:
            found = self._read(sequence)
            if found is None:
                return None
            self.used.append(found)
        return self.used[-1]

    def _read(self, sequence: int) -> _Cover | None:
        number = CheckpointRecord.sequence
        covering = self._session.scalars(
            select(CheckpointRecord).where(number >= sequence).order_by(number).limit(1)
        ).first()
        if covering is None:
            return None
        since = self._session.scalar(select(func.max(number)).where(number < sequence)) or 0
        digests = self._session.scalars(
            select(TimelineRecord.digest)
            .where(TimelineRecord.sequence > since, TimelineRecord.sequence <= covering.sequence)
            .order_by(TimelineRecord.sequence)
        ).all()
        return _Cover(since, covering.sequence, covering.signed, digests)


def _proven(session: Session, row: TimelineRecord, covers: _Covers) -> dict[str, Any]:
    proven: dict[str, Any] = {"entry": asdict(row.entry()), "before": _digest_at(session, row.sequence - 1)}
    cover = covers.of(row.sequence)
    if cover is None:
        return {**proven, "checkpoint": None}
    path = chain.path(cover.digests, row.sequence - cover.since - 1)
    return {**proven, "path": path, "checkpoint": cover.sequence}


def check(text: str, key_of: Callable[[str], ECKey | None]) -> tuple[list[Entry], list[Entry]]:
    """The entries that are proven, and those that no checkpoint covers yet. Raises `EvidenceRefused`."""
    try:
        evidence = json.loads(text)
        if evidence["format"] != FORMAT:
            raise EvidenceRefused("it is no evidence of this format")
        checkpoints = {int(number): opened(signed, key_of) for number, signed in evidence["checkpoints"].items()}
        proven: list[Entry] = []
        unproven: list[Entry] = []
        for given in evidence["entries"]:
            entry = Entry(**given["entry"])
            if given["checkpoint"] is None:
                unproven.append(entry)
                continue
            _insist(entry, given, checkpoints[given["checkpoint"]])
            proven.append(entry)
    except CheckpointInvalid as exc:
        raise EvidenceRefused(f"a checkpoint in it is {exc}") from exc
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise EvidenceRefused("it cannot be read as evidence") from exc
    return proven, unproven


def _insist(entry: Entry, given: dict[str, Any], checkpoint: Checkpoint) -> None:
    digest = chain.digest(given["before"], entry)
    if chain.root_by(digest, given["path"]) != checkpoint.root:
        raise EvidenceRefused(f"entry {entry.sequence} is not what was signed")


def _digest_at(session: Session, sequence: int) -> str:
    row = session.get(TimelineRecord, sequence)
    return row.digest if row else BEFORE_THE_FIRST
