"""PDF and ZIP are told by their bytes; a file that was cut off is neither."""

from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from office_node.library import formats
from office_node.library.formats import FileFormat, NotADocument
from tests.library.documents import zipped
from tests.office import pdf

PDF = pdf(10_000)
ZIP = zipped(document=PDF, index=b"<index/>")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (PDF, FileFormat.PDF),
        (b"%PDF-2.0\n%%EOF", FileFormat.PDF),
        (PDF + b"\r\n" + b"\x00" * 1000, FileFormat.PDF),
        (ZIP, FileFormat.ZIP),
        (zipped(document=b""), FileFormat.ZIP),
    ],
    ids=["pdf", "shortest pdf", "padded pdf", "zip", "zip of an empty file"],
)
@pytest.mark.parametrize("name", ["document.pdf", "document.zip", "document"])
def test_the_format_is_told_by_the_bytes_whatever_the_name(
    tmp_path: Path, content: bytes, expected: FileFormat, name: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with (tmp_path / name).open("rb") as file:
        assert formats.detect(file) is expected
    assert expected.media_type == f"application/{expected}"


NOT_ACCEPTED = {
    "empty": (b"", "neither a PDF nor a ZIP"),
    "three bytes": (b"%PD", "neither a PDF nor a ZIP"),
    "pdf after a line": (b"\n" + PDF, "neither a PDF nor a ZIP"),
    "xml": (b"<?xml version='1.0'?><document/>", "neither a PDF nor a ZIP"),
    "png": (b"\x89PNG\r\n\x1a\n" + b"\x00" * 100, "neither a PDF nor a ZIP"),
    "program with a zip in it": (b"MZ" + ZIP, "neither a PDF nor a ZIP"),
    "zip of nothing": (b"PK\x05\x06" + b"\x00" * 18, "neither a PDF nor a ZIP"),
    "pdf without its last bytes": (PDF[:-7], "a PDF without its end"),
    "half a pdf": (PDF[:5000], "a PDF without its end"),
    "start of a pdf": (b"%PDF-", "a PDF without its end"),
    "pdf with its end far before": (PDF + b"\x00" * 5000, "a PDF without its end"),
    "zip without its last byte": (ZIP[:-1], "a ZIP without its directory"),
    "half a zip": (ZIP[: len(ZIP) // 2], "a ZIP without its directory"),
    "start of a zip": (ZIP[:4], "a ZIP without its directory"),
}


@pytest.mark.parametrize("name", NOT_ACCEPTED)
def test_anything_else_is_refused_with_the_reason(name: str) -> None:
    content, reason = NOT_ACCEPTED[name]
    with pytest.raises(NotADocument) as caught:
        formats.detect(BytesIO(content))
    assert str(caught.value).startswith(f"N303 {reason}")
    assert "\n" not in str(caught.value)


@settings(max_examples=200, deadline=None)
@given(
    start=st.sampled_from([b"%PDF-", b"PK\x03\x04", ZIP[:200], b""]), rest=st.binary(max_size=300), tail=st.booleans()
)
def test_no_bytes_at_all_do_more_than_be_refused(start: bytes, rest: bytes, tail: bool) -> None:
    try:
        assert formats.detect(BytesIO(start + rest + (ZIP[-60:] if tail else b""))) in FileFormat
    except NotADocument as exc:
        refused = exc
        assert refused.code == "N303"
