"""Documents lie encrypted, and nothing else of them anywhere; what their key opens is read as if it lay there plain."""

import io
import secrets
import subprocess
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from office_node.das.number_formats import document_id
from office_node.document_id import DocumentKind, PriorityDocumentId
from office_node.library.accession import DocumentDiffers, Outcome
from office_node.library.classification import Classification
from office_node.library.inspection.overflow import Overflow
from office_node.library.sealing.storage_keys import StorageKeyMissing
from office_node.rehearsal import papers
from office_node.wiring.node import Node, build_node
from tests import command_line
from tests.conftest import MakeOffice
from tests.databases import on_sqlite
from tests.library.documents import CODE, DOCUMENT, add, kept_files, path_of
from tests.office import Office, pdf

MARKER = b"NOT YET PUBLISHED"
DOCUMENTS = 200


def numbered(count: int) -> PriorityDocumentId:
    return document_id(DocumentKind.PATENT, f"US 98/{count // 1000:03},{count % 1000:03}", date(2023, 11, 2))


def marked(count: int) -> bytes:
    """A PDF, or a ZIP with one so large that it does not fit into memory while it is looked at."""
    content = b"".join(papers.pdf([secrets.token_hex(8)], 3_000 + 40 * count)).replace(b"%PDF-1.4", b"%PDF-1.4", 1)
    content = content.replace(b"%%EOF", b"% " + MARKER + b"\n%%EOF")
    if count % 50:
        return content
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        big = b"".join(papers.pdf([secrets.token_hex(8)], 9_000_000)).replace(b"%%EOF", b"% " + MARKER + b"\n%%EOF")
        archive.writestr("core.pdf", big)
    return made.getvalue()


class Searched:
    """A source; when it has been read to its end, what has arrived lies there whole, and is searched."""

    def __init__(self, content: bytes, folder: Path) -> None:
        self._file = io.BytesIO(content)
        self._folder = folder

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        if not block:
            assert found_in(self._folder) == []
        return block


def found_in(folder: Path) -> list[str]:
    """Every file with the marker in it, read as grep reads."""
    told = subprocess.run(
        ["grep", "-rlaF", MARKER.decode(), str(folder)], capture_output=True, text=True, check=False, timeout=60
    )
    return told.stdout.splitlines()


@on_sqlite
def test_marker_bytes_of_sealed_documents_are_nowhere_on_the_disk(office: Office, node: Node) -> None:
    contents = {numbered(count): marked(count) for count in range(DOCUMENTS)}

    def take_in(document: PriorityDocumentId) -> Outcome:
        source = Searched(contents[document], office.folder)
        return node.accession.add(source, document, CODE)[0]  # type: ignore[arg-type]

    with ThreadPoolExecutor(2) as pool:
        assert {*pool.map(take_in, contents)} == {Outcome.ADDED}
    assert (office.folder / "var" / "office.db-wal").stat().st_size > 0
    assert found_in(office.folder) == []
    assert sorted(kept_files(office).values()) == sorted(contents.values())


@on_sqlite
def test_the_search_finds_what_is_kept_plain(new_office: MakeOffice) -> None:
    office = new_office(overrides={"library": {"encrypt": []}})
    office.upgrade()
    node = build_node(office.settings())
    _, entry = add(node, marked(1))
    node.database.close()
    assert found_in(office.folder) == [str(path_of(office, entry.current.version_id))]
    assert not entry.current.is_sealed


def test_what_overflows_while_it_is_looked_at_is_sealed_and_has_no_name(tmp_path: Path) -> None:
    overflow = Overflow(tmp_path)
    blocks = [secrets.token_bytes(1 << 20) for _ in range(10)]
    for block in blocks:
        overflow.write(block)
    assert [*tmp_path.iterdir()] == []
    assert overflow.file().read() == b"".join(blocks)
    on_disk = overflow._on_disk
    assert on_disk
    on_disk.seek(0)
    lies_there = on_disk.read()
    assert len(lies_there) > sum(map(len, blocks))
    assert not any(block[:32] in lies_there for block in blocks)
    overflow.close()


@pytest.fixture
def of_two_minds(new_office: MakeOffice) -> Iterator[tuple[Office, Node]]:
    """An office whose disks are encrypted: it seals only what is highly confidential."""
    office = new_office(overrides={"library": {"encrypt": ["highly_confidential"]}})
    office.upgrade()
    node = build_node(office.settings())
    yield office, node
    node.database.close()


@on_sqlite
def test_each_class_is_sealed_or_not_as_the_settings_say(of_two_minds: tuple[Office, Node]) -> None:
    _, node = of_two_minds
    high = Classification.HIGHLY_CONFIDENTIAL
    _, usual = node.accession.add(io.BytesIO(pdf(1000)), numbered(1), CODE)
    _, secret = node.accession.add(io.BytesIO(content := pdf(1000)), numbered(2), CODE, classification=high)
    assert (usual.classification, usual.current.is_sealed) == (Classification.CONFIDENTIAL, False)
    assert (secret.classification, secret.current.is_sealed) == (high, True)
    assert node.library.place(usual.current)
    assert node.library.place(secret.current) is None
    # Without its class again: it stays what it is.
    assert node.accession.add(io.BytesIO(content), numbered(2), CODE)[0] is Outcome.UNCHANGED
    _, again = node.accession.add(io.BytesIO(pdf(1000)), numbered(2), CODE)
    assert (again.current.version, again.classification, again.current.is_sealed) == (2, high, True)
    with pytest.raises(DocumentDiffers, match=r"N307 .* is kept as highly_confidential"):
        node.accession.add(io.BytesIO(pdf(1000)), numbered(2), CODE, classification=Classification.CONFIDENTIAL)


@on_sqlite
def test_a_machine_with_the_public_half_takes_in_what_only_the_private_one_reads(office: Office) -> None:
    key = office.settings().library.storage_key_file
    private = key.read_bytes()
    public = subprocess.run(
        ["openssl", "ec", "-in", str(key), "-pubout"], capture_output=True, check=True, timeout=20
    ).stdout
    key.write_bytes(public)
    counter = build_node(office.settings())
    _, entry = add(counter, content := pdf(300_000))
    with pytest.raises(StorageKeyMissing, match="N342"):
        counter.library.open(entry.current)
    counter.database.close()

    key.write_bytes(private)
    node = build_node(office.settings())
    with node.library.open(entry.current) as file:
        assert file.read() == content
    node.database.close()


@on_sqlite
def test_a_lost_storage_key_is_told_and_never_followed_by_a_new_one(office: Office, node: Node) -> None:
    _, entry = add(node, pdf(1000))
    office.settings().library.storage_key_file.unlink()
    generated = command_line.run(office.settings_file, "keys", "generate")
    assert generated.exit_code == 1
    assert "lost, and documents in" in generated.stderr
    assert not office.settings().library.storage_key_file.exists()

    other = node.settings.library.storage_key_file
    subprocess.run(
        ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(other)], check=True, timeout=20
    )
    other.chmod(0o600)
    verified = command_line.run(office.settings_file, "library", "verify")
    assert verified.exit_code == 1
    assert verified.stdout.startswith(f"N343 key missing: {entry.current.version_id} ({DOCUMENT}); hint: restore")
