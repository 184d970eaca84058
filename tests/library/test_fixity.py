"""Every file is read again and again; what is damaged is out of service, told, noted, and can be brought back."""

import io
import random
import shutil
import threading
import time
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from office_node import clock
from office_node.library.accession import Outcome
from office_node.library.catalogue import Version
from office_node.library.damage import DocumentQuarantined
from office_node.library.fixity import Fixity
from office_node.library.formats import FileFormat
from office_node.library.records import VersionRecord
from office_node.wiring.node import Node, build_node
from tests import command_line
from tests.conftest import MakeOffice
from tests.databases import on_sqlite
from tests.library.damaging import damage
from tests.library.documents import CODE, DOCUMENT, add, kept_files, path_of
from tests.library.test_sealed_documents import numbered
from tests.office import Office, pdf

DOCUMENTS, DAMAGED = 130, 100
MONTH = timedelta(days=30)


def fixity(node: Node, bytes_per_second: float = 1e12) -> Fixity:
    return Fixity(database=node.database, library=node.library, every=MONTH, bytes_per_second=bytes_per_second)


def filled(node: Node, count: int) -> list[Version]:
    node.accession._inspect = lambda _at_rest: FileFormat.PDF
    sizes = random.Random(3)
    return [
        node.accession.add(io.BytesIO(sizes.randbytes(sizes.randint(1, 600_000))), numbered(n), CODE)[1].current
        for n in range(count)
    ]


def in_quarantine(node: Node) -> set[str]:
    with node.database.reading() as session:
        return set(session.scalars(select(VersionRecord.id).where(VersionRecord.quarantined_at.is_not(None))))


@on_sqlite
@pytest.mark.parametrize("encrypt", [["confidential", "highly_confidential"], []], ids=["sealed", "plain"])
def test_row_32_one_pass_finds_a_hundred_damages_and_nothing_else(new_office: MakeOffice, encrypt: list[str]) -> None:
    office = new_office(overrides={"library": {"encrypt": encrypt}})
    office.upgrade()
    node = build_node(office.settings())
    versions = filled(node, DOCUMENTS)
    paths = [path_of(office, version.version_id) for version in versions]
    spoilt = damage(paths, DAMAGED, random.Random(11))
    assert len(spoilt) == DAMAGED
    with time_machine.travel(clock.now() + MONTH, tick=True):
        assert fixity(node).run() == DOCUMENTS
        assert fixity(node).run() == 0
    assert in_quarantine(node) == spoilt
    for version in versions:
        present = node.library.version(version.version_id)
        if version.version_id in spoilt:
            with pytest.raises(DocumentQuarantined, match="N344"):
                node.library.open(present)
        else:
            node.library.open(present).close()
    steps = [entry.step for n in range(DOCUMENTS) for entry in node.timeline.histories.of([numbered(n).number]).entries]
    assert steps.count("found damaged and taken out of service") == DAMAGED
    node.database.close()


@on_sqlite
def test_a_file_is_read_in_time_and_not_before(office: Office, node: Node) -> None:
    add(node, pdf(1000))
    with time_machine.travel(clock.now() + MONTH * 0.8, tick=False):
        assert fixity(node).run() == 0
    with time_machine.travel(clock.now() + MONTH, tick=False):
        assert fixity(node).run() == 1
        assert fixity(node).run() == 0


@on_sqlite
def test_a_document_from_before_the_checks_is_read_first(office: Office, node: Node) -> None:
    _, entry = add(node, pdf(1000))
    with node.database.transaction() as session:
        session.execute(update(VersionRecord).values(checked_at=None))
    assert fixity(node).run() == 1
    with node.database.reading() as session:
        assert session.get_one(VersionRecord, entry.current.version_id).checked_at


@on_sqlite
def test_what_cannot_be_read_keeps_nothing_else_from_being_read(
    office: Office, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("office_node.library.fixity._MOST_UNREAD", 2)
    versions = filled(node, 8)
    keyless = VersionRecord.id.in_([version.version_id for version in versions[:5]])
    with node.database.transaction() as session:
        session.execute(update(VersionRecord).where(keyless).values(wrapped_key="a key that does not open"))
    with time_machine.travel(clock.now() + MONTH, tick=False):
        reading = fixity(node)
        read = [reading.run() for _ in range(6)]
    assert sum(read) == 3, "each run goes on behind what could not be read, until all was tried"
    with node.database.reading() as session:
        assert session.scalars(select(VersionRecord.id).where(VersionRecord.quarantined_at.is_not(None))).all() == []


@on_sqlite
def test_the_budget_holds_and_a_stop_is_heard(office: Office, node: Node) -> None:
    filled(node, 8)
    with time_machine.travel(clock.now() + MONTH, tick=True):
        slow = fixity(node, bytes_per_second=1000)
        running = threading.Thread(target=slow.run)
        running.start()
        time.sleep(0.5)
        assert running.is_alive()
        slow.stop()
        running.join(timeout=60)
        assert not running.is_alive()


@on_sqlite
def test_a_store_or_a_key_that_is_away_says_nothing_against_a_file(office: Office, node: Node) -> None:
    _, entry = add(node, pdf(1000))
    path = path_of(office, entry.current.version_id)
    aside = path.with_name("elsewhere")
    path.rename(aside)
    with time_machine.travel(clock.now() + MONTH, tick=False):
        assert fixity(node).run() == 0
        assert in_quarantine(node) == set()
        aside.rename(path)
        assert fixity(node).run() == 1


def spoil(office: Office, node: Node) -> tuple[bytes, Version]:
    content = pdf(300_000)
    _, entry = add(node, content)
    path = path_of(office, entry.current.version_id)
    shutil.copy(path, office.folder / "backup")
    damage([path], 1, random.Random(1))
    with time_machine.travel(clock.now() + MONTH, tick=False):
        fixity(node).run()
    return content, entry.current


@on_sqlite
def test_a_damaged_document_is_told_by_every_verb_that_is_asked(office: Office, node: Node) -> None:
    _, version = spoil(office, node)
    assert kept_files(office) == {}
    assert len([*(office.settings().library.store / "aside").iterdir()]) == 1
    verified = command_line.run(office.settings_file, "library", "verify")
    assert verified.stdout.startswith(
        f"N345 out of service: {version.version_id} ({DOCUMENT}); hint: take the document"
    )
    shown = command_line.run(office.settings_file, "timeline", "show", DOCUMENT.number).stdout
    assert "found damaged and taken out of service" in shown
    assert "open: version 1 is out of service since" in shown
    assert "next: the administrator, take the document in again" in shown


@on_sqlite
def test_taken_in_again_it_serves_again(office: Office, node: Node) -> None:
    content, _ = spoil(office, node)
    outcome, entry = add(node, content)
    assert (outcome, entry.current.version) == (Outcome.RESTORED, 2)
    with node.library.open(entry.current) as file:
        assert file.read() == content
    assert node.timeline.histories.of([DOCUMENT.number]).entries[-1].step == "restored after damage"
    assert node.timeline.histories.of([DOCUMENT.number]).open_matters == []
    assert add(node, content)[0] is Outcome.UNCHANGED


@on_sqlite
def test_with_its_file_from_the_backup_it_serves_again(office: Office, node: Node) -> None:
    content, version = spoil(office, node)
    store = office.settings().library.store
    shutil.copy(office.folder / "backup", store / version.version_id[:2] / version.version_id)
    assert fixity(node).run() == 0
    with node.library.open(node.library.version(version.version_id)) as file:
        assert file.read() == content
    assert in_quarantine(node) == set()
    assert node.timeline.histories.of([DOCUMENT.number]).entries[-1].step == "restored after damage"
