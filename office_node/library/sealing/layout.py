"""How a sealed file is laid out; docs/encryption-at-rest.md describes it for other programs.

A head, then the plain bytes in chunks of 256 KiB, each sealed by AES-256-GCM (NIST SP 800-38D) under the file's key:
16 bytes longer, the last one as short as what is left. The nonce is the chunk's number and whether it is the last one;
the head and the file's name are authenticated with every chunk. So no chunk can be changed, moved, left out, added or
taken from another file unseen.
"""

from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from office_node.library.damage import DocumentDamaged

HEAD: Final = b"office node sealed file 1\n"
CHUNK_BYTES: Final = 1 << 18  # smaller ones would hold the interpreter's lock (performance.md 2)
TAG_BYTES: Final = 16
SEALED_CHUNK_BYTES: Final = CHUNK_BYTES + TAG_BYTES
DATA_KEY_BYTES: Final = 32
_NUMBER_BYTES: Final = 11


class SealBroken(DocumentDamaged):
    """A sealed file is not what was sealed: changed, cut, exchanged, or not under this key."""

    code = "N341"


def cipher(data_key: bytes) -> AESGCM:
    """What seals and opens the chunks of one file."""
    if len(data_key) != DATA_KEY_BYTES:
        raise ValueError("a data key has 32 bytes")
    return AESGCM(data_key)


def nonce(number: int, *, is_last: bool) -> bytes:
    """12 bytes, never the same for two contents under one key: a file's key seals each of its chunks once."""
    return number.to_bytes(_NUMBER_BYTES, "big") + (b"\x01" if is_last else b"\x00")


def bound_to(name: str) -> bytes:
    """What is authenticated with every chunk: the layout and the name of the file."""
    return HEAD + name.encode()


def chunk_at(number: int) -> int:
    """Where a chunk begins in the sealed file."""
    return len(HEAD) + number * SEALED_CHUNK_BYTES


def sealed_size(size: int) -> int:
    """Bytes of the sealed file that holds so many plain bytes; nothing at all is sealed as one empty chunk."""
    return len(HEAD) + size + TAG_BYTES * chunks_of(size)


def plain_size(sealed: int) -> int:
    """Plain bytes that a sealed file of so many bytes holds. Raises `SealBroken` for a size that none has."""
    body = sealed - len(HEAD)
    size = body - TAG_BYTES * -(-body // SEALED_CHUNK_BYTES)
    if size < 0 or sealed_size(size) != sealed:
        raise SealBroken("a sealed file has been cut or is none")
    return size


def chunks_of(size: int) -> int:
    """How many chunks so many plain bytes make."""
    return max(1, -(-size // CHUNK_BYTES))
