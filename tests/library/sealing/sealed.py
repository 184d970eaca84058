"""Sealed files for the tests of their layout."""

import secrets
from pathlib import Path

from office_node.library.sealing import layout
from office_node.library.sealing.sealed_reader import SealedReader
from office_node.library.sealing.sealed_writer import SealedWriter

KEY = secrets.token_bytes(layout.DATA_KEY_BYTES)
NAME = "0123456789abcdef0123456789abcdef"


def sealed(folder: Path, content: bytes, key: bytes = KEY, name: str = NAME) -> Path:
    """A finished sealed file."""
    path = folder / secrets.token_hex(8)
    with SealedWriter(path, key, name) as writer:
        writer.write(content)
        writer.finish()
    return path


def opened(path: Path, key: bytes = KEY, name: str = NAME) -> SealedReader:
    return SealedReader(path.open("rb", buffering=0), key, name)


def whole(path: Path, key: bytes = KEY, name: str = NAME) -> bytes:
    with opened(path, key, name) as reader:
        return reader.readall()


def content_of(size: int) -> bytes:
    """Bytes of which no two chunks are alike."""
    return secrets.token_bytes(size)
