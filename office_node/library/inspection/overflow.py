"""What is unpacked for a look at it: in memory while it is small, else in a sealed file without a name."""

import io
import secrets
from pathlib import Path
from typing import BinaryIO, cast

from office_node.library.sealing.layout import DATA_KEY_BYTES
from office_node.library.sealing.sealed_reader import SealedReader
from office_node.library.sealing.sealed_writer import SealedWriter

_IN_MEMORY_BYTES = 8 << 20


class Overflow:
    """Written once, then read. Its key is nowhere but here: with this process, whatever lies on the disk is nothing."""

    def __init__(self, folder: Path) -> None:
        """`folder` takes what is too large for memory."""
        self._folder = folder
        self._name = secrets.token_hex(16)
        self._data_key = secrets.token_bytes(DATA_KEY_BYTES)
        self._held = io.BytesIO()
        self._writer: SealedWriter | None = None
        self._file: BinaryIO = self._held
        self._on_disk: BinaryIO | None = None

    def write(self, block: bytes) -> None:
        """Take the next bytes. Raises `OSError`."""
        if self._writer is None and self._held.tell() + len(block) > _IN_MEMORY_BYTES:
            self._spill()
        if self._writer is None:
            self._held.write(block)
        else:
            self._writer.write(block)

    def file(self) -> BinaryIO:
        """All that was written, to be read and to seek in. Raises `OSError`."""
        if self._writer and self._on_disk:
            self._writer.finish()
            self._file = cast("BinaryIO", SealedReader(self._on_disk, self._data_key, self._name))
        self._file.seek(0)
        return self._file

    def close(self) -> None:
        """It is gone afterwards."""
        for file in (self._writer, self._on_disk):
            if file:
                file.close()

    def _spill(self) -> None:
        path = self._folder / self._name
        self._writer = SealedWriter(path, self._data_key, self._name)
        self._on_disk = path.open("rb", buffering=0)
        path.unlink()
        self._writer.write(self._held.getbuffer())
        self._held = io.BytesIO()
