"""Intakes of one document at the same moment: each content is kept once, and the catalogue stays in order."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

from sqlalchemy import select

from office_node.document_id import PriorityDocumentId
from office_node.library.accession import DocumentDiffers, Outcome
from office_node.library.records import VersionRecord
from office_node.wiring.node import Node
from tests.library.documents import DOCUMENT, add, incoming, kept_files, sha256
from tests.office import Office, pdf

AT_ONCE = 8


def _add_at_once(node: Node, contents: list[bytes], documents: list[PriorityDocumentId] | None = None) -> list[str]:
    """What came of each intake, all let go at one moment."""
    start = Barrier(len(contents))

    def intake(number: int) -> str:
        start.wait()
        try:
            return add(node, contents[number], documents[number] if documents else DOCUMENT)[0]
        except DocumentDiffers:
            return "differs"

    with ThreadPoolExecutor(len(contents)) as pool:
        return [*pool.map(intake, range(len(contents)))]


def _versions(node: Node) -> list[tuple[int, str]]:
    with node.database.reading() as session:
        rows = session.execute(select(VersionRecord.version, VersionRecord.sha256).order_by(VersionRecord.version))
        return [(version, digest) for version, digest in rows]


def test_the_same_bytes_at_once_are_added_once(office: Office, node: Node) -> None:
    content = pdf(50_000)
    outcomes = _add_at_once(node, [content] * AT_ONCE)
    assert Counter(outcomes) == {Outcome.ADDED: 1, Outcome.UNCHANGED: AT_ONCE - 1}
    assert _versions(node) == [(1, sha256(content))]
    assert [*kept_files(office).values()] == [content]
    assert incoming(office) == []
    assert [*node.verification.findings()] == []


def test_other_bytes_at_once_each_become_one_version(office: Office, node: Node) -> None:
    contents = [pdf(50_000) for _ in range(AT_ONCE)]
    outcomes = _add_at_once(node, contents)
    assert Counter(outcomes) == {Outcome.ADDED: 1, Outcome.NEW_VERSION: AT_ONCE - 1}
    versions = _versions(node)
    assert [version for version, _ in versions] == [*range(1, AT_ONCE + 1)]
    assert sorted(digest for _, digest in versions) == sorted(map(sha256, contents))
    assert sorted(kept_files(office).values()) == sorted(contents)
    entry = node.library.find(DOCUMENT.kind, DOCUMENT.number)
    assert entry
    assert (entry.current.version, entry.current.sha256) == versions[-1]
    assert [*node.verification.findings()] == []


def test_of_two_who_disagree_about_the_date_one_is_refused(office: Office, node: Node) -> None:
    content = pdf(50_000)
    other = PriorityDocumentId(DOCUMENT.kind, DOCUMENT.number, DOCUMENT.date + timedelta(days=1))
    outcomes = _add_at_once(node, [content] * 2, [DOCUMENT, other])
    assert sorted(outcomes) == ["added", "differs"]
    assert len(_versions(node)) == 1
    assert len(kept_files(office)) == 1
    assert [*node.verification.findings()] == []


def test_many_documents_at_once_are_all_kept(office: Office, node: Node) -> None:
    documents = [
        PriorityDocumentId(DOCUMENT.kind, f"US 98/012,{number:03}", DOCUMENT.date) for number in range(AT_ONCE)
    ]
    outcomes = _add_at_once(node, [pdf(50_000) for _ in documents], documents)
    assert outcomes == [Outcome.ADDED] * AT_ONCE
    assert [entry.document for entry in node.library.entries()] == documents
    assert len(kept_files(office)) == AT_ONCE
