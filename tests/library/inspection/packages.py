"""Packages made byte by byte, so that each can lie in one way of its own; and what the inspection says of them."""

import struct
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from office_node.library.inspection import Inspector, UnsoundPackage
from office_node.library.sealing.at_rest import FileAtRest
from tests.office import pdf

MAX_UNPACKED_BYTES = 64 << 20
KEY = bytes(range(32))
PDF = pdf(2000)
ST26 = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<!DOCTYPE ST26SequenceListing PUBLIC "-//WIPO//DTD Sequence Listing 1.3//EN" "ST26SequenceListing_V1_3.dtd">\n'
    b'<ST26SequenceListing dtdVersion="V1_3"><ApplicantName languageCode="ja">\xe7\x89\xb9\xe8\xa8\xb1'
    b"</ApplicantName></ST26SequenceListing>\n"
)
INDEX = (
    b'<?xml version="1.0"?>\n<pddp:Index xmlns:pddp="http://www.wipo.int/standards/XMLSchema/ST92">'
    b"<pddp:File>core.pdf</pddp:File></pddp:Index>"
)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


@dataclass(frozen=True)
class Member:
    """An entry: what is packed, and what headers and directory say of it."""

    name: bytes
    packed: bytes
    size: int
    crc: int
    method: int = zipfile.ZIP_DEFLATED
    flags: int = 0
    mode: int = 0
    local_name: bytes | None = None
    local_flags: int | None = None
    offset: int | None = None
    """Where the directory says that the entry lies; None for where it does."""


def member(name: str | bytes, content: bytes = b"", method: int = zipfile.ZIP_DEFLATED, **lies: object) -> Member:
    raw = name if isinstance(name, bytes) else name.encode()
    packed = deflated(content) if method == zipfile.ZIP_DEFLATED else content
    flags = 0 if raw.isascii() else 1 << 11
    honest = Member(raw, packed, len(content), zlib.crc32(content), method, flags)
    return replace(honest, **lies)  # type: ignore[arg-type]


def deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


CORE = member("core.pdf", PDF)


def archive(*members: Member) -> bytes:
    """A ZIP of these entries."""
    body, directory = b"", b""
    for each in members:
        offset = len(body) if each.offset is None else each.offset
        body += local_header(each) + each.packed
        directory += _directory_header(each, offset)
    count = len(members)
    return body + directory + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), len(body), 0)


def local_header(each: Member) -> bytes:
    name = each.name if each.local_name is None else each.local_name
    flags = each.flags if each.local_flags is None else each.local_flags
    sizes = (each.crc, len(each.packed), each.size)
    return struct.pack("<4s5H3L2H", b"PK\3\4", 20, flags, each.method, 0, 33, *sizes, len(name), 0) + name


def _directory_header(each: Member, offset: int) -> bytes:
    start = (b"PK\1\2", 3 << 8 | 20, 20, each.flags, each.method, 0, 33, each.crc, len(each.packed), each.size)
    rest = (len(each.name), 0, 0, 0, 0, each.mode << 16, offset)
    return struct.pack("<4s6H3L5H2L", *start, *rest) + each.name


def quoted_bomb(copies: int, kernel: bytes) -> bytes:
    """David Fifield's: each entry quotes the header of the next one and goes on with its bytes, down to one kernel."""
    each, content = member(f"{copies - 1:05}.pdf", kernel), kernel
    body, chain = local_header(each) + each.packed, [each]
    for number in reversed(range(copies - 1)):
        header = local_header(each)
        content = header + content
        packed = b"\0" + struct.pack("<HH", len(header), len(header) ^ 0xFFFF) + body
        each = Member(f"{number:05}.pdf".encode(), packed, len(content), zlib.crc32(content))
        body = local_header(each) + packed
        chain.append(each)
    step = len(local_header(each)) + 5
    directory = b"".join(_directory_header(one, step * number) for number, one in enumerate(reversed(chain)))
    return body + directory + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, copies, copies, len(directory), len(body), 0)


def findings(folder: Path, content: bytes, **limits: float) -> list[str]:
    """What is found wrong with these bytes, sealed: each number and what it says, without the hint."""
    return findings_of(sealed(folder, content), **limits)


def sealed(folder: Path, content: bytes) -> FileAtRest:
    """A package as it lies in the library."""
    at_rest = FileAtRest(folder / "package", "package", KEY)
    at_rest.path.unlink(missing_ok=True)
    with at_rest.writing() as write:
        write(content)
    return at_rest


def findings_of(at_rest: FileAtRest, **limits: float) -> list[str]:
    try:
        Inspector(**{"max_unpacked_bytes": MAX_UNPACKED_BYTES, **limits}).inspect(at_rest)  # type: ignore[arg-type]
    except UnsoundPackage as exc:
        return [f"{finding.number} {finding.what}" for finding in exc.findings]
    return []


def numbers(found: Iterable[str]) -> list[str]:
    return [one.split()[0] for one in found]
