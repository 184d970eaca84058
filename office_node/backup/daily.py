"""One backup a day, however many workers run: that it is to be made is a message whose effect is the day."""

from pathlib import Path

from office_node import clock
from office_node.backup.making import Backups
from office_node.headroom import Headroom
from office_node.outbox.outbox import Claim, Outbox
from office_node.storage.database import Database

MAKE_BACKUP = "make_backup"


class DailyBackup:
    """Asks for the day's backup, and makes it."""

    def __init__(
        self,
        *,
        backups: Backups,
        database: Database,
        outbox: Outbox,
        folder: Path,
        with_documents: bool,
        keep: int,
        headroom: Headroom,
    ) -> None:
        """`headroom` is that of the disk of `folder`."""
        self._backups = backups
        self._database = database
        self._outbox = outbox
        self._folder = folder
        self._with_documents = with_documents
        self._keep = keep
        self._headroom = headroom

    def ask_if_missed(self, at: str) -> int:
        """The same for a worker that starts after today's time, `at` as HH:MM in UTC; how many were asked for."""
        return self.ask() if f"{clock.now():%H:%M}" >= at else 0

    def ask(self) -> int:
        """Today's shall be made, unless it was asked for already."""
        with self._database.transaction() as session:
            self._outbox.put(session, MAKE_BACKUP, f"{MAKE_BACKUP}:{clock.now():%Y-%m-%d}", {}, None)
        return 1

    def make(self, claim: Claim) -> None:
        """Make it, and let the oldest go. Raises `BackupUnwritable`: tried again, as every message is; and
        `DiskNearlyFull`, which waits for room: what has begun needs the rest of the disk more."""
        self._headroom.insist()
        self._backups.create(self._folder, with_documents=self._with_documents)
        self._backups.remove_oldest(self._folder, self._keep)
        with self._database.transaction() as session:
            self._outbox.settle(session, claim)
