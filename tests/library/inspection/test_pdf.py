"""A PDF is refused unless it opens without repair and without a password, and has pages; alone and within a ZIP."""

import io
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest

from tests.library.inspection.packages import PDF, archive, findings, member


def rewritten(change: Callable[[pikepdf.Pdf], object], **options: object) -> bytes:
    made = io.BytesIO()
    with pikepdf.open(io.BytesIO(PDF)) as document:
        change(document)
        document.save(made, **options)  # type: ignore[arg-type]
    return made.getvalue()


def without_pages(document: pikepdf.Pdf) -> None:
    del document.pages[0]


ENCRYPTED = rewritten(lambda _: None, encryption=pikepdf.Encryption(owner="owner", user="user"))
RESTRICTED = rewritten(lambda _: None, encryption=pikepdf.Encryption(owner="owner", user=""))
BAD = {
    "encrypted": (ENCRYPTED, "N323 an encrypted PDF (it asks for a password)"),
    "restricted": (RESTRICTED, "N323 an encrypted PDF (its use is restricted)"),
    "without pages": (rewritten(without_pages), "N325 a PDF without pages"),
    "without catalog": (
        PDF.replace(b"/Root 1 0 R", b"/Root 9 0 R"),
        "N324 a PDF whose structure cannot be read (unable to find /Root",
    ),
    "xref damaged": (PDF.replace(b"startxref\n", b"startxref\n9"), "N324 a PDF whose structure cannot be read"),
    "xref of another file": (PDF.replace(b"0000000009", b"0000000011"), "N324 a PDF whose structure cannot be read"),
    "without xref": (PDF[: PDF.index(b"xref\n0")] + b"%%EOF\n", "N324 a PDF whose structure cannot be read"),
    "signature alone": (b"%PDF-1.7\n%%EOF\n", "N324 a PDF whose structure cannot be read"),
    "pages in a ring": (
        PDF.replace(b"/Kids [3 0 R]", b"/Kids [2 0 R]"),
        "N32",
    ),
    "pages that are no list": (PDF.replace(b"/Kids [3 0 R]", b"/Kids /3.0.R."), "N32"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_pdf_is_named_alone_and_within_a_zip(tmp_path: Path, name: str) -> None:
    content, said = BAD[name]
    [alone] = findings(tmp_path, content)
    assert alone.startswith(said)
    number, what = said.split(maxsplit=1) if " " in said else (said, "")
    [within] = findings(tmp_path, archive(member("core.PDF", content)))
    assert within.startswith(f"{number} entry `core.PDF`: {what}" if what else number)


def test_a_truncated_pdf_within_a_zip_is_named(tmp_path: Path) -> None:
    [found] = findings(tmp_path, archive(member("core.pdf", PDF[: len(PDF) // 2])))
    assert found.startswith("N324 entry `core.pdf`: ")


def test_what_is_called_a_pdf_must_be_one(tmp_path: Path) -> None:
    [found] = findings(tmp_path, archive(member("core.pdf", b"\n" + PDF)))
    assert found == "N322 entry `core.pdf`: not a PDF (it does not begin with %PDF-)"


def test_no_finding_tells_where_the_file_lies(tmp_path: Path) -> None:
    for content, _ in BAD.values():
        assert str(tmp_path) not in "".join(findings(tmp_path, content))
