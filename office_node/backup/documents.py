"""Files of the library in a backup: each once, under its name, shared by all backups of a folder; never changed.

They lie there as they lie in the library: what is encrypted stays so.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from office_node.backup import rows
from office_node.backup.manifest import BackupRefused
from office_node.library.damage import FileMissing
from office_node.library.digest import sha256_of
from office_node.library.folder_store import sync
from office_node.library.store import NAME, Store

MANIFEST = f"library{rows.SUFFIX}"
FOLDER = "documents"
_BLOCK_BYTES = 1 << 20


def copy_all(store: Store, names: Iterator[str], folder: Path, tick: rows.Tick) -> Iterator[dict[str, Any]]:
    """Copy what is not there yet; tells of each its digest and size, or that the library does not have it."""
    for name in names:
        target = _place(folder, name)
        if not target.exists():
            try:
                _copy(store, name, target)
            except FileMissing:
                yield {"name": name, "missing": True}
                continue
        tick(1)
        yield {"name": name, "sha256": rows.digest_of(target), "size": target.stat().st_size}


def compare_all(listed: Iterator[dict[str, Any]], folder: Path, tick: rows.Tick) -> int:
    """Read every copy against its digest; returns how many. Raises `BackupRefused` at the first that differs."""
    count = 0
    for entry in listed:
        count += 1
        tick(1)
        if entry.get("missing"):
            continue
        place = _place(folder, entry["name"])
        if not place.is_file() or rows.digest_of(place) != entry["sha256"]:
            raise BackupRefused(f"the copy of file {entry['name']} is missing or was changed")
    return count


def put_back(listed: Iterator[dict[str, Any]], folder: Path, store: Store, incoming: Path, tick: rows.Tick) -> int:
    """Give the library what it does not have, or has otherwise; what is replaced is set aside. Returns how many."""
    count = 0
    for entry in listed:
        tick(1)
        if entry.get("missing") or _is_kept(store, entry):
            continue
        store.set_aside(entry["name"])
        incoming.mkdir(parents=True, exist_ok=True, mode=0o700)
        copy = incoming / entry["name"]
        shutil.copyfile(_place(folder, entry["name"]), copy)
        sync(copy)
        store.keep(copy, entry["name"])
        count += 1
    return count


def _is_kept(store: Store, entry: dict[str, Any]) -> bool:
    try:
        with store.open(entry["name"]) as kept:
            return sha256_of(kept) == str(entry["sha256"])
    except FileMissing:
        return False


def _copy(store: Store, name: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = target.with_name(f"{name}.part")
    with store.open(name) as kept, part.open("wb") as copy:
        os.fchmod(copy.fileno(), 0o600)
        shutil.copyfileobj(kept, copy, _BLOCK_BYTES)
    sync(part)
    part.replace(target)
    sync(target.parent)


def _place(folder: Path, name: str) -> Path:
    if not NAME.fullmatch(name):
        raise BackupRefused("the library's manifest names no file of a library")
    return folder / FOLDER / name[:2] / name
