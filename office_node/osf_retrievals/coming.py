"""Files that come from WIPO: each sealed under a key of its own while it comes, gone on with after any cut or kill."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol
from uuid import uuid4

import structlog

from office_node import crash_points
from office_node.das.transfer import Download, LinkExpired
from office_node.errors import NotYet, PeerUnavailable, Postponed
from office_node.headroom import Headroom
from office_node.library.damage import DocumentDamaged, StoreUnusable
from office_node.library.digest import sha256_of
from office_node.library.folder_store import usable
from office_node.library.sealing.at_rest import FileAtRest
from office_node.library.sealing.sealed_writer import SealedWriter
from office_node.library.sealing.storage_keys import StorageKeys
from office_node.osf_retrievals.records import ComingFileRecord, coming_files
from office_node.storage.database import Database

log = structlog.get_logger()

Locate = Callable[[], str]
"""Gives the address of a file, anew each time it is asked."""
_MOST_RENEWALS = 5
_MOST_BEGINNINGS = 3


class ContentDiffers(PeerUnavailable):
    """What came is not what was announced, or is no document: nothing of it is handed over, and it is fetched anew."""

    code = "N430"
    owner = "WIPO"
    hint = "the node fetches it anew by itself; if that does not help, ask WIPO what it serves"


class TooLarge(PeerUnavailable):
    """WIPO serves more bytes than the settings let in."""

    code = "N431"
    owner = "operator"
    hint = "raise [library] max_document_bytes if documents of this size are to come"


class CarriesFiles(Protocol):
    """The object store."""

    def download(self, url: str, first_byte: int = 0, etag: str | None = None) -> AbstractContextManager[Download]: ...


@dataclass(frozen=True, slots=True)
class CameWhole:
    """A file that is here whole, read back and found to be what was announced."""

    role: str
    at_rest: FileAtRest
    size: int
    sha256: str

    def open(self) -> BinaryIO:
        """Its plain bytes. Raises `SealBroken`."""
        return self.at_rest.open()


class ComingFiles:
    """The folder `collecting/`."""

    def __init__(
        self,
        *,
        database: Database,
        folder: Path,
        storage_keys: StorageKeys,
        store: CarriesFiles,
        max_bytes: int,
        headroom: Headroom,
    ) -> None:
        self._database = database
        self._folder = folder
        self._storage_keys = storage_keys
        self._store = store
        self._max_bytes = max_bytes
        self._headroom = headroom

    def fetch(self, request_id: str, role: str, locate: Locate, still_wanted: Callable[[], None]) -> CameWhole:
        """Bring a file here, from where an earlier try was cut. `still_wanted` raises when it is not any more.

        Raises `ContentDiffers`, `TooLarge`, `DiskNearlyFull`, `StoreUnusable`, and what `locate` and the store raise.
        """
        coming = self._begun(request_id, role)
        if not coming.is_whole:
            coming = self._carry(coming, locate, still_wanted)
        return self._proven(coming)

    def expect(self, request_id: str, roles: Sequence[str]) -> None:
        """Note which files are to come for a request; those that are noted already stay as they are."""
        for role in roles:
            self._begun(request_id, role)

    def roles(self, request_id: str) -> list[str]:
        """Which files come for a request, or have come."""
        with self._database.reading() as session:
            return sorted(record.role for record in coming_files(session, request_id))

    def discard(self, request_id: str, role: str) -> None:
        """Delete what came under this role, so that it is fetched anew. Raises `StoreUnusable`."""
        with self._database.transaction() as session:
            found = [record for record in coming_files(session, request_id) if record.role == role]
            for record in found:
                session.delete(record)
        for record in found:
            self._unlink(record.id)

    def forget(self, request_id: str) -> int:
        """Delete all that came for a request; returns how many files there were. Raises `StoreUnusable`."""
        with self._database.transaction() as session:
            records = coming_files(session, request_id)
            for record in records:
                session.delete(record)
        for record in records:
            self._unlink(record.id)
        return len(records)

    def remove_strays(self) -> int:
        """Delete what no row names: left by a kill between a row's end and its file's. Raises `StoreUnusable`."""
        with usable(self._folder):
            names = [path.name for path in self._folder.glob("*")]
        with self._database.reading() as session:
            strays = [name for name in names if session.get(ComingFileRecord, name) is None]
        for name in strays:
            self._unlink(name)
        return len(strays)

    def _begun(self, request_id: str, role: str) -> ComingFileRecord:
        with self._database.transaction() as session:
            known = [record for record in coming_files(session, request_id) if record.role == role]
            if known:
                return known[0]
            _, wrapped = self._storage_keys.new_data_key()
            record = ComingFileRecord(
                id=uuid4().hex,
                request_id=request_id,
                role=role,
                wrapped_key=wrapped.text,
                storage_kid=wrapped.storage_kid,
                is_whole=False,
            )
            session.add(record)
        return record

    def _begun_anew(self, coming: ComingFileRecord) -> ComingFileRecord:
        """Another content than began to come: under one key no two are ever sealed."""
        with self._database.transaction() as session:
            if record := session.get(ComingFileRecord, coming.id):
                session.delete(record)
        self._unlink(coming.id)
        return self._begun(coming.request_id, coming.role)

    def _carry(self, coming: ComingFileRecord, locate: Locate, still_wanted: Callable[[], None]) -> ComingFileRecord:
        for _ in range(_MOST_BEGINNINGS):
            with self._writing(coming) as writer:
                if self._carry_over_cuts(coming, writer, locate(), locate, still_wanted):
                    return coming
            coming = self._begun_anew(coming)
        raise PeerUnavailable("the store does not let a download go on where it was cut", made_progress=True)

    def _carry_over_cuts(
        self,
        coming: ComingFileRecord,
        writer: SealedWriter,
        url: str,
        locate: Locate,
        still_wanted: Callable[[], None],
    ) -> bool:
        """Go on after every cut as long as each try brings something; False as `_receive`."""
        renewals = 0
        while True:
            before = writer.written
            try:
                return self._receive(coming, writer, url, still_wanted)
            except LinkExpired:
                renewals = 0 if writer.written > before else renewals + 1
                if renewals > _MOST_RENEWALS:
                    raise
                url = locate()
            except (ContentDiffers, Postponed):
                raise
            except PeerUnavailable as exc:
                if writer.written == before:
                    raise
                log.info("download cut, going on", bytes=writer.written, reason=exc.message)

    def _receive(
        self, coming: ComingFileRecord, writer: SealedWriter, url: str, still_wanted: Callable[[], None]
    ) -> bool:
        """Write what comes to its end; False when it is another content than began to come."""
        if writer.written and writer.written >= (coming.size or 0):
            return False  # killed between the last byte and the note that it came
        with self._store.download(url, writer.written, coming.etag) as download:
            if download.first_byte != writer.written or (writer.written and download.size != coming.size):
                return False
            if download.size > self._max_bytes:
                raise TooLarge(f"the document has {download.size} bytes")
            self._headroom.insist(download.size - writer.written)
            if not writer.written:
                self._announced(coming, download)
            for block in download.blocks():
                still_wanted()
                if writer.written + len(block) > download.size:
                    raise ContentDiffers("more bytes came than were announced")
                half = download.size // 2
                crosses = writer.written < half <= writer.written + len(block)
                writer.write(block)
                if crosses:
                    crash_points.reached("collecting: half of the bytes are here")
            if writer.written < download.size:
                raise PeerUnavailable("the download was cut", made_progress=True)
            writer.finish()
        self._note(coming, is_whole=True)
        return True

    @contextmanager
    def _writing(self, coming: ComingFileRecord) -> Iterator[SealedWriter]:
        path, key = self._folder / coming.id, self._storage_keys.unwrap(coming.wrapped_key)
        with usable(self._folder):
            for folder in (self._folder.parent, self._folder):
                folder.mkdir(parents=True, exist_ok=True, mode=0o750)
            is_there = path.exists()
            writer = SealedWriter.continued(path, key, coming.id) if is_there else SealedWriter(path, key, coming.id)
        with writer:
            yield writer

    def _announced(self, coming: ComingFileRecord, download: Download) -> None:
        self._note(coming, etag=download.etag, size=download.size, stated_sha256=download.sha256)

    def _note(self, coming: ComingFileRecord, **facts: object) -> None:
        with self._database.transaction() as session:
            record = session.get(ComingFileRecord, coming.id)
            if record is None:
                raise NotYet("the request ended while its document came", seconds=0, is_ours=True)
            for name, value in facts.items():
                setattr(record, name, value)
                setattr(coming, name, value)

    def _proven(self, coming: ComingFileRecord) -> CameWhole:
        """Read back whole: what lies here is what was announced, and what this disk gives again."""
        key = self._storage_keys.unwrap(coming.wrapped_key)
        at_rest = FileAtRest(self._folder / coming.id, coming.id, key)
        try:
            with at_rest.open() as file:
                digest = sha256_of(file)
                size = file.tell()
        except (DocumentDamaged, FileNotFoundError) as exc:
            self._begun_anew(coming)
            raise ContentDiffers(f"what came does not read back: {type(exc).__name__}") from exc
        except OSError as exc:
            raise StoreUnusable(f"{self._folder} cannot be read: {exc.strerror}") from exc
        if size != coming.size or coming.stated_sha256 not in (None, digest):
            self._begun_anew(coming)
            raise ContentDiffers("what came does not have the length and the digest that were announced")
        return CameWhole(coming.role, at_rest, size, digest)

    def _unlink(self, name: str) -> None:
        with usable(self._folder):
            (self._folder / name).unlink(missing_ok=True)
