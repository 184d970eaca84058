"""Prove a backup in scratch, and bring it back. Whatever is replaced is kept as a backup beside it."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
import structlog
from joserfc.jwk import ECKey
from sqlalchemy.orm import Session

from office_node.backup import documents, manifest, rows
from office_node.backup.making import BEFORE_A_RESTORE, Backups
from office_node.backup.manifest import BackupRefused, Manifest
from office_node.errors import OfficeNodeError
from office_node.library.store import Store
from office_node.storage import schema
from office_node.storage.database import Database
from office_node.storage.workers import workers
from office_node.timeline.noting import note
from office_node.timeline.steps import Step
from office_node.timeline.verification import TimelineVerification

log = structlog.get_logger()

_NEVER_RESTORED = ("used_assertions", "workers", "peers")
"""Assertions that were spent since must stay so; who lives and how peers fare is of now."""
_NEWER = "restore it with the program it was made by, or a newer one"
Doubt = Callable[[Session], None]


class NodeRuns(OfficeNodeError):
    """A worker lives: it would work on rows that are replaced under it."""

    code = "N802"
    hint = "stop the node on every host, wait a minute, then restore"


@dataclass(frozen=True, slots=True)
class Proven:
    """What `verify` has seen."""

    manifest: Manifest
    rows: int
    documents: int


@dataclass(frozen=True, slots=True)
class Restored:
    """What `restore` did."""

    manifest: Manifest
    rows: int
    documents: int
    """Files that were given back to the library."""
    kept_as: Path
    """Where what was replaced lies."""


class Restoring:
    """Proves backups, and brings them back."""

    def __init__(
        self,
        *,
        backups: Backups,
        database: Database,
        store: Store,
        incoming: Path,
        office: str,
        key_of: Callable[[str], ECKey | None],
        checkpoint_folder: Path,
        doubts: Sequence[Doubt],
    ) -> None:
        """`doubts` mark what may have been done since a backup, so that WIPO is asked before it is done again."""
        self._backups = backups
        self._database = database
        self._store = store
        self._incoming = incoming
        self._office = office
        self._key_of = key_of
        self._checkpoint_folder = checkpoint_folder
        self._doubts = doubts

    def verify(self, backup: Path, tick: rows.Tick = lambda _count: None) -> Proven:
        """Restore it into scratch, and compare counts, digests and the timeline. Raises `BackupRefused`."""
        with self._in_scratch(backup, tick) as (said, scratch, count):
            fault = next(iter(self._timeline_of(scratch).findings()), None)
            if fault:
                raise BackupRefused(f"{backup}: its timeline is not what was written: {fault.what}")
            copies = self._compared(backup, said, tick)
        return Proven(said, count, copies)

    def restore(self, backup: Path, tick: rows.Tick = lambda _count: None) -> Restored:
        """Put the node's rows and files back to what they were; what is replaced is kept as a backup beside it.

        Raises `SchemaDoesNotFit`, `NodeRuns`, `BackupRefused`, `BackupUnwritable`, `DatabaseUnavailable`: then nothing
        was replaced.
        """
        schema.check(self._database)
        if any(worker.lives for worker in workers(self._database)):
            raise NodeRuns("a worker of this node lives")
        with self._in_scratch(backup, tick) as (said, scratch, count):
            self._compared(backup, said, tick)
            kept_as = self._backups.create(backup.parent, with_documents=False, label=BEFORE_A_RESTORE)
            returned = 0
            if said.has_documents:
                listed = rows.read_lines(backup / documents.MANIFEST)
                returned = documents.put_back(listed, backup.parent, self._store, self._incoming, tick)
            self._replace(scratch, said)
        self._set_checkpoints_aside(said, kept_as)
        return Restored(said, count, returned, kept_as)

    @contextmanager
    def _in_scratch(self, backup: Path, tick: rows.Tick) -> Iterator[tuple[Manifest, Database, int]]:
        """The rows of a backup in a database of their own, at the present schema, once all digests were compared."""
        said = manifest.read(backup, self._key_of)
        if said.office != self._office:
            raise BackupRefused(f"{backup}: it is of office {said.office}, this is {self._office}")
        if said.revision > schema.head():
            raise BackupRefused(f"{backup}: made by a newer program (schema {said.revision})", hint=_NEWER)
        _compare_files(backup, said)
        with tempfile.TemporaryDirectory(prefix="office-node-restore-") as folder:
            scratch = Database(f"sqlite:///{folder}/scratch.db")
            try:
                schema.upgrade(scratch, said.revision)
                count = _loaded(scratch, backup, said, tick)
                schema.upgrade(scratch)
                yield said, scratch, count
            finally:
                scratch.close()

    def _timeline_of(self, scratch: Database) -> TimelineVerification:
        return TimelineVerification(scratch, Path(os.devnull), self._key_of)

    def _compared(self, backup: Path, said: Manifest, tick: rows.Tick) -> int:
        if not said.has_documents:
            return 0
        return documents.compare_all(rows.read_lines(backup / documents.MANIFEST), backup.parent, tick)

    def _replace(self, scratch: Database, said: Manifest) -> None:
        replaced = rows.tables(leave_out=_NEVER_RESTORED)
        with scratch.reading() as source, self._database.transaction() as session:
            self._database.take_all_time(session)
            for table in reversed(replaced):
                session.execute(sa.delete(table))
            for table in replaced:
                rows.copy_all(source, session, table)
            for doubt in self._doubts:
                doubt(session)
            session.flush()
            note(session, Step.RESTORED_FROM_BACKUP, None, None, made_at=said.made_at, entries=said.timeline_ends_at)
        log.warning("rows restored from a backup", made_at=said.made_at)

    def _set_checkpoints_aside(self, said: Manifest, kept_as: Path) -> None:
        """Those of the timeline that was replaced: they would tell that its end was cut away, which it was."""
        for file in self._checkpoint_folder.glob("*.jws"):
            if file.stem.isdigit() and int(file.stem) > said.timeline_ends_at:
                aside = kept_as / "checkpoints"
                aside.mkdir(exist_ok=True, mode=0o700)
                shutil.move(file, aside / file.name)


def _compare_files(backup: Path, said: Manifest) -> None:
    for name, facts in said.files.items():
        file = backup / name
        if Path(name).name != name or not file.is_file() or rows.digest_of(file) != facts["sha256"]:
            raise BackupRefused(f"{backup}: {name} is missing or was changed")


def _loaded(scratch: Database, backup: Path, said: Manifest, tick: rows.Tick) -> int:
    total = 0
    with scratch.transaction() as session:
        connection = session.connection()
        present = [name for name in said.files if name.endswith(rows.SUFFIX) and name != documents.MANIFEST]
        for file in sorted(present, key=_order):
            count = rows.load(connection, file.removesuffix(rows.SUFFIX), backup / file, tick)
            if count != said.files[file]["count"]:
                raise BackupRefused(f"{backup}: {file} has {count} rows, {said.files[file]['count']} were written")
            total += count
    return total


def _order(file: str) -> int:
    names = [table.name for table in rows.tables()]
    name = file.removesuffix(rows.SUFFIX)
    return names.index(name) if name in names else -1
