"""The checks of one file; imported only where the limits hold."""

from pathlib import Path
from typing import BinaryIO

from office_node.library.formats import FileFormat
from office_node.library.inspection import pdf, zip
from office_node.library.inspection.findings import Findings


def inspect(path: str, file_format: FileFormat, max_unpacked_bytes: int, findings: Findings) -> None:
    """Everything that is wrong with the file."""
    with Path(path).open("rb") as file:
        if file_format is FileFormat.ZIP:
            zip.inspect(file, max_unpacked_bytes, findings)
        else:
            _pdf(file, findings)


def _pdf(file: BinaryIO, findings: Findings) -> None:
    if fault := pdf.fault(file):
        findings.add(*fault)
