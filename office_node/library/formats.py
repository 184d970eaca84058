"""Which of the two formats of DAS a file has, told from its bytes and not from its name."""

import os
import zipfile
from enum import StrEnum
from typing import BinaryIO

from office_node.errors import OfficeNodeError

_END_WINDOW = 2048


class FileFormat(StrEnum):
    """`fileFormatCategory` of protocol.md 3, for content that stands alone."""

    PDF = "pdf"
    ZIP = "zip"

    @property
    def media_type(self) -> str:
        return f"application/{self.value}"


class NotADocument(OfficeNodeError):
    """Neither a whole PDF nor a whole ZIP."""

    code = "N303"
    owner = "office"
    hint = "priority documents are PDF or ZIP files; see that the file is complete and opens"


def detect(file: BinaryIO) -> FileFormat:
    """The format of a file, from its first and last bytes alone: `inspection` looks at what is between.

    Raises `NotADocument` for anything else, a file whose end was cut off among it.
    """
    file.seek(0)
    start = file.read(8)
    file.seek(max(0, file.seek(0, os.SEEK_END) - _END_WINDOW))
    end = file.read()
    if start.startswith(b"%PDF-"):
        if b"%%EOF" not in end:
            raise NotADocument("a PDF without its end (%%EOF)")
        return FileFormat.PDF
    if start.startswith(b"PK\x03\x04"):
        if not zipfile.is_zipfile(file):
            raise NotADocument("a ZIP without its directory")
        return FileFormat.ZIP
    raise NotADocument("neither a PDF nor a ZIP")
