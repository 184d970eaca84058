"""Reads a sealed file as if it lay there plain: from anywhere, in constant memory, never a byte that is not proven."""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO

from cryptography.exceptions import InvalidTag

from office_node.library.sealing import layout
from office_node.library.sealing.layout import CHUNK_BYTES, HEAD, SealBroken
from office_node.library.sized_file import SizedFile

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class SealedReader(SizedFile):
    """The plain bytes of a sealed file: a file to read and to seek in, which owns the one it reads from.

    Every read raises `SealBroken` instead of giving a byte of a chunk that is not as it was sealed.
    """

    def __init__(
        self,
        sealed: BinaryIO,
        data_key: bytes,
        name: str,
        on_broken: Callable[[SealBroken], None] = lambda _broken: None,
    ) -> None:
        """Raises `SealBroken` when the file is not as long as a sealed file can be, or does not begin as one.

        `on_broken` hears of a broken seal that is met later, before the read raises it.
        """
        super().__init__(layout.plain_size(sealed.seek(0, io.SEEK_END)))
        self._sealed = sealed
        self._on_broken = on_broken
        self._last = layout.chunks_of(self.size) - 1
        self._cipher = layout.cipher(data_key)
        self._bound_to = layout.bound_to(name)
        self._number = -1
        self._chunk = memoryview(b"")
        self._buffer = memoryview(bytearray(layout.SEALED_CHUNK_BYTES))
        self._plain = memoryview(bytearray(CHUNK_BYTES))
        sealed.seek(0)
        if sealed.read(len(HEAD)) != HEAD:
            raise SealBroken("a sealed file does not begin as one")

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """As many bytes as there are room and content for, over the ends of chunks."""
        target = memoryview(buffer).cast("B")
        count = 0
        while count < len(target) and self._position < self.size:
            number, start = divmod(self._position, CHUNK_BYTES)
            piece = self._opened(number)[start : start + len(target) - count]
            target[count : count + len(piece)] = piece
            count += len(piece)
            self._position += len(piece)
        return count

    def close(self) -> None:
        """Close the sealed file too."""
        if not self.closed:
            self._sealed.close()
        super().close()

    def _opened(self, number: int) -> memoryview:
        if number != self._number:
            self._number = -1  # what a broken seal leaves in the buffer is nobody's
            try:
                self._chunk = self._open(number)
            except SealBroken as exc:
                self._on_broken(exc)
                raise
            self._number = number
        return self._chunk

    def _open(self, number: int) -> memoryview:
        length = min(CHUNK_BYTES, self.size - number * CHUNK_BYTES)
        sealed = self._read(layout.chunk_at(number), length + layout.TAG_BYTES)
        plain = self._plain[:length]
        try:
            nonce = layout.nonce(number, is_last=number == self._last)
            self._cipher.decrypt_into(nonce, sealed, self._bound_to, plain)
        except InvalidTag:
            raise SealBroken(f"chunk {number} of a sealed file is not as it was sealed") from None
        return plain

    def _read(self, start: int, length: int) -> memoryview:
        self._sealed.seek(start)
        buffer, count = self._buffer[:length], 0
        while count < length:
            read = self._sealed.readinto(buffer[count:])  # type: ignore[attr-defined]  # every binary file has it
            if not read:
                raise SealBroken("a sealed file ended while it was read")
            count += read
        return buffer
