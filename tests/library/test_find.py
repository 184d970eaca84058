"""`library find` finds a document by every way of writing its number that the office accepts."""

import json
from datetime import date

import pytest

from office_node.das.number_formats import document_id
from office_node.document_id import DocumentKind
from office_node.wiring.node import Node
from tests import command_line
from tests.databases import on_sqlite
from tests.library.documents import DOCUMENT, OTHER_DOCUMENT, add, sha256
from tests.office import Office, pdf

KEPT = [
    DOCUMENT,
    OTHER_DOCUMENT,
    document_id(DocumentKind.DESIGN, "US 29/010,907", date(2024, 1, 5)),
    document_id(DocumentKind.PATENT, "FR 1909731", date(2019, 9, 4)),
    document_id(DocumentKind.PATENT, "PCT/US2021/057271", date(2021, 8, 6)),
    document_id(DocumentKind.UTILITY_MODEL, "CZ 2025-42519 U", date(2025, 2, 3)),
    document_id(DocumentKind.PATENT, "XX 2020/A-1", date(2020, 2, 29)),
]


@pytest.fixture
def stocked(office: Office, node: Node) -> Office:
    """An office that keeps `KEPT`, each in one version."""
    for document in KEPT:
        add(node, pdf(100), document)
    return office


def find(office: Office, *arguments: str) -> list[str]:
    """The numbers found."""
    ran = command_line.run(office.settings_file, "library", "find", "--json", *arguments)
    found = [entry["number"] for entry in json.loads(ran.stdout)]
    assert ran.exit_code == (0 if found else 1)
    return found


@on_sqlite
@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("US 98/012,357", "US 98/012,357"),
        ("US98/012,357", "US 98/012,357"),
        ("us98/012,357", "US 98/012,357"),
        ("  us   98/012,357\t", "US 98/012,357"),
        ("fr 1909731", "FR FR1909731"),
        ("FRFR1909731", "FR FR1909731"),
        ("FR FR 1909731", "FR FR1909731"),
        ("pctus2021057271", "PCT/US2021/057271"),
        ("CZ202542519U", "CZ 2025-42519 U"),
        ("xx 2020/a-1", "XX 2020/A-1"),
    ],
)
def test_a_document_is_found_by_any_variant_of_its_number(stocked: Office, written: str, number: str) -> None:
    assert find(stocked, "--number", written) == [number]


@on_sqlite
@pytest.mark.parametrize(
    "written", ["US 98/012,359", "US 98012357", "98/012,357", "XX 2020/A-2", "", "%", "US 98/012,35_"]
)
def test_what_is_not_kept_is_told_with_a_hint_and_exit_code_1(stocked: Office, written: str) -> None:
    assert find(stocked, "--number", written) == []
    ran = command_line.run(stocked.settings_file, "library", "find", "--number", written)
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert ran.stderr == (
        "N309 no such document; hint: check kind and number;"
        " `office-node library find` alone lists everything that is kept\n"
    )


@on_sqlite
def test_without_a_number_everything_is_listed_or_everything_of_one_kind(stocked: Office) -> None:
    assert sorted(find(stocked)) == sorted(document.number for document in KEPT)
    assert find(stocked, "--kind", "design") == ["US 29/010,907"]
    assert find(stocked, "--kind", "utility model") == ["CZ 2025-42519 U"]
    assert find(stocked, "--kind", "trademark") == []
    assert find(stocked, "--kind", "design", "--number", DOCUMENT.number) == []


def test_a_document_is_shown_once_with_its_current_version(office: Office, node: Node) -> None:
    add(node, pdf(1000))
    content = pdf(2000)
    _, entry = add(node, content)
    shown = {
        "kind": "patent",
        "number": "US 98/012,357",
        "date": "2023-11-02",
        "version": 2,
        "format": "pdf",
        "bytes": len(content),
        "sha256": sha256(content),
        "class": "confidential",
        "encrypted": True,
        "stored_at": entry.current.stored_at.isoformat(timespec="seconds"),
        "withdrawn_at": None,
        "big_document_bytes": None,
    }
    ran = command_line.run(office.settings_file, "library", "find", "--number", "us98/012,357", "--json")
    assert json.loads(ran.stdout) == [shown]
    line = command_line.run(office.settings_file, "library", "find").stdout
    assert line == f"{DOCUMENT}, version 2, {len(content)} bytes pdf, sha256 {sha256(content)}, confidential\n"
