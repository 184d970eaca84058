"""Priority documents to rehearse with: real PDFs of one page, of any size, written piece by piece."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

_BLOCK_BYTES = 1 << 20


def pdf(lines: Sequence[str], filler_bytes: int = 0) -> Iterator[bytes]:
    """A PDF 1.4 that says `lines`, in pieces of at most 1 MiB; `filler_bytes` random bytes make it big and unique."""
    shown = "".join(f"({_escaped(line)}) Tj T* " for line in lines)
    text = f"BT /F1 12 Tf 14 TL 72 720 Td {shown}ET".encode("latin-1", errors="replace")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
            b" /Resources << /Font << /F1 5 0 R >> >> >>"
        ),
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    offsets: list[int] = []
    pieces = [b"%PDF-1.4\n"]
    for number, content in enumerate(objects, start=1):
        offsets.append(sum(map(len, pieces)))
        pieces.append(b"%d 0 obj\n%b\nendobj\n" % (number, content))
    yield b"".join(pieces)
    offset = sum(map(len, pieces))
    offsets.append(offset)
    head, foot = b"6 0 obj\n<< /Length %d >>\nstream\n" % filler_bytes, b"\nendstream\nendobj\n"
    yield head
    for begin in range(0, filler_bytes, _BLOCK_BYTES):
        yield os.urandom(min(_BLOCK_BYTES, filler_bytes - begin))
    yield foot
    yield _ending(offsets, offset + len(head) + filler_bytes + len(foot))


def write_pdf(file: Path, lines: Sequence[str], filler_bytes: int = 0) -> None:
    """The same, as a file."""
    with file.open("wb") as target:
        target.writelines(pdf(lines, filler_bytes))


def _ending(offsets: Sequence[int], xref_at: int) -> bytes:
    entries = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count = len(offsets) + 1
    return b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        count,
        entries,
        count,
        xref_at,
    )


def _escaped(line: str) -> str:
    return line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
