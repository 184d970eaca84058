"""Certificates of registration, kept in a folder of their own."""

import io
from pathlib import Path
from typing import Any, BinaryIO

from office_node.library.folder_store import FolderStore
from office_node.library.incoming import Incoming
from office_node.library.sealing.storage_keys import StorageKeys

_MOST_BYTES = 16 << 20


class Certificates:
    """WIPO's certificates, by the operation that asked for them. They hold no document and are kept plain."""

    def __init__(self, folder: Path, storage_keys: StorageKeys) -> None:
        self._store = FolderStore(folder)
        self._incoming = Incoming(folder / "incoming", storage_keys)

    def keep(self, operation_id: str, content: bytes) -> dict[str, Any]:
        """Keep a certificate; returns its SHA-256 and size. Raises `StoreUnusable`."""
        with self._incoming.receiving(io.BytesIO(content), _MOST_BYTES, sealed=False) as received:
            self._store.keep(received.at_rest.path, operation_id)
            return {"sha256": received.sha256, "bytes": received.size}

    def remove_leftovers(self) -> int:
        """Remove what was cut off while it came in; returns how many. Raises `StoreUnusable`."""
        return self._incoming.remove_leftovers()

    def open(self, operation_id: str) -> BinaryIO:
        """The certificate that the operation brought. Raises `FileMissing`, `StoreUnusable`."""
        return self._store.open(operation_id)
