"""The checks of one file; imported only where the limits hold."""

from typing import BinaryIO

from office_node.library.formats import FileFormat
from office_node.library.inspection import pdf, zip
from office_node.library.inspection.findings import Findings
from office_node.library.sealing.at_rest import FileAtRest


def inspect(at_rest: FileAtRest, file_format: FileFormat, max_unpacked_bytes: int, findings: Findings) -> None:
    """Everything that is wrong with the file."""
    with at_rest.open() as file:
        if file_format is FileFormat.ZIP:
            zip.inspect(file, at_rest.path.parent, max_unpacked_bytes, findings)
        else:
            _pdf(file, findings)


def _pdf(file: BinaryIO, findings: Findings) -> None:
    if fault := pdf.fault(file):
        findings.add(*fault)
