"""What a ZIP says of its entries, before any of them is unpacked."""

import stat
import struct
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from office_node.library.inspection import names
from office_node.library.inspection.findings import Findings, Kind, escaped

MOST_ENTRIES = 10_000
HIGHEST_RATIO = 200
_SMALL_BYTES = 1 << 20
"""Up to here a ratio says nothing."""

_ENCRYPTED_BITS = 1 << 0 | 1 << 6 | 1 << 13
_SIZES_FOLLOW_BIT = 1 << 3
_UTF8_BIT = 1 << 11
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_IN_EXTRA = 0xFFFF_FFFF
_DESCRIPTOR_BYTES = 24
_UNICODE_PATH = 0x7075


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the ZIP that may be unpacked: where its bytes lie, and what they should become."""

    name: str
    method: int
    header: int
    begin: int
    packed_bytes: int
    unpacked_bytes: int
    crc: int

    @property
    def end(self) -> int:
        return self.begin + self.packed_bytes


def readable_entries(
    file: BinaryIO, infos: Sequence[zipfile.ZipInfo], end: int, max_unpacked_bytes: int, findings: Findings
) -> list[Entry]:
    """The entries worth unpacking, nothing being found against them; none if they are too many or too large."""
    if len(infos) > MOST_ENTRIES:
        findings.add(Kind.TOO_MANY, f"{len(infos)}, and at most {MOST_ENTRIES} are accepted")
        return []
    if not any(info.orig_filename.lower().endswith(".pdf") for info in infos):
        findings.add(Kind.NO_PDF_INSIDE)
    within_bounds = _within_bounds(infos, file.seek(0, 2), max_unpacked_bytes, findings)
    names.judge([info.orig_filename for info in infos], findings)
    placed = [entry for info in infos if (entry := _entry(file, info, findings))]
    apart = [*_apart(placed, end, findings)]
    if len(apart) == len(infos) and (hidden := _hidden_bytes(apart, end)):
        findings.add(Kind.ZIP_DAMAGED, f"{hidden} bytes between its files belong to none")
    return apart if within_bounds else []


def _within_bounds(infos: Sequence[zipfile.ZipInfo], size: int, max_unpacked_bytes: int, findings: Findings) -> bool:
    total = sum(info.file_size for info in infos)
    if _too_tight(total, size) and not any(_too_tight(info.file_size, info.compress_size) for info in infos):
        findings.add(Kind.RATIO, f"{total} bytes in a file of {size}")
    if total > max_unpacked_bytes:
        findings.add(Kind.TOO_LARGE, f"{total} bytes, and at most {max_unpacked_bytes} are accepted")
    return total <= max_unpacked_bytes


def _entry(file: BinaryIO, info: zipfile.ZipInfo, findings: Findings) -> Entry | None:
    """The entry, if nothing in its description forbids to unpack it."""
    faults = [*_faults(info)]
    begin = None
    if not faults:
        begin = _begin(file, info)
        faults += [(Kind.ZIP_DAMAGED, "its own header says otherwise")] if begin is None else []
    for kind, detail in faults:
        findings.add(kind, detail, info.orig_filename)
    if begin is None:
        return None
    return Entry(
        name=info.orig_filename,
        method=info.compress_type,
        header=info.header_offset,
        begin=begin,
        packed_bytes=info.compress_size,
        unpacked_bytes=info.file_size,
        crc=info.CRC,
    )


def _faults(info: zipfile.ZipInfo) -> Iterator[tuple[Kind, str]]:
    if _second_name(info.extra) not in (None, info.orig_filename):
        yield Kind.UNSAFE_NAME, "it has a second name, which other readers may take"
    if info.flag_bits & _ENCRYPTED_BITS:
        yield Kind.ENCRYPTED, ""
    if info.compress_type not in _METHODS:
        yield Kind.METHOD, f"method {info.compress_type}"
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        yield Kind.NO_PLAIN_FILE, ""
    if _too_tight(info.file_size, info.compress_size):
        yield Kind.RATIO, f"{info.file_size} bytes in {info.compress_size}"


def _second_name(extra: bytes) -> str | None:
    """The name in an Info-ZIP Unicode Path field, if there is one."""
    while len(extra) >= 4:
        field, size = struct.unpack("<HH", extra[:4])
        if field == _UNICODE_PATH:
            return extra[9 : 4 + size].decode("utf-8", "replace")
        extra = extra[4 + size :]
    return None


def _too_tight(unpacked_bytes: int, packed_bytes: int) -> bool:
    return unpacked_bytes > _SMALL_BYTES and unpacked_bytes > HIGHEST_RATIO * packed_bytes


def _begin(file: BinaryIO, info: zipfile.ZipInfo) -> int | None:
    """Where the packed bytes begin; None if the entry's own header is not that of the directory."""
    if info.header_offset < 0:
        return None
    file.seek(info.header_offset)
    header = file.read(_LOCAL_HEADER.size)
    if len(header) < _LOCAL_HEADER.size:
        return None
    signature, _, flags, method, _, _, crc, packed, size, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(header)
    name = file.read(name_bytes)
    same = (signature, flags & _ENCRYPTED_BITS, method) == (b"PK\x03\x04", 0, info.compress_type)
    if not same or name.decode("utf-8" if info.flag_bits & _UTF8_BIT else "cp437", "replace") != info.orig_filename:
        return None
    if not flags & _SIZES_FOLLOW_BIT and not _agree((crc, packed, size), info):
        return None
    return info.header_offset + _LOCAL_HEADER.size + int(name_bytes) + int(extra_bytes)


def _agree(told: tuple[int, int, int], info: zipfile.ZipInfo) -> bool:
    known = (info.CRC, info.compress_size, info.file_size)
    return told[0] == known[0] and all(a in (b, _IN_EXTRA) for a, b in zip(told[1:], known[1:], strict=True))


def _hidden_bytes(entries: list[Entry], end: int) -> int:
    """How many bytes lie between the entries, more than what may follow one: a reader of streams sees files there."""
    ordered = sorted(entries, key=lambda entry: entry.header)
    borders = [0, *(entry.end for entry in ordered)]
    begins = [*(entry.header for entry in ordered), end]
    gaps = [begin - border for begin, border in zip(begins, borders, strict=True)]
    return sum(gap for gap in gaps if gap > _DESCRIPTOR_BYTES)


def _apart(entries: list[Entry], end: int, findings: Findings) -> Iterator[Entry]:
    """Those that no other entry, nor the directory, reaches into; every other one is named."""
    reached, before = 0, ""
    for entry in sorted(entries, key=lambda entry: entry.header):
        if entry.header < reached:
            findings.add(Kind.OVERLAP, f"with `{escaped(before)}`", entry.name)
        elif entry.end > end:
            findings.add(Kind.OVERLAP, "with the directory", entry.name)
        else:
            yield entry
        if entry.end > reached:
            reached, before = entry.end, entry.name
