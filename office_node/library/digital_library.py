"""The verbs of the digital library about what it keeps: find, look up, open, check, bind, classify."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import BinaryIO

from sqlalchemy.orm import Session

from office_node.document_id import DocumentKind
from office_node.library import changes
from office_node.library.access_codes import AccessCodes
from office_node.library.catalogue import CatalogueEntry, Version, current, entry_in, version_in
from office_node.library.damage import DocumentDamaged, DocumentQuarantined, FileMissing, StoreUnusable
from office_node.library.digest import sha256_of
from office_node.library.quarantine import Quarantine
from office_node.library.records import DocumentRecord, VersionRecord
from office_node.library.sealing.at_rest import as_plain
from office_node.library.sealing.storage_keys import StorageKeys
from office_node.library.store import Store
from office_node.storage.database import Database


class DigitalLibrary:
    """Documents of the office: bytes in the store, what they are in the catalogue."""

    def __init__(self, database: Database, store: Store, access_codes: AccessCodes, storage_keys: StorageKeys) -> None:
        self._database = database
        self._quarantine = Quarantine(database, store)
        self._store = store
        self._access_codes = access_codes
        self._storage_keys = storage_keys

    def bind(self, kind: DocumentKind, number: str, big_document_bytes: int | None) -> CatalogueEntry | None:
        """From more bytes than this on it goes through WIPO's transit zone; None: as the settings say.

        Returns the document as it is now, None if it is not kept.
        """
        with self._database.transaction() as session:
            changes.lock(session, kind, number)
            changes.bound_for_transit(session, kind, number, big_document_bytes)
            return self.look_up(session, kind, number)

    def find(self, kind: DocumentKind, number: str) -> CatalogueEntry | None:
        """The document of that kind and number (normal form), if it is kept."""
        with self._database.reading() as session:
            return self.look_up(session, kind, number)

    def look_up(self, session: Session, kind: DocumentKind, number: str) -> CatalogueEntry | None:
        """The same as `find`, inside the caller's transaction."""
        row = session.execute(current().where(DocumentRecord.kind == kind, DocumentRecord.number == number)).first()
        return entry_in(row) if row else None

    def entries(self) -> Iterator[CatalogueEntry]:
        """Every document with its current content, by kind and number."""
        with self._database.reading() as session:
            rows = session.execute(current().order_by(DocumentRecord.kind, DocumentRecord.number)).all()
        return map(entry_in, rows)

    def access_code_matches(self, entry: CatalogueEntry, presented: str) -> bool:
        """Whether `presented` opens the document; constant time, without case. Raises `WrongAccessCodeKey`."""
        name = _name(entry.document.kind, entry.document.number)
        return self._access_codes.matches(presented, entry.sealed_access_code, name)

    def access_code(self, entry: CatalogueEntry) -> str:
        """The access code in clear, for WIPO alone. Raises `WrongAccessCodeKey`."""
        return self._access_codes.reveal(entry.sealed_access_code, _name(entry.document.kind, entry.document.number))

    def seal(self, access_code: str, kind: DocumentKind, number: str) -> str:
        """An access code as `change` takes it. Raises `BadAccessCode`."""
        return self._access_codes.seal(access_code, _name(kind, number))

    def reveal(self, sealed_access_code: str, kind: DocumentKind, number: str) -> str:
        """What `seal` has sealed. Raises `WrongAccessCodeKey`."""
        return self._access_codes.reveal(sealed_access_code, _name(kind, number))

    def version(self, version_id: str) -> Version:
        """What the catalogue says of a content. Raises `FileMissing` when it says nothing."""
        with self._database.reading() as session:
            record = session.get(VersionRecord, version_id)
        if record is None:
            raise FileMissing(f"the catalogue has no version {version_id}")
        return version_in(record)

    def open(self, version: Version) -> BinaryIO:
        """The plain bytes of a content, at their start, to be read and to seek in.

        Of a sealed file no byte is given that is not as it was sealed: every read may raise `SealBroken`. What is found
        damaged is out of service from then on. Raises `FileMissing`, `StoreUnusable`, `StorageKeyMissing`,
        `DocumentQuarantined`, and `DocumentDamaged` if the size is wrong.
        """
        if version.quarantined_at:
            raise DocumentQuarantined(f"file {version.version_id} was found damaged: it is out of service")
        damaged = partial(self._quarantine.put, version)
        try:
            return self._opened(version, damaged)
        except DocumentDamaged as exc:
            damaged(exc)
            raise

    def presigned(self, version: Version, seconds: int) -> str | None:
        """An address of the store's own for a content that is not encrypted; None if there is none.

        It is read whole against its digest before. Raises as `check` does.
        """
        if version.wrapped_key:
            return None
        address = self._store.presigned(version.version_id, seconds, version.file_format.media_type)
        if address:
            self.check(version)
        return address

    def place(self, version: Version) -> str | None:
        """Where the store has the file, from its folder on; None if only the node itself can send it.

        Raises as `open` does when it cannot be sent.
        """
        if version.wrapped_key:
            return None
        self.open(version).close()
        return self._store.place(version.version_id)

    def check(self, version: Version, tick: Callable[[int], None] = lambda _bytes: None) -> None:
        """Read a kept file whole against its digest; what is damaged is out of service from then on.

        One that was, and is good again because its file was put back, serves again. Raises as `open` does, and
        `DocumentDamaged`.
        """
        try:
            self.compare(version, tick)
        except DocumentDamaged as exc:
            if version.quarantined_at:
                raise DocumentQuarantined(f"file {version.version_id} is out of service: {exc.message}") from exc
            self._quarantine.put(version, exc)
            raise
        except FileMissing as exc:
            if version.quarantined_at:
                raise DocumentQuarantined(f"file {version.version_id} was found damaged: it is out of service") from exc
            raise
        if version.quarantined_at:
            self._quarantine.lift(version)

    def compare(self, version: Version, tick: Callable[[int], None] = lambda _bytes: None) -> None:
        """The same comparison, without any consequence."""
        try:
            with self._opened(version, lambda _damage: None) as file:
                digest = sha256_of(file, tick)
        except OSError as exc:
            raise StoreUnusable(f"file {version.version_id} cannot be read: {exc.strerror}") from exc
        if digest != version.sha256:
            raise DocumentDamaged(f"file {version.version_id} does not have the digest of the catalogue")

    def _opened(self, version: Version, damaged: Callable[[DocumentDamaged], None]) -> BinaryIO:
        file = self._store.open(version.version_id)
        try:
            data_key = self._storage_keys.unwrap(version.wrapped_key) if version.wrapped_key else None
            plain = as_plain(file, version.version_id, data_key, damaged)
            if plain.seek(0, os.SEEK_END) != version.size:
                raise DocumentDamaged(f"file {version.version_id} does not have the size of the catalogue")
            plain.seek(0)
        except BaseException:
            file.close()
            raise
        return plain


def _name(kind: DocumentKind, number: str) -> str:
    return f"{kind.value}\n{number}"
