"""How entries hang together, without any database: digests, and the tree under a checkpoint.

An entry's digest is SHA-256 over the digest before it and the entry as canonical JSON (RFC 8785 for the values that
occur here). A checkpoint signs the root of a Merkle tree over the digests since the checkpoint before (RFC 9162 2.1.1),
so that a few digests prove one entry to somebody who sees none of the others.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

BEFORE_THE_FIRST: Final = "0" * 64
Said = dict[str, str | int | bool | None]


@dataclass(frozen=True, slots=True)
class Entry:
    """One step of one document or request."""

    sequence: int
    """From 1, without a gap."""
    at: str
    """UTC, ISO 8601 with microseconds."""
    step: str
    kind: str | None
    number: str | None
    """The document's, in the form that the library keeps."""
    subject: str | None
    """The acknowledgement id or the operation that the step belongs to."""
    said: Said
    """What else is to be known; never a secret."""


def digest(before: str, entry: Entry) -> str:
    """64 hexadecimal digits over the entry and all before it; `before` is the digest of the one before."""
    return hashlib.sha256(bytes.fromhex(before) + canonical(asdict(entry))).hexdigest()


def canonical(value: dict[str, Any]) -> bytes:
    """The same bytes for the same content, wherever it is written."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def root(digests: Sequence[str]) -> str:
    """The root of the tree over at least one digest."""
    level = [_leaf(one) for one in digests]
    while len(level) > 1:
        level = _above(level)
    return level[0].hex()


def path(digests: Sequence[str], index: int) -> list[str]:
    """What has to be known beside the digest at `index` to come to the root, from the leaf up.

    Each begins with `<` or `>`: on which side of what is known so far it stands.
    """
    level, found = [_leaf(one) for one in digests], []
    while len(level) > 1:
        beside = index ^ 1
        if beside < len(level):
            found.append(("<" if beside < index else ">") + level[beside].hex())
        level, index = _above(level), index // 2
    return found


def root_by(one: str, steps: Sequence[str]) -> str:
    """The root to which a digest leads along `path`. Raises `ValueError` for what is no path."""
    known = _leaf(one)
    for step in steps:
        beside = bytes.fromhex(step[1:])
        if step[:1] not in ("<", ">") or len(beside) != len(known):
            raise ValueError("no path of a tree")
        known = _node(beside, known) if step[0] == "<" else _node(known, beside)
    return known.hex()


def _above(level: list[bytes]) -> list[bytes]:
    # A last one without a neighbour goes up as it is: the same tree as RFC 9162's.
    pairs = [_node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
    return pairs + level[-1:] if len(level) % 2 else pairs


def _leaf(one: str) -> bytes:
    return hashlib.sha256(b"\x00" + bytes.fromhex(one)).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
