"""Writes a sealed file from front to back, in constant memory; goes on where a killed process left it."""

import os
from pathlib import Path
from typing import Any, Self

from office_node.library.sealing import layout
from office_node.library.sealing.layout import CHUNK_BYTES, HEAD


class SealedWriter:
    """A sealed file that is being written. Nothing plain ever reaches the disk.

    Until `finish` has ended the file it cannot be read whole: its last chunk is missing.
    """

    def __init__(self, path: Path, data_key: bytes, name: str) -> None:
        """Begin the file anew at a path where nothing is; `name` is what it is bound to. Raises `OSError`."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._begin(descriptor, data_key, name, chunks=0)
        self._file.write(HEAD)

    @classmethod
    def continued(cls, path: Path, data_key: bytes, name: str) -> Self:
        """Go on behind the last whole chunk that is there; `written` tells from which plain byte on.

        For a content that is still the same: under one key no other bytes may be sealed in the place of those that a
        cut took. What is there already is not judged here, but when it is read. Raises `OSError`.
        """
        writer = cls.__new__(cls)
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        chunks = max(0, os.fstat(descriptor).st_size - len(HEAD)) // layout.SEALED_CHUNK_BYTES
        os.ftruncate(descriptor, layout.chunk_at(chunks) if chunks else 0)
        writer._begin(descriptor, data_key, name, chunks)
        if chunks:
            writer._file.seek(layout.chunk_at(chunks))
        else:
            writer._file.write(HEAD)
        return writer

    def _begin(self, descriptor: int, data_key: bytes, name: str, chunks: int) -> None:
        # Buffered: a raw write may keep a part of a block on a full disk, and say so only by the count it gives back.
        self._file = os.fdopen(descriptor, "wb")
        self._cipher = layout.cipher(data_key)
        self._bound_to = layout.bound_to(name)
        self._chunks = chunks
        self._held = bytearray()

    @property
    def written(self) -> int:
        """Plain bytes taken so far."""
        return self._chunks * CHUNK_BYTES + len(self._held)

    def write(self, block: bytes | memoryview) -> None:
        """Take the next plain bytes. Raises `OSError`."""
        self._held += block
        # One chunk stays back: only the end knows which one is the last.
        if len(self._held) > CHUNK_BYTES:
            view = memoryview(self._held)
            whole = (len(view) - 1) // CHUNK_BYTES
            for start in range(0, whole * CHUNK_BYTES, CHUNK_BYTES):
                self._seal(view[start : start + CHUNK_BYTES], is_last=False)
            view.release()
            del self._held[: whole * CHUNK_BYTES]

    def finish(self) -> None:
        """Seal what is left as the end, and let it survive a power cut. Raises `OSError`."""
        self._seal(memoryview(self._held), is_last=True)
        self._held = bytearray()
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file, finished or not."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: Any) -> None:
        self.close()

    def _seal(self, chunk: memoryview, *, is_last: bool) -> None:
        self._file.write(self._cipher.encrypt(layout.nonce(self._chunks, is_last=is_last), chunk, self._bound_to))
        self._chunks += 1
