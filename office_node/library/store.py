"""What the library asks of the place where its files are kept: opaque bytes by name, nothing of what they are."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, Protocol

NAME: Final = re.compile(r"[0-9a-f]{32}")
"""Of a file: ours, never a caller's."""


class Store(Protocol):
    """Files by `NAME`. Whole or not at all, never changed.

    Every verb raises `StoreUnusable` when the place fails, which says nothing of the file.
    """

    def keep(self, file: Path, name: str) -> None:
        """Give a finished file of this machine its name, for good: after return it survives a power cut.

        The file at the old path is gone afterwards.
        """

    def open(self, name: str) -> BinaryIO:
        """The kept file, unbuffered, to be read and to seek in. Raises `FileMissing`."""

    def names(self) -> Iterator[str]:
        """Every name that is kept."""

    def discard(self, name: str) -> None:
        """Take a kept file away for good; nothing happens if it is not there."""

    def set_aside(self, name: str) -> None:
        """Take a kept file out of service without losing it: it has no name any more, and stays for who looks into it.

        Nothing happens if it is not there.
        """

    def presigned(self, name: str, seconds: int, media_type: str) -> str | None:
        """An address of the place's own under which whoever has it may fetch the file for so long; None if it has
        none."""

    def place(self, name: str) -> str | None:
        """Where the file lies, from the store's folder on, for a web server that sends it in our stead; None if no
        such server can."""
