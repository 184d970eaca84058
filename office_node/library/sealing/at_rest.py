"""A file of this machine as it lies there, sealed or plain, and as it reads."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from office_node.library.sealing.layout import SealBroken
from office_node.library.sealing.sealed_reader import SealedReader
from office_node.library.sealing.sealed_writer import SealedWriter


@dataclass(frozen=True, slots=True)
class FileAtRest:
    """Where a file lies, what it is bound to, and its key in clear; without one it lies plain."""

    path: Path
    name: str
    data_key: bytes | None = field(repr=False)

    def open(self) -> BinaryIO:
        """Its plain bytes, to be read and to seek in. Raises `OSError` and `SealBroken`."""
        return as_plain(self.path.open("rb", buffering=0), self.name, self.data_key)

    @contextmanager
    def writing(self) -> Iterator[Callable[[bytes], object]]:
        """Write it, where nothing is yet, by what is given; it survives a power cut once the block has ended well.

        Raises `OSError`.
        """
        if self.data_key is not None:
            with SealedWriter(self.path, self.data_key, self.name) as writer:
                yield writer.write
                writer.finish()
            return
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        # Buffered: a raw write may keep a part of a block on a full disk, and say so only by the count it gives back.
        with os.fdopen(descriptor, "wb") as file:
            yield file.write
            file.flush()
            os.fsync(file.fileno())


def as_plain(
    file: BinaryIO,
    name: str,
    data_key: bytes | None,
    on_broken: Callable[[SealBroken], None] = lambda _broken: None,
) -> BinaryIO:
    """The plain bytes of an open file; closes it when it turns out not to be as it was sealed. Raises `SealBroken`."""
    if data_key is None:
        return file
    try:
        return cast("BinaryIO", SealedReader(file, data_key, name, on_broken))
    except BaseException:
        file.close()
        raise
