"""What a backup says of itself: every file with its digest, and the signature over all of it (RFC 7515, ES256)."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from office_node.errors import OfficeNodeError

NAME = "manifest.jws"
_TYPE = "office-node-backup"


class BackupRefused(OfficeNodeError):
    """A backup that is not what was made: changed, cut, incomplete, or not signed by this office."""

    code = "N800"
    hint = "take another backup; `office-node backup verify` proves one before it is needed"


@dataclass(frozen=True, slots=True)
class Manifest:
    """One backup."""

    office: str
    made_at: str
    """ISO 8601, UTC."""
    program: str
    """Version of the program."""
    revision: str
    """Of the database's schema."""
    files: dict[str, dict[str, Any]]
    """By name: `sha256`, `size`, and of rows their `count`."""
    documents: int
    """How many contents the library's manifest names."""
    has_documents: bool
    """Whether their files were copied too."""
    timeline_ends_at: int
    """Number of the last entry."""


def write(folder: Path, manifest: Manifest, key: ECKey) -> None:
    """Sign and lay it; the last file of a backup."""
    head = {"alg": "ES256", "typ": _TYPE, "kid": key.thumbprint()}
    payload = json.dumps(asdict(manifest), sort_keys=True).encode()
    signed = jws.serialize_compact(head, payload, key, algorithms=["ES256"])
    (folder / NAME).write_text(signed)


def read(folder: Path, key_of: Callable[[str], ECKey | None]) -> Manifest:
    """The manifest, once a key that `key_of` knows by its thumbprint has proven it. Raises `BackupRefused`."""
    try:
        signed = (folder / NAME).read_text()
        head = jws.extract_compact(signed.encode()).headers()
        key = key_of(str(head.get("kid")))
        if key is None or head.get("typ") != _TYPE:
            raise BackupRefused(f"{folder}: signed by a key that is not known here, or as something else")
        return Manifest(**json.loads(jws.deserialize_compact(signed, key, algorithms=["ES256"]).payload))
    except OSError as exc:
        raise BackupRefused(f"{folder}: no manifest can be read: {exc.strerror}") from exc
    except (JoseError, ValueError, TypeError) as exc:
        raise BackupRefused(f"{folder}: the manifest's signature does not fit") from exc
