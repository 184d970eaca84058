"""After a new storage key: the keys of documents, wrapped anew in the background. No document is rewritten."""

import structlog
from sqlalchemy import func, select, update

from office_node import crash_points, logs
from office_node.library.records import VersionRecord
from office_node.library.sealing.storage_keys import StorageKeyMissing, StorageKeys, WrappedKey
from office_node.storage.database import Database

log = structlog.get_logger()

_BATCH = 200
_TOLD_EVERY_SECONDS = 3600


class Rewrapping:
    """Finds what is wrapped to a storage key before the one in force. Killed anywhere, it goes on with what is left."""

    def __init__(self, database: Database, storage_keys: StorageKeys) -> None:
        self._database = database
        self._storage_keys = storage_keys
        self._told = logs.Repeats(_TOLD_EVERY_SECONDS)

    def waiting(self) -> dict[str, int]:
        """How many documents' keys are wrapped to each storage key that is not in force, by its thumbprint."""
        counted = select(VersionRecord.storage_kid, func.count()).where(
            VersionRecord.storage_kid.is_not(None), VersionRecord.storage_kid != self._storage_keys.current_kid
        )
        with self._database.reading() as session:
            return {str(kid): count for kid, count in session.execute(counted.group_by(VersionRecord.storage_kid))}

    def run(self) -> int:
        """Wrap anew all that can be; returns how many. What cannot is told, and left as it is."""
        former, done, after = self._storage_keys.former_kids, 0, ""
        while former:
            with self._database.reading() as session:
                batch = session.execute(
                    select(VersionRecord.id, VersionRecord.wrapped_key)
                    .where(VersionRecord.storage_kid.in_(former), VersionRecord.id > after)
                    .order_by(VersionRecord.id)
                    .limit(_BATCH)
                ).all()
            if not batch:
                break
            done += self._rewrap([(row.id, str(row.wrapped_key)) for row in batch])
            after = batch[-1].id
            crash_points.reached("rewrapping: a batch is wrapped anew")
        if done:
            log.info("documents' keys wrapped to the new storage key", count=done)
        return done

    def _rewrap(self, batch: list[tuple[str, str]]) -> int:
        anew = {version_id: found for version_id, wrapped in batch if (found := self._anew(version_id, wrapped))}
        with self._database.transaction() as session:
            for version_id, key in anew.items():
                which = VersionRecord.id == version_id
                session.execute(
                    update(VersionRecord).where(which).values(wrapped_key=key.text, storage_kid=key.storage_kid)
                )
        return len(anew)

    def _anew(self, version_id: str, wrapped: str) -> WrappedKey | None:
        try:
            return self._storage_keys.rewrap(wrapped)
        except StorageKeyMissing as exc:
            if times := self._told.due(exc.code):
                told = {"code": exc.code, "reason": exc.message, "hint": exc.hint}
                log.error("key not wrapped anew", version_id=version_id, times=times, **told)
            return None
