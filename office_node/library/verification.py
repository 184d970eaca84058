"""Whether the library is what the catalogue says: each file its digest, each row a file, each file a row."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import select

from office_node.document_id import PriorityDocumentId
from office_node.library import keepings
from office_node.library.catalogue import Version, document_in, version_in
from office_node.library.damage import DocumentDamaged, DocumentQuarantined, FileMissing, StoreUnusable
from office_node.library.digital_library import DigitalLibrary
from office_node.library.records import DocumentRecord, VersionRecord
from office_node.library.sealing.storage_keys import StorageKeyMissing
from office_node.library.store import Store
from office_node.storage.database import Database


class Fault(StrEnum):
    """What `verify` may find wrong."""

    MISSING_FILE = "missing file"
    UNREADABLE_FILE = "unreadable file"
    WRONG_DIGEST = "wrong digest"
    KEY_MISSING = "key missing"
    QUARANTINED = "out of service"
    FILE_WITHOUT_ROW = "file without row"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that `verify` found wrong; `number` and `hint` are for the administrator."""

    fault: Fault
    version_id: str
    document: PriorityDocumentId | None

    @property
    def number(self) -> str:
        return ADVICE[self.fault][0]

    @property
    def hint(self) -> str:
        return ADVICE[self.fault][1]


ADVICE: Final = {
    Fault.MISSING_FILE: ("N311", "restore the file from the backup"),
    Fault.UNREADABLE_FILE: ("N312", "see that the disk is sound and the file belongs to the node's user"),
    Fault.WRONG_DIGEST: ("N313", "the file was changed; restore it from the backup"),
    Fault.QUARANTINED: ("N345", DocumentQuarantined.hint),
    Fault.KEY_MISSING: ("N343", "restore every file of [library] storage_key_file from the backup of the keys"),
    Fault.FILE_WITHOUT_ROW: (
        "N314",
        "no intake of this node left it: see where it comes from, add its document again if it is one, then remove it",
    ),
}


class Verification:
    """Reads everything that is kept."""

    def __init__(self, database: Database, store: Store, library: DigitalLibrary) -> None:
        self._database = database
        self._store = store
        self._compare = library.compare

    def findings(self, tick: Callable[[int], None] = lambda _bytes: None) -> Iterator[Finding]:
        """Every file against its digest, rows without files, files without rows.

        `tick` hears the bytes read, as they are read.
        """
        with self._database.reading() as session:
            rows = session.execute(select(VersionRecord, DocumentRecord).join(DocumentRecord)).all()
        for record, document in rows:
            if fault := self._fault(version_in(record), tick):
                yield Finding(fault, record.id, document_in(document))
        # Names first, rows after: a document added meanwhile must not be told as a stray file.
        yield from self._strays(list(self._store.names()))

    def total_bytes(self) -> int:
        """What `verify` will read."""
        with self._database.reading() as session:
            return sum(session.scalars(select(VersionRecord.size)))

    def _strays(self, names: list[str]) -> Iterator[Finding]:
        with self._database.reading() as session:
            known = set(session.scalars(select(VersionRecord.id))) | keepings.under_way(session)
        for name in names:
            if name not in known:
                yield Finding(Fault.FILE_WITHOUT_ROW, name, None)

    def _fault(self, version: Version, tick: Callable[[int], None]) -> Fault | None:
        if version.quarantined_at:
            return Fault.QUARANTINED
        try:
            self._compare(version, tick)
        except FileMissing:
            return Fault.MISSING_FILE
        except DocumentDamaged:
            return Fault.WRONG_DIGEST
        except StoreUnusable:
            return Fault.UNREADABLE_FILE
        except StorageKeyMissing:
            return Fault.KEY_MISSING
        return None
