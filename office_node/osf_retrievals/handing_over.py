"""The folder `collected/`, from which the office's systems take documents: NAME.pdf or NAME.zip, and NAME.json last.

Each file appears whole or not at all; once NAME.json is there, all that it names is.
"""

import io
import json
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from office_node.library.folder_store import sync, usable
from office_node.osf_retrievals.coming import CameWhole
from office_node.osf_retrievals.records import RequestRecord

MAIN: Final = "document"
_BLOCK_BYTES = 1 << 20
_UNSAFE = re.compile(r"[^A-Za-z0-9.-]+")
_PART = ".part"


@dataclass(frozen=True, slots=True)
class Parcel:
    """A file to hand over."""

    came: CameWhole
    file_format: str


class CollectedFolder:
    """Where documents are handed over."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def lay(self, name: str, parcels: Sequence[Parcel], about: dict[str, Any]) -> None:
        """Hand over; the same again lays the same files. Raises `StoreUnusable` and `SealBroken`."""
        with usable(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        told = [
            {
                "file": _file_name(name, parcel),
                "role": parcel.came.role,
                "format": parcel.file_format,
                "bytes": parcel.came.size,
                "sha256": parcel.came.sha256,
            }
            for parcel in parcels
        ]
        for parcel in parcels:
            with parcel.came.open() as source:
                self._write(_file_name(name, parcel), source)
        self._write_json(name, {**about, "files": told})

    def remove(self, name: str) -> list[str]:
        """Delete all that lies here under the name; returns what was whole. Raises `StoreUnusable`."""
        with usable(self._folder):
            found = sorted(self._of(name))
            for path in [*found, *self._folder.glob(f".{name}.*{_PART}")]:
                path.unlink(missing_ok=True)
            if found:
                sync(self._folder)
        return [path.name for path in found]

    def _of(self, name: str) -> list[Path]:
        with usable(self._folder):
            return [path for path in self._folder.glob(f"{name}.*") if path.is_file()]

    def _write(self, file_name: str, source: BinaryIO) -> None:
        temporary = self._folder / f".{file_name}{_PART}"
        with usable(self._folder), suppress(FileNotFoundError):
            temporary.unlink()  # of a try that was killed
        try:
            with usable(self._folder):
                descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
                with os.fdopen(descriptor, "wb") as target:
                    while block := source.read(_BLOCK_BYTES):
                        target.write(block)
                    target.flush()
                    os.fsync(target.fileno())
                temporary.rename(self._folder / file_name)
                sync(self._folder)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise

    def _write_json(self, name: str, about: dict[str, Any]) -> None:
        self._write(f"{name}.json", io.BytesIO((json.dumps(about, indent=2, ensure_ascii=False) + "\n").encode()))


def name_of(request: RequestRecord) -> str:
    """Kind, number and id, as a name of files on any system."""
    return f"{_UNSAFE.sub('_', request.kind)}-{_UNSAFE.sub('_', request.number)}-{request.id[:12]}"


def _file_name(name: str, parcel: Parcel) -> str:
    role = "" if parcel.came.role == MAIN else f".{parcel.came.role}"
    return f"{name}{role}.{parcel.file_format}"
