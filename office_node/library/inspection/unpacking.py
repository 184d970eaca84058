"""The bytes of a ZIP's entry, counted as they come: what the directory says of them is checked, never believed."""

import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from office_node.library.inspection.directory import Entry

_BLOCK_BYTES = 1 << 16


class Damaged(Exception):
    """The bytes are not those of which the directory speaks."""


def unpacked(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    """The entry's bytes in small blocks, never more of them than it declares. Raises `Damaged`."""
    stored = _blocks(file, entry.begin, entry.packed_bytes)
    counted, crc = 0, 0
    for block in stored if entry.method == zipfile.ZIP_STORED else _inflated(stored):
        counted += len(block)
        if counted > entry.unpacked_bytes:
            raise Damaged("it holds more bytes than the directory says")
        crc = zlib.crc32(block, crc)
        yield block
    if counted < entry.unpacked_bytes:
        raise Damaged("it holds fewer bytes than the directory says")
    if crc != entry.crc:
        raise Damaged("its checksum is wrong")


def _blocks(file: BinaryIO, begin: int, count: int) -> Iterator[bytes]:
    file.seek(begin)
    while count:
        block = file.read(min(count, _BLOCK_BYTES))
        if not block:
            raise Damaged("it is cut off")
        count -= len(block)
        yield block


def _inflated(stored: Iterator[bytes]) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    for block in stored:
        if inflater.eof:
            raise Damaged("bytes follow its end")
        yield from _in_steps(inflater, block)
    if not inflater.eof:
        raise Damaged("its packed bytes are cut off")
    if inflater.unused_data:
        raise Damaged("bytes follow its end")


def _in_steps(inflater: "zlib._Decompress", packed: bytes) -> Iterator[bytes]:
    try:
        while True:
            block = inflater.decompress(packed, _BLOCK_BYTES)
            yield block
            packed = inflater.unconsumed_tail
            # A full block may have more behind it, though all that was packed is taken.
            if inflater.eof or (not packed and len(block) < _BLOCK_BYTES):
                return
    except zlib.error as exc:
        raise Damaged("its packed bytes cannot be unpacked") from exc
