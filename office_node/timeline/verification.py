"""Whether the timeline is what was written: every digest, every signature, and every checkpoint that lies outside."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from joserfc.jwk import ECKey
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from office_node.storage.database import Database
from office_node.timeline import chain
from office_node.timeline.chain import BEFORE_THE_FIRST
from office_node.timeline.checkpoints import Checkpoint, CheckpointInvalid, digest_of, opened
from office_node.timeline.records import CheckpointRecord, TimelineRecord

_BLOCK = 2000


class Fault(StrEnum):
    """What may be wrong, with its number."""

    ENTRY_CHANGED = "an entry was changed"
    ENTRY_MISSING = "an entry is missing"
    CHECKPOINT_INVALID = "a checkpoint is not signed by a key of this office"
    CHECKPOINT_MISSING = "a checkpoint is missing"
    CHECKPOINT_DIFFERS = "entries are not those that were signed"
    CUT = "the end was cut away"


_LOOK = "compare with a backup of the database and of the checkpoints: somebody or something changed what was written"
ADVICE: Final = {
    Fault.ENTRY_CHANGED: ("N383", _LOOK),
    Fault.ENTRY_MISSING: ("N384", _LOOK),
    Fault.CHECKPOINT_INVALID: ("N385", "see that every public half of [timeline] signing_key_file is still here"),
    Fault.CHECKPOINT_MISSING: ("N386", "put it back from where checkpoints are copied to"),
    Fault.CHECKPOINT_DIFFERS: ("N387", _LOOK),
    Fault.CUT: ("N388", _LOOK),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong."""

    fault: Fault
    sequence: int
    what: str

    @property
    def number(self) -> str:
        return ADVICE[self.fault][0]


class TimelineVerification:
    """Reads all of it, front to back, in constant memory."""

    def __init__(self, database: Database, folder: Path, key_of: Callable[[str], ECKey | None]) -> None:
        """`folder` holds the checkpoints that were laid outside; `key_of` knows the office's keys by thumbprint."""
        self._database = database
        self._folder = folder
        self._key_of = key_of

    def total(self) -> int:
        """Entries that will be read."""
        with self._database.reading() as session:
            return session.scalar(select(func.count()).select_from(TimelineRecord)) or 0

    def findings(self, tick: Callable[[int], None] = lambda _count: None) -> Iterator[Finding]:
        """Everything that is wrong; after an entry that is, the chain is followed on from what its row says."""
        with self._database.reading() as session:
            last, signed = yield from self._entries(session, tick)
        laid = {path.name: path.read_text(errors="replace").strip() for path in sorted(self._folder.glob("*.jws"))}
        for name, text in laid.items():
            try:
                outside = opened(text, self._key_of)
            except CheckpointInvalid as exc:
                yield Finding(Fault.CHECKPOINT_INVALID, 0, f"{name} in the folder: {exc}")
                continue
            if outside.sequence > last:
                what = f"{name} covers {outside.sequence} entries, there are {last}"
                yield Finding(Fault.CUT, outside.sequence, what)
            elif signed.get(outside.sequence) != text:
                yield Finding(Fault.CHECKPOINT_MISSING, outside.sequence, f"{name} lies in the folder, not here")

    def _entries(
        self, session: Session, tick: Callable[[int], None]
    ) -> Generator[Finding, None, tuple[int, dict[int, str]]]:
        """Gives, when it has ended, the last entry's sequence and the checkpoints."""
        checkpoints = session.scalars(select(CheckpointRecord).order_by(CheckpointRecord.sequence)).all()
        due, at = {record.sequence: record for record in checkpoints}, 0
        follower = _Follower(self._key_of)
        while rows := self._block(session, at):
            for row in rows:
                yield from follower.entry(row)
                if row.sequence in due:
                    yield from follower.checkpoint(due.pop(row.sequence))
            at = rows[-1].sequence
            tick(len(rows))
        for record in due.values():
            yield Finding(
                Fault.CUT, record.sequence, f"the checkpoint at {record.sequence} has no entry of that number"
            )
        return follower.sequence, {record.sequence: record.signed for record in checkpoints}

    def _block(self, session: Session, after: int) -> list[TimelineRecord]:
        block = select(TimelineRecord).where(TimelineRecord.sequence > after).order_by(TimelineRecord.sequence)
        rows = list(session.scalars(block.limit(_BLOCK)))
        session.expunge_all()
        return rows


class _Follower:
    """Goes along the chain."""

    def __init__(self, key_of: Callable[[str], ECKey | None]) -> None:
        self._key_of = key_of
        self.sequence = 0
        self._digest = BEFORE_THE_FIRST
        self._since: list[str] = []
        self._checkpoint: tuple[int, str] = (0, BEFORE_THE_FIRST)

    def entry(self, row: TimelineRecord) -> Iterator[Finding]:
        if row.sequence != self.sequence + 1:
            yield Finding(Fault.ENTRY_MISSING, self.sequence + 1, f"after entry {self.sequence} comes {row.sequence}")
        elif self._computed(row) != row.digest:
            yield Finding(Fault.ENTRY_CHANGED, row.sequence, f"entry {row.sequence} is not what was written")
        self.sequence, self._digest = row.sequence, row.digest
        self._since.append(row.digest)

    def checkpoint(self, record: CheckpointRecord) -> Iterator[Finding]:
        try:
            said = opened(record.signed, self._key_of)
        except CheckpointInvalid as exc:
            yield Finding(Fault.CHECKPOINT_INVALID, record.sequence, f"the checkpoint at {record.sequence}: {exc}")
        else:
            yield from self._compared(said, record.sequence)
        self._checkpoint = (record.sequence, digest_of(record.signed))
        self._since = []

    def _compared(self, said: Checkpoint, sequence: int) -> Iterator[Finding]:
        if (said.since, said.before) != self._checkpoint:
            yield Finding(
                Fault.CHECKPOINT_MISSING, said.since, f"the one before the checkpoint at {sequence} is not here"
            )
        elif (said.sequence, said.digest, said.root) != (sequence, self._digest, self._root()):
            yield Finding(Fault.CHECKPOINT_DIFFERS, sequence, f"between {said.since} and {sequence}")

    def _root(self) -> str | None:
        try:
            return chain.root(self._since)
        except ValueError:
            return None

    def _computed(self, row: TimelineRecord) -> str | None:
        try:
            return chain.digest(self._digest, row.entry())
        except ValueError:
            return None
