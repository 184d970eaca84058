"""Findings are few enough to read, harmless to show, and each number stands in the documents."""

from pathlib import Path

import pytest

from office_node.library.inspection import UnsoundPackage
from office_node.library.inspection.findings import Kind, escaped
from office_node.library.inspection.inspector import Inspector
from tests.library.inspection.packages import CORE, archive, findings, member, sealed
from tests.office import ROOT

PAGE = (ROOT / "docs" / "packages.md").read_text()


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.name)
def test_every_number_stands_in_the_documents_with_what_it_means_and_what_to_do(kind: Kind) -> None:
    assert f"| {kind.number} | {kind.title} | {kind.hint} |\n" in PAGE


def test_the_documents_tell_of_no_other_number() -> None:
    told = [line.split("|")[1].strip() for line in PAGE.splitlines() if line.startswith("| N")]
    assert told == [kind.number for kind in Kind]


def test_past_the_hundredth_findings_are_counted_only(tmp_path: Path) -> None:
    package = sealed(tmp_path, archive(CORE, *(member(f"../{n}") for n in range(5000))))
    with pytest.raises(
        UnsoundPackage, match="N320 the package is not sound: 5000 findings, the first 100 of them;"
    ) as caught:
        Inspector(max_unpacked_bytes=1 << 20).inspect(package)
    assert len(caught.value.findings) == 100


def test_a_hostile_name_is_quoted_harmlessly_and_shortened(tmp_path: Path) -> None:
    name = "a`\x1b[31m\r\n\u202e" + "x" * 60_000 + "/../end"
    for found in findings(tmp_path, archive(CORE, member(name))):
        assert found.startswith(r"N328 entry `a\x60\x1b[31m\x0d\x0a\u202exx")
        assert "/../end`" in found
        assert len(found) < 250
        assert found.isprintable()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("図面.png", "図面.png"),
        ("\udcff", r"\udcff"),
        ("\U000e0001" * 100, r"\U000e0001" * 16 + "..."),
        ("\x7f", r"\x7f"),
    ],
)
def test_names_are_shown_as_they_are_where_they_can_be(name: str, shown: str) -> None:
    assert escaped(name) == shown
