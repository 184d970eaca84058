"""A document is taken in once for each content it ever has, and nothing that is refused leaves a trace."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest

from office_node import clock
from office_node.document_id import DocumentKind, PriorityDocumentId
from office_node.library.access_codes import BadAccessCode
from office_node.library.accession import DocumentDiffers, Outcome
from office_node.library.damage import StoreUnusable
from office_node.library.filing_dates import DateAhead
from office_node.library.formats import FileFormat, NotADocument
from office_node.library.incoming import FileTooLarge
from office_node.wiring.node import Node, build_node
from tests import command_line
from tests.conftest import MakeOffice
from tests.databases import on_sqlite
from tests.library.documents import (
    CODE,
    DOCUMENT,
    add,
    arguments,
    incoming,
    kept_files,
    sha256,
    state,
    zipped,
)
from tests.office import Office, pdf, pdf_of


def test_a_document_is_kept_byte_for_byte_with_its_digest(office: Office, node: Node) -> None:
    content = pdf(3_000_000)
    outcome, entry = add(node, content)
    assert outcome is Outcome.ADDED
    assert entry.document == DOCUMENT
    assert (entry.current.version, entry.current.sha256, entry.current.size) == (1, sha256(content), len(content))
    assert entry.current.file_format is FileFormat.PDF
    assert kept_files(office) == {entry.current.version_id: content}
    assert incoming(office) == []
    assert node.library.find(DOCUMENT.kind, DOCUMENT.number) == entry
    with node.library.open(entry.current) as file:
        assert file.read() == content


def test_the_same_bytes_again_change_nothing(office: Office, node: Node) -> None:
    content = pdf(1000)
    _, first = add(node, content)
    before = state(office, node)
    outcome, again = add(node, content)
    assert outcome is Outcome.UNCHANGED
    assert again == first
    assert state(office, node) == before


def test_other_bytes_become_a_new_version_and_the_old_one_stays(office: Office, node: Node) -> None:
    old, new = pdf(1000), zipped(**{"document.pdf": pdf(500)})
    _, first = add(node, old)
    outcome, second = add(node, new)
    assert outcome is Outcome.NEW_VERSION
    assert (second.current.version, second.current.sha256) == (2, sha256(new))
    assert second.current.file_format is FileFormat.ZIP
    assert node.library.find(DOCUMENT.kind, DOCUMENT.number) == second
    assert kept_files(office) == {first.current.version_id: old, second.current.version_id: new}
    assert node.library.version(first.current.version_id) == first.current


def test_the_bytes_of_an_older_version_become_the_current_ones_again(node: Node) -> None:
    old, new = pdf(1000), pdf(1000)
    add(node, old)
    add(node, new)
    outcome, third = add(node, old)
    assert outcome is Outcome.NEW_VERSION
    assert (third.current.version, third.current.sha256) == (3, sha256(old))


def test_the_same_number_of_another_kind_is_another_document(office: Office, node: Node) -> None:
    design = PriorityDocumentId(DocumentKind.DESIGN, DOCUMENT.number, DOCUMENT.date)
    content = pdf(1000)
    assert add(node, content)[0] is Outcome.ADDED
    assert add(node, content, design, "AAAA")[0] is Outcome.ADDED
    assert len(kept_files(office)) == 2


@pytest.mark.parametrize("same_bytes", [True, False], ids=["same bytes", "other bytes"])
@pytest.mark.parametrize(
    ("document", "access_code", "said"),
    [
        (
            PriorityDocumentId(DOCUMENT.kind, DOCUMENT.number, DOCUMENT.date.replace(day=3)),
            CODE,
            "not the date 2023-11-03",
        ),
        (DOCUMENT, "QX7Y", "is kept with another access code"),
    ],
    ids=["date", "access code"],
)
def test_another_date_or_access_code_is_refused_and_nothing_changes(
    office: Office, node: Node, document: PriorityDocumentId, access_code: str, said: str, same_bytes: bool
) -> None:
    content = pdf(1000)
    add(node, content)
    before = state(office, node)
    with pytest.raises(DocumentDiffers, match=f"N307 patent US 98/012,357 of 2023-11-02 .*{said}") as caught:
        add(node, content if same_bytes else pdf(1000), document, access_code)
    assert state(office, node) == before
    assert not [code for code in (CODE, "QX7Y") if code in str(caught.value)]


def test_a_date_that_has_not_come_is_refused_before_a_byte_is_read(office: Office, node: Node) -> None:
    before, source = state(office, node), BytesIO(pdf(1000))
    ahead = PriorityDocumentId(DOCUMENT.kind, DOCUMENT.number, clock.now().date() + timedelta(days=2))
    with pytest.raises(DateAhead, match=r"N319 the filing date .* has not come yet"):
        node.accession.add(source, ahead, CODE)
    assert (source.tell(), state(office, node)) == (0, before)
    assert node.accession.add(source, replace(ahead, date=clock.now().date()), CODE)[0] is Outcome.ADDED


def test_the_access_code_in_other_case_is_the_same_code(node: Node) -> None:
    content = pdf(1000)
    add(node, content)
    assert add(node, content, access_code=CODE.lower())[0] is Outcome.UNCHANGED


@on_sqlite
@pytest.mark.parametrize("access_code", ["", "AB2", "AB211", "AB 1", "AB2\n", "ÄB21", "AB2\u0663", "AB21\x00"])
def test_what_is_no_access_code_is_refused_before_a_byte_is_read(office: Office, node: Node, access_code: str) -> None:
    source = BytesIO(pdf(1000))
    before = state(office, node)
    with pytest.raises(BadAccessCode, match="N301 an access code has four letters or digits; hint: "):
        node.accession.add(source, DOCUMENT, access_code)
    assert source.tell() == 0
    assert state(office, node) == before


@on_sqlite
@pytest.mark.parametrize(
    "content",
    [b"", b"plain text", pdf(1000)[:-8], zipped(a=pdf(1000))[:-30]],
    ids=["empty", "text", "cut off pdf", "cut off zip"],
)
def test_what_is_no_document_leaves_no_trace(office: Office, node: Node, content: bytes) -> None:
    before = state(office, node)
    with pytest.raises(NotADocument, match="N303"):
        add(node, content)
    assert state(office, node) == before


@pytest.fixture
def small(new_office: MakeOffice) -> Office:
    """An office that takes documents of at most 2048 bytes."""
    office = new_office(overrides={"library": {"max_document_bytes": 2048}})
    office.upgrade()
    return office


def test_a_document_of_the_largest_size_is_taken_and_one_more_byte_is_not(small: Office) -> None:
    node = build_node(small.settings())
    largest = pdf_of(2048)
    assert len(largest) == 2048
    assert add(node, largest)[0] is Outcome.ADDED
    before = state(small, node)
    with pytest.raises(FileTooLarge, match="N305 the file has more than 2048 bytes"):
        add(node, pdf_of(2049))
    assert state(small, node) == before
    node.database.close()


@on_sqlite
def test_a_source_without_end_is_not_read_past_the_limit(small: Office) -> None:
    node = build_node(small.settings())
    with Path("/dev/zero").open("rb") as endless, pytest.raises(FileTooLarge):
        node.accession.add(endless, DOCUMENT, CODE)
    assert incoming(small) == []
    node.database.close()


@on_sqlite
@pytest.mark.parametrize("spoil", [lambda path: path.write_text(""), lambda path: path.symlink_to("/dev/null")])
def test_a_folder_that_fails_is_told_by_name(office: Office, node: Node, spoil: Callable[[Path], object]) -> None:
    store = office.settings().library.store
    spoil(store)
    with pytest.raises(StoreUnusable, match=f"N304 the library's folder {store}/incoming failed: "):
        add(node, pdf(1000))
    assert node.library.find(DOCUMENT.kind, DOCUMENT.number) is None


@on_sqlite
def test_the_command_says_what_it_did_and_takes_variants_of_the_number(office: Office, node: Node) -> None:
    file = office.folder / "document.pdf"
    file.write_bytes(content := pdf(1000))

    def added(number: str) -> str:
        ran = command_line.run(office.settings_file, *arguments(file, number=number))
        assert (ran.exit_code, ran.stderr) == (0, "")
        return ran.stdout

    line = "patent US 98/012,357 of 2023-11-02, version 1, "
    line += f"{len(content)} bytes pdf, sha256 {sha256(content)}, confidential\n"
    assert added("US 98/012,357") == f"added: {line}"
    for variant in ("US98/012,357", "us 98/012,357", "  us   98/012,357 "):
        assert added(variant) == f"unchanged: {line}"
    assert len(kept_files(office)) == 1
