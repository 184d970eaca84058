"""Make a backup while the node runs.

A backup is a folder of its own within the office's folder for backups: the rows of every table as one transaction saw
them, the library's manifest, the settings without secrets, and a signed manifest over all of it, written last. Keys are
in none: without them neither access codes nor documents can be opened, and they need a backup elsewhere.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
import structlog
from joserfc.jwk import ECKey

from office_node import __version__, clock, crash_points
from office_node.backup import documents, manifest, rows
from office_node.backup.manifest import BackupRefused, Manifest
from office_node.errors import OfficeNodeError
from office_node.library.folder_store import sync
from office_node.library.records import VersionRecord
from office_node.library.store import Store
from office_node.storage.database import Database
from office_node.timeline.records import TimelineRecord

log = structlog.get_logger()

BEFORE_A_RESTORE = "before-restore"
_SETTINGS = "settings.json"
_LEFTOVER_SECONDS = 86_400


class BackupUnwritable(OfficeNodeError):
    """The folder for backups cannot be written, or has no room: nothing that looks like a backup was left."""

    code = "N801"
    hint = "see that [backup] folder exists, has room and belongs to the node's user"


class Backups:
    """Makes them, and tells of those that are there."""

    def __init__(
        self,
        *,
        database: Database,
        store: Store,
        office: str,
        settings: dict[str, Any],
        signing: Callable[[], ECKey],
        key_of: Callable[[str], ECKey | None],
    ) -> None:
        """`settings` are without secrets."""
        self._database = database
        self._store = store
        self._office = office
        self._settings = settings
        self._signing = signing
        self._key_of = key_of

    def create(
        self, folder: Path, *, with_documents: bool, tick: rows.Tick = lambda _count: None, label: str = "backup"
    ) -> Path:
        """Make one, while the node runs; returns where it lies. Raises `BackupUnwritable`, `DatabaseUnavailable`."""
        name = f"{label}-{clock.now():%Y%m%dT%H%M%S}-{uuid4().hex[:6]}"
        making = folder / f".making-{name}"
        with _writable(folder):
            making.mkdir(parents=True, mode=0o700)
            try:
                self._fill(making, folder, with_documents=with_documents, tick=tick)
                sync(making)
                crash_points.reached("backup: written, not named")
                making.rename(folder / name)
                sync(folder)
            except BaseException:
                shutil.rmtree(making, ignore_errors=True)
                raise
        log.info("backup made", place=str(folder / name))
        return folder / name

    def listed(self, folder: Path) -> list[tuple[Path, str | None, str | None]]:
        """Every backup of a folder, oldest first: its place, when it was made, and why it is refused if it is."""
        found: list[tuple[Path, str | None, str | None]] = []
        for place in sorted(path.parent for path in folder.glob(f"[!.]*/{manifest.NAME}")):
            try:
                found.append((place, manifest.read(place, self._key_of).made_at, None))
            except BackupRefused as exc:
                found.append((place, None, exc.message))
        return sorted(found, key=lambda one: str(one[1]))

    def remove_oldest(self, folder: Path, keep: int) -> int:
        """Keep the newest so many that were made by themselves, and nothing that a kill left half made; returns how
        many went. What was kept before a restore stays."""
        for leftover in folder.glob(".making-*"):
            if clock.now().timestamp() - leftover.stat().st_mtime > _LEFTOVER_SECONDS:
                shutil.rmtree(leftover, ignore_errors=True)
        made = sorted(path for path in folder.glob("backup-*") if (path / manifest.NAME).exists())
        old = made[: max(0, len(made) - keep)]
        for path in old:
            shutil.rmtree(path)
        return len(old)

    def _fill(self, making: Path, folder: Path, *, with_documents: bool, tick: rows.Tick) -> None:
        with self._database.reading() as session:
            revision = str(session.scalar(sa.text("SELECT version_num FROM alembic_version")))
            dumped = {table.name: rows.dump(session, table, making) for table in rows.tables()}
            names = list(session.scalars(sa.select(VersionRecord.id).order_by(VersionRecord.id)))
            last = session.scalar(sa.select(sa.func.max(TimelineRecord.sequence))) or 0
        files = {f"{name}{rows.SUFFIX}": asdict(one) for name, one in dumped.items()}
        # After the rows: a document that comes meanwhile is in none of them, and none of its files is missed.
        listed: Iterator[dict[str, Any]] = ({"name": name} for name in names)
        if with_documents:
            listed = documents.copy_all(self._store, iter(names), folder, tick)
        files[documents.MANIFEST] = asdict(rows.write_lines(making / documents.MANIFEST, listed))
        (making / _SETTINGS).write_text(json.dumps(self._settings, indent=2, default=str))
        files[_SETTINGS] = {
            "sha256": rows.digest_of(making / _SETTINGS),
            "size": (making / _SETTINGS).stat().st_size,
        }
        for file in making.iterdir():
            sync(file)
        said = Manifest(
            office=self._office,
            made_at=clock.now().isoformat(timespec="seconds"),
            program=__version__,
            revision=revision,
            files=files,
            documents=len(names),
            has_documents=with_documents,
            timeline_ends_at=last,
        )
        manifest.write(making, said, self._signing())
        sync(making / manifest.NAME)


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise BackupUnwritable(f"no backup can be written to {folder}: {exc.strerror}") from exc
