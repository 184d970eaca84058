"""Room on the disks that is kept free: with it what has begun can end, and the database can always write.

A full disk is told as what it is, before anything is half written (reliability.md 3, 15).
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from office_node.errors import Owner, Postponed

_LOOK_AGAIN_SECONDS = 60.0


class DiskNearlyFull(Postponed):
    """There is less room than the node keeps for what has begun: nothing new is taken in."""

    code = "N205"
    owner: ClassVar[Owner] = "operator"
    hint = "make room on that disk, or lower [library] headroom_megabytes; the node goes on by itself"


class Headroom:
    """Looks at the disks of some folders."""

    def __init__(self, folders: Iterable[Path], reserve_bytes: int) -> None:
        self._folders = tuple(folders)
        self._reserve_bytes = reserve_bytes

    def insist(self, coming_bytes: int = 0) -> None:
        """Raises `DiskNearlyFull` unless the reserve is left after `coming_bytes` more."""
        for folder in self._folders:
            free = _free_bytes(folder)
            if free is not None and free - coming_bytes < self._reserve_bytes:
                megabytes, reserve = free // 1_000_000, self._reserve_bytes // 1_000_000
                what = f"{megabytes} MB are free at {folder}, {reserve} MB are kept for what has begun"
                raise DiskNearlyFull(what, retry_after_seconds=_LOOK_AGAIN_SECONDS)


def _free_bytes(folder: Path) -> int | None:
    """What we may still write on the disk of a folder, or of the nearest one above it that is there."""
    for place in (folder, *folder.parents):
        try:
            found = os.statvfs(place)
        except FileNotFoundError:
            continue
        except OSError:
            return None  # whoever uses the folder tells what ails it
        return found.f_bavail * found.f_frsize
    return None
