"""Signed checkpoints: from then on no entry before can be changed, left out or cut away unseen.

A checkpoint is a JWS in compact form (RFC 7515, ES256). Its payload, as JSON: `sequence` up to which it covers,
`digest` of that entry, `since` (the sequence of the checkpoint before, 0 for the first) and `root` of the tree over the
entries between; `before`, SHA-256 of the checkpoint before; `office`, `at`. Each is also laid into a folder, as a file
of its own that the office copies elsewhere: whoever has the newest one can show what was taken away here.
"""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from office_node import clock
from office_node.errors import OfficeNodeError
from office_node.storage.database import Database
from office_node.timeline import chain
from office_node.timeline.records import CheckpointRecord, TimelineRecord

log = structlog.get_logger()

MOST_ENTRIES = 1000
"""Of one checkpoint; so long is at most the list from which a proof is made."""
TYPE = "office-node-checkpoint"


class CheckpointFolderUnusable(OfficeNodeError):
    """A checkpoint cannot be laid into its folder; it stands in the database."""

    code = "N381"
    hint = "see that [timeline] checkpoint_folder exists, has room and belongs to the node's user"


class CheckpointInvalid(ValueError):
    """What is said to be a checkpoint is none, or nobody whom we know signed it."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint says."""

    office: str
    at: str
    since: int
    sequence: int
    digest: str
    root: str
    before: str


def opened(signed: str, key_of: Callable[[str], ECKey | None]) -> Checkpoint:
    """What a checkpoint says, once its signature is proven by a key that `key_of` knows by its thumbprint.

    Raises `CheckpointInvalid`.
    """
    try:
        head = jws.extract_compact(signed.encode()).headers()
        key = key_of(str(head.get("kid")))
        if key is None:
            raise CheckpointInvalid(f"signed by key {str(head.get('kid'))[:43]}, which is not known here")
        if head.get("typ") != TYPE:
            raise CheckpointInvalid("signed for something else")
        return Checkpoint(**json.loads(jws.deserialize_compact(signed, key, algorithms=["ES256"]).payload))
    except (JoseError, ValueError, TypeError) as exc:
        if isinstance(exc, CheckpointInvalid):
            raise
        raise CheckpointInvalid("its signature does not fit") from exc


def digest_of(signed: str) -> str:
    """What the next checkpoint says of this one."""
    return hashlib.sha256(signed.encode()).hexdigest()


class Checkpoints:
    """Makes them when they are due."""

    def __init__(
        self, *, database: Database, key: Callable[[], ECKey], folder: Path, office: str, every: timedelta
    ) -> None:
        """A checkpoint is due when MOST_ENTRIES are new, or one is older than `every`."""
        self._database = database
        self._key = key
        self._folder = folder
        self._office = office
        self._every = every

    def make_due(self) -> int:
        """Make what is due; returns how many. Raises `CheckpointFolderUnusable` when one is made and cannot be laid."""
        made = 0
        while signed := self._next():
            made += 1
            self._lay(*signed)
        self._lay_missing()
        return made

    def _next(self) -> tuple[int, str] | None:
        with self._database.transaction() as session:
            newest = newest_checkpoint(session)
            since = newest.sequence if newest else 0
            entries = session.execute(
                select(TimelineRecord.sequence, TimelineRecord.digest, TimelineRecord.at)
                .where(TimelineRecord.sequence > since)
                .order_by(TimelineRecord.sequence)
                .limit(MOST_ENTRIES)
            ).all()
            if not entries or not (len(entries) == MOST_ENTRIES or self._is_old(entries[0].at)):
                return None
            checkpoint = Checkpoint(
                office=self._office,
                at=clock.now().isoformat(timespec="seconds"),
                since=since,
                sequence=entries[-1].sequence,
                digest=entries[-1].digest,
                root=chain.root([entry.digest for entry in entries]),
                before=digest_of(newest.signed) if newest else chain.BEFORE_THE_FIRST,
            )
            signed = self._signed(checkpoint)
            row = {"sequence": checkpoint.sequence, "signed": signed}
            if not self._database.insert_once(session, CheckpointRecord, row):
                return None  # another worker was quicker; what it signed is what counts
        log.info("checkpoint signed", sequence=checkpoint.sequence)
        return checkpoint.sequence, signed

    def _is_old(self, at: str) -> bool:
        return clock.now() - datetime.fromisoformat(at) >= self._every

    def _signed(self, checkpoint: Checkpoint) -> str:
        key = self._key()
        head = {"alg": "ES256", "typ": TYPE, "kid": key.thumbprint()}
        return jws.serialize_compact(head, chain.canonical(asdict(checkpoint)), key, algorithms=["ES256"])

    def _lay_missing(self) -> None:
        """One whose laying failed, or was killed."""
        with self._database.reading() as session:
            newest = newest_checkpoint(session)
        if newest and not checkpoint_file(self._folder, newest.sequence).exists():
            self._lay(newest.sequence, newest.signed)

    def _lay(self, sequence: int, signed: str) -> None:
        file = checkpoint_file(self._folder, sequence)
        temporary = file.with_suffix(".new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with temporary.open("w") as target:
                target.write(signed + "\n")
                target.flush()
                os.fsync(target.fileno())
            temporary.rename(file)
        except OSError as exc:
            raise CheckpointFolderUnusable(f"checkpoint {sequence} cannot be laid: {exc.strerror}") from exc


def newest_checkpoint(session: Session) -> CheckpointRecord | None:
    """The one that covers most."""
    return session.scalars(select(CheckpointRecord).order_by(CheckpointRecord.sequence.desc()).limit(1)).first()


def checkpoint_file(folder: Path, sequence: int) -> Path:
    """Where it is laid: names sort as the checkpoints follow each other."""
    return folder / f"{sequence:012}.jws"
