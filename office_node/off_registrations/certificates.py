"""Certificates of registration, kept in a folder of their own."""

import io
from typing import Any, BinaryIO

from office_node.library.folder_store import FolderStore

_MOST_BYTES = 16 << 20


class Certificates:
    """WIPO's certificates, by the operation that asked for them."""

    def __init__(self, store: FolderStore) -> None:
        self._store = store

    def keep(self, operation_id: str, content: bytes) -> dict[str, Any]:
        """Keep a certificate; returns its SHA-256 and size. Raises `StoreUnusable`."""
        with self._store.receiving(io.BytesIO(content), _MOST_BYTES) as received:
            self._store.keep(received, operation_id)
            return {"sha256": received.sha256, "bytes": received.size}

    def remove_leftovers(self) -> int:
        """Remove what was cut off while it came in; returns how many. Raises `StoreUnusable`."""
        return self._store.remove_leftovers()

    def open(self, operation_id: str) -> BinaryIO:
        """The certificate that the operation brought. Raises `FileMissing`, `StoreUnusable`."""
        return self._store.open(operation_id)
