"""One document's evidence: its entries, and what proves each to somebody who sees nothing else of the office.

The evidence is one JSON object. For each entry: what it says, the digest before it, its path in the tree under a
checkpoint, and which checkpoint; entries that no checkpoint covers yet are told apart. Whoever checks it needs the
public key of the office's timeline, asked for by another way.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from joserfc.jwk import ECKey
from sqlalchemy import select
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
            checkpoints: dict[int, str] = {}
            entries = [self._proven(session, row, checkpoints) for row in rows]
        return {
            "format": FORMAT,
            "office": self._office,
            "entries": entries,
            "checkpoints": {str(sequence): signed for sequence, signed in checkpoints.items()},
        }

    def _proven(self, session: Session, row: TimelineRecord, checkpoints: dict[int, str]) -> dict[str, Any]:
        covering = session.scalars(
            select(CheckpointRecord)
            .where(CheckpointRecord.sequence >= row.sequence)
            .order_by(CheckpointRecord.sequence)
            .limit(1)
        ).first()
        proven: dict[str, Any] = {"entry": asdict(row.entry()), "before": _digest_at(session, row.sequence - 1)}
        if covering is None:
            return {**proven, "checkpoint": None}
        since = session.scalar(
            select(CheckpointRecord.sequence)
            .where(CheckpointRecord.sequence < row.sequence)
            .order_by(CheckpointRecord.sequence.desc())
            .limit(1)
        )
        digests = session.scalars(
            select(TimelineRecord.digest)
            .where(TimelineRecord.sequence > (since or 0), TimelineRecord.sequence <= covering.sequence)
            .order_by(TimelineRecord.sequence)
        ).all()
        checkpoints[covering.sequence] = covering.signed
        path = chain.path(digests, row.sequence - (since or 0) - 1)
        return {**proven, "path": path, "checkpoint": covering.sequence}


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
