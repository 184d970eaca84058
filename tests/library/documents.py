"""Documents to take in, and what the library holds of them."""

import hashlib
import io
import zipfile
from datetime import date
from io import BytesIO
from pathlib import Path

from sqlalchemy import text

from office_node.das.number_formats import document_id
from office_node.document_id import DocumentKind, PriorityDocumentId
from office_node.library.accession import Outcome
from office_node.library.catalogue import CatalogueEntry
from office_node.library.damage import DocumentDamaged, FileMissing
from office_node.wiring.node import Node, build_node
from tests.office import Office

CODE = "QX7Z"
"""Letters that no hexadecimal number has, so that a search for them finds nothing by chance."""
DOCUMENT = document_id(DocumentKind.PATENT, "US 98/012,357", date(2023, 11, 2))
OTHER_DOCUMENT = document_id(DocumentKind.PATENT, "US 98/012,358", date(2023, 11, 3))


def add(
    node: Node, content: bytes, document: PriorityDocumentId = DOCUMENT, access_code: str = CODE
) -> tuple[Outcome, CatalogueEntry]:
    return node.accession.add(BytesIO(content), document, access_code)


def arguments(file: Path, *, number: str = DOCUMENT.number, date: str = "2023-11-02", code: str = CODE) -> list[str]:
    """`library add` of a file on the command line."""
    names = ["--kind", "patent", "--number", number, "--date", date, "--access-code", code]
    return ["library", "add", str(file), *names]


def zipped(**files: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def kept_files(office: Office) -> dict[str, bytes]:
    """What every file that the library shows reads as, by name; its bytes as they lie there where it has no row."""
    paths = [*_store(office).glob("[0-9a-f][0-9a-f]/*")]
    if not paths:
        return {}
    node = build_node(office.settings())
    try:
        return {path.name: _content(node, path) for path in paths}
    finally:
        node.database.close()


def path_of(office: Office, version_id: str) -> Path:
    [path] = _store(office).glob(f"*/{version_id}")
    return path


def incoming(office: Office) -> list[Path]:
    """What has arrived and is not kept."""
    return [*(_store(office) / "incoming").glob("*")]


def state(office: Office, node: Node) -> tuple[object, ...]:
    """Every row of the catalogue and every file, so that two moments can be compared."""
    with node.database.reading() as session:
        rows = [
            [tuple(row) for row in session.execute(text(f"SELECT * FROM {table} ORDER BY id"))]
            for table in ("documents", "document_versions")
        ]
    return (*rows, kept_files(office), incoming(office))


def _content(node: Node, path: Path) -> bytes:
    try:
        with node.library.open(node.library.version(path.name)) as file:
            return file.read()
    except (FileMissing, DocumentDamaged):
        return path.read_bytes()


def _store(office: Office) -> Path:
    return office.settings().library.store
