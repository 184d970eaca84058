"""Whether a PDF is one: readable without repair, without a password, with pages. Its contents are not unpacked."""

from typing import BinaryIO

import pikepdf

from office_node.library.inspection.findings import Kind, escaped


def fault(file: BinaryIO) -> tuple[Kind, str] | None:
    """What is wrong with the PDF in `file`, if anything, and what the reader says of it."""
    file.seek(0)
    if file.read(5) != b"%PDF-":
        return Kind.NO_PDF_SIGNATURE, "it does not begin with %PDF-"
    file.seek(0)
    try:
        return _structural(file)
    except pikepdf.PasswordError:
        return Kind.PDF_ENCRYPTED, "it asks for a password"
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError, RuntimeError) as exc:
        if "bad_alloc" in str(exc):
            raise MemoryError from exc
        return Kind.PDF_DAMAGED, escaped(str(exc).rpartition(": ")[2])  # before it: which stream that was


def _structural(file: BinaryIO) -> tuple[Kind, str] | None:
    # As a stream, not mapped into memory: a file may be larger than the memory this process is allowed.
    with pikepdf.open(
        file,
        access_mode=pikepdf.AccessMode.stream,
        attempt_recovery=False,
        suppress_warnings=True,
        inherit_page_attributes=False,
    ) as document:
        if document.is_encrypted:
            return Kind.PDF_ENCRYPTED, "its use is restricted"
        if not len(document.pages):
            return Kind.PDF_WITHOUT_PAGES, ""
    return None
