"""A file of known size to read and to seek in, whose bytes come from somewhere else."""

import errno
import io


class SizedFile(io.RawIOBase):
    """Knows where in it one is; who derives from it gives the bytes."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        if start + offset < 0:
            raise OSError(errno.EINVAL, "a place before the beginning")
        self._position = start + offset
        return self._position
