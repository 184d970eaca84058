"""A kill between a file's name and its row leaves a file that nobody misses: it goes, and nothing else does."""

from datetime import timedelta
from pathlib import Path

import pytest
import time_machine

from office_node import clock
from office_node.library import keepings
from office_node.library.damage import StoreUnusable
from office_node.library.keepings import LEFT_BEHIND_AFTER
from office_node.wiring.node import Node
from tests.library.documents import DOCUMENT, add, kept_files
from tests.office import WANTED, Office, pdf

SOON, LATER = timedelta(minutes=1), LEFT_BEHIND_AFTER + timedelta(minutes=1)


def killed_at(office: Office, step: str, folder: Path) -> None:
    """`library add`, killed with -9 at the step."""
    file = folder / "paper.pdf"
    file.write_bytes(pdf(2000))
    named = ["--kind", "patent", "--number", WANTED.number, "--date", WANTED.date, "--access-code", "AB21"]
    assert office.run("library", "add", str(file), *named, OFFICE_NODE_CRASH_AT=step).returncode == -9


@pytest.mark.parametrize(("step", "files"), [("accession: noted, not kept", 0), ("accession: kept, not catalogued", 1)])
def test_row_05_what_a_kill_left_is_cleared_away_and_the_document_can_be_given_again(
    office: Office, node: Node, tmp_path: Path, step: str, files: int
) -> None:
    killed_at(office, step, tmp_path)
    assert len(kept_files(office)) == files
    assert node.library.find(DOCUMENT.kind, DOCUMENT.number) is None
    assert [*node.verification.findings()] == [], "it is known as what it is"
    with time_machine.travel(clock.now() + SOON, tick=False):
        assert node.leftovers.remove() == 0, "its intake may still be under way"
    with time_machine.travel(clock.now() + LATER, tick=False):
        assert node.leftovers.remove() == 1
        assert node.leftovers.remove() == 0
    assert kept_files(office) == {}
    add(node, pdf(2000))
    assert len(kept_files(office)) == 1


def test_what_has_a_row_is_never_touched(office: Office, node: Node) -> None:
    add(node, pdf(2000))
    add(node, pdf(2000))  # another version
    with time_machine.travel(clock.now() + LATER, tick=False):
        assert node.leftovers.remove() == 0
    assert len(kept_files(office)) == 2
    assert [*node.verification.findings()] == []


def test_a_slow_intake_whose_file_was_cleared_away_writes_no_row(node: Node) -> None:
    with node.database.transaction() as session:
        keepings.begin(session, "ab" * 16)
    with time_machine.travel(clock.now() + LATER, tick=False):
        assert node.leftovers.remove() == 1
    with pytest.raises(StoreUnusable, match="give it again"), node.database.transaction() as session:
        keepings.end(session, "ab" * 16)


def test_a_file_that_no_intake_noted_stays_for_a_human(office: Office, node: Node) -> None:
    add(node, pdf(2000))
    [path] = office.settings().library.store.glob("??/*")
    stray = path.with_name(path.name[:2] + "0" * 30)
    stray.write_bytes(b"whose?")
    with time_machine.travel(clock.now() + LATER, tick=False):
        assert node.leftovers.remove() == 0
    [found] = node.verification.findings()
    assert (found.number, found.version_id) == ("N314", stray.name)
