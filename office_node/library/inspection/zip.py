"""Whether a ZIP is what it seems: its directory judged first, then every entry read to its end."""

import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from office_node.library.inspection import pdf
from office_node.library.inspection.directory import Entry, readable_entries
from office_node.library.inspection.findings import Findings, Kind, escaped
from office_node.library.inspection.overflow import Overflow
from office_node.library.inspection.unpacking import Damaged, unpacked
from office_node.library.inspection.xml import XmlCheck

_END_RECORD_BYTES = 22


def inspect(file: BinaryIO, folder: Path, max_unpacked_bytes: int, findings: Findings) -> None:
    """Everything that is wrong with the ZIP in `file`; a large PDF in it is laid, sealed, into `folder` for a while."""
    try:
        with zipfile.ZipFile(file) as archive:
            infos, end = archive.infolist(), archive.start_dir
            comment = archive.comment
        file.seek(-len(comment) - _END_RECORD_BYTES, 2)
        if file.read(4) != b"PK\x05\x06":
            findings.add(Kind.ZIP_DAMAGED, "there is more behind its end")
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, OverflowError) as exc:
        findings.add(Kind.ZIP_DAMAGED, escaped(str(exc)))
        return
    for entry in readable_entries(file, infos, end, max_unpacked_bytes, findings):
        try:
            fault = _fault(file, entry, folder)
        except Damaged as exc:
            fault = (Kind.ENTRY_DAMAGED, str(exc))
        if fault:
            findings.add(*fault, entry=entry.name)


def _fault(file: BinaryIO, entry: Entry, folder: Path) -> tuple[Kind, str] | None:
    blocks = unpacked(file, entry)
    if entry.name.lower().endswith(".pdf"):
        return _pdf_fault(blocks, folder)
    if entry.name.lower().endswith(".xml"):
        return _xml_fault(blocks)
    for _ in blocks:
        pass
    return None


def _pdf_fault(blocks: Iterator[bytes], folder: Path) -> tuple[Kind, str] | None:
    with closing(Overflow(folder)) as overflow:
        for block in blocks:
            overflow.write(block)
        return pdf.fault(overflow.file())


def _xml_fault(blocks: Iterator[bytes]) -> tuple[Kind, str] | None:
    check = XmlCheck()
    for block in blocks:
        check.feed(block)
    return check.fault()
