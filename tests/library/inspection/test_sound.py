"""What offices really send is taken: a PDF, a ZIP in the way of ST.26, a package in the way of ST.92."""

import io
import os
import zipfile
from pathlib import Path

import pikepdf
import pytest

from office_node.library.formats import FileFormat, NotADocument
from office_node.library.inspection import Inspector
from tests.library.inspection.packages import (
    CORE,
    INDEX,
    MAX_UNPACKED_BYTES,
    PDF,
    PNG,
    ST26,
    archive,
    findings,
    member,
    sealed,
)
from tests.office import pdf


def inspect(folder: Path, content: bytes) -> FileFormat:
    return Inspector(max_unpacked_bytes=MAX_UNPACKED_BYTES).inspect(sealed(folder, content))


def zipped(**files: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        target.mkdir("supplementary")
        for name, content in files.items():
            target.writestr(name, content)
    return made.getvalue()


def written_by_qpdf(**options: bool | pikepdf.ObjectStreamMode) -> bytes:
    made = io.BytesIO()
    with pikepdf.open(io.BytesIO(PDF)) as document:
        document.save(made, **options)  # type: ignore[arg-type]
    return made.getvalue()


def test_a_pdf_is_taken(tmp_path: Path) -> None:
    assert inspect(tmp_path, PDF) is FileFormat.PDF


@pytest.mark.parametrize(
    "options", [{"object_stream_mode": pikepdf.ObjectStreamMode.generate}, {"linearize": True}, {"qdf": True}], ids=str
)
def test_a_pdf_of_another_build_is_taken(tmp_path: Path, options: dict[str, bool]) -> None:
    assert inspect(tmp_path, written_by_qpdf(**options)) is FileFormat.PDF


def test_a_sequence_listing_beside_its_pdf_is_taken_though_its_dtd_is_nowhere(tmp_path: Path) -> None:
    assert inspect(tmp_path, zipped(**{"US98012357.pdf": PDF, "US98012357.xml": ST26})) is FileFormat.ZIP


def test_a_package_of_index_core_pdf_and_drawings_is_taken(tmp_path: Path) -> None:
    files = {"index.xml": INDEX, "mandatory/core.pdf": PDF, "supplementary/drawing 1.png": PNG, "図面.png": PNG}
    assert inspect(tmp_path, zipped(**files)) is FileFormat.ZIP


def test_a_zip_written_to_a_pipe_is_taken_though_its_headers_come_before_the_sizes(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as pipe, zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("core.pdf", PDF)
        target.writestr("index.xml", INDEX)
    with os.fdopen(reading, "rb") as written:
        assert inspect(tmp_path, written.read()) is FileFormat.ZIP


def test_a_zip_within_the_zip_is_data_and_is_not_unpacked(tmp_path: Path) -> None:
    bad = archive(member("../up", b""))
    assert inspect(tmp_path, zipped(**{"core.pdf": PDF, "inner.zip": bad})) is FileFormat.ZIP


def test_xml_in_other_encodings_is_taken(tmp_path: Path) -> None:
    xml = '<?xml version="1.0" encoding="UTF-16"?><a>é</a>'.encode("utf-16")
    latin = '<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>'.encode("latin-1")
    assert findings(tmp_path, archive(CORE, member("a.xml", xml), member("b.xml", latin))) == []


def test_a_large_pdf_within_is_taken_and_its_folder_is_clean_afterwards(tmp_path: Path) -> None:
    large = member("core.pdf", pdf(20_000_000), zipfile.ZIP_STORED)
    assert findings(tmp_path, archive(large)) == []
    assert [path.name for path in tmp_path.iterdir()] == ["package"]


def test_what_is_neither_is_refused_before_any_process_is_asked(tmp_path: Path) -> None:
    with pytest.raises(NotADocument, match="N303 neither a PDF nor a ZIP"):
        inspect(tmp_path, b"plain text")
