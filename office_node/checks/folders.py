"""The folders the node writes to."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from office_node.settings import Finding, Settings


def check(settings: Settings, file: str) -> Iterator[Finding]:
    """A folder that cannot be written, nor made."""
    folders = [
        ("[library] store", settings.library.store),
        ("[off] certificate_folder", settings.off.certificate_folder),
    ]
    folders.append(("[osf] folder", settings.osf.folder))
    folders.append(("[timeline] checkpoint_folder", settings.timeline.checkpoint_folder))
    if settings.intake:
        folders.append(("[intake] folder", settings.intake.folder))
    if settings.database.url.startswith("sqlite"):
        folders.append(("[database] url", Path(settings.database.url.removeprefix("sqlite:///")).parent))
    for place, folder in folders:
        blocked = _blocked_at(folder)
        if blocked:
            yield Finding("N023", file, place, f"{blocked} cannot be written", "give it to the user the node runs as")


def _blocked_at(folder: Path) -> Path | None:
    """The path that keeps the node from writing into `folder` or from making it; None if nothing does."""
    for path in (folder, *folder.parents):
        try:
            is_folder = stat.S_ISDIR(path.stat().st_mode)
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            continue  # to be made, or a path above it is in the way
        except OSError:  # such as a name that is too long
            return path
        return None if is_folder and os.access(path, os.W_OK | os.X_OK) else path
    return folder
