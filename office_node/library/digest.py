"""The digest of a whole file."""

import hashlib
from collections.abc import Callable
from typing import BinaryIO

_BLOCK_BYTES = 1 << 20


def sha256_of(file: BinaryIO, tick: Callable[[int], None] = lambda _bytes: None) -> str:
    """64 lower-case hexadecimal digits over what is left of the file; `tick` hears the bytes as they are read."""
    sha256 = hashlib.sha256()
    block = memoryview(bytearray(_BLOCK_BYTES))
    while count := file.readinto(block):  # type: ignore[attr-defined]  # every binary file has it
        sha256.update(block[:count])
        tick(count)
    return sha256.hexdigest()
