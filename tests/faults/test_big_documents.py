"""Big documents on lines that are cut: registered and served through transit, with flat memory and their digest."""

import hashlib
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from office_node.rehearsal.operator import Wanted
from office_node.rehearsal.papers import write_pdf
from tests.conftest import MakeOffice
from tests.databases import on_sqlite
from tests.faults.memory import Watch, watched
from tests.office import Office, eventually

pytestmark = pytest.mark.fault

MOST_GROWTH = 50 << 20
SIZES = [
    pytest.param(100 << 20, 4, id="100 MiB, cut 4 times"),
    pytest.param(2 << 30, 20, id="2 GiB, cut 20 times", marks=[pytest.mark.long, pytest.mark.timeout(1800)]),
]
SMALL = Wanted("patent", "US 98/000,001", "2023-11-02", "AB21")
BIG = Wanted("patent", "US 98/000,002", "2023-11-02", "AB21")
QUICK = {"outbox": {"first_retry_seconds": 0.05}}


@pytest.fixture
def running(new_office: MakeOffice) -> Office:
    office = new_office({**QUICK, "off": {"big_document_bytes": 500_000}})
    office.start_central()
    office.start_web("serve")
    return office


@on_sqlite
@pytest.mark.parametrize(("size", "cuts"), SIZES)
def test_row_35_a_big_document_is_registered_though_the_line_is_cut(
    running: Office, size: int, cuts: int, record_property: Callable[[str, object], None]
) -> None:
    def register(wanted: Wanted, file: Path) -> None:
        _take(running, "registrations", "submit", wanted, file, "--content", "wipo", "--wait", "1500")

    small, big = _compared(running, size, cuts, register)
    [registered] = [entry for entry in running.ledger("registered") if entry["key"] == f"patent {BIG.number}"]
    assert (registered["times"], registered["sha256"]) == (1, _digest(running.folder / "big.pdf"))
    grown = big.growth_since(small)
    record_property("grown", grown)
    assert {role: growth for role, growth in grown.items() if growth > MOST_GROWTH} == {}
    assert {"serve", "web", "worker", "inspection"} <= grown.keys(), "every process was watched"
    assert "registrations submit" in grown


@on_sqlite
@pytest.mark.parametrize(("size", "cuts"), SIZES)
def test_row_35_a_big_document_is_served_through_transit_though_the_line_is_cut(
    running: Office, size: int, cuts: int, record_property: Callable[[str, object], None]
) -> None:
    def serve(wanted: Wanted, file: Path) -> None:
        _take(running, "library", "add", wanted, file)
        acknowledgement_id = running.forward(wanted)
        eventually(lambda: acknowledgement_id in running.downloaded(), seconds=1500)

    small, big = _compared(running, size, cuts, serve)
    entries = {entry["sha256"]: entry for entry in running.ledger("downloaded")}
    assert entries[_digest(running.folder / "big.pdf")]["through"] == "transit"
    grown = big.growth_since(small)
    record_property("grown", grown)
    assert {role: growth for role, growth in grown.items() if growth > MOST_GROWTH} == {}
    assert {"serve", "web", "worker", "inspection"} <= grown.keys(), "every process was watched"


def _compared(office: Office, size: int, cuts: int, work: Callable[[Wanted, Path], None]) -> tuple[Watch, Watch]:
    """The memory for a document of 1 MB, and for the big one, whose upload is cut again and again."""
    small, big = office.folder / "small.pdf", office.folder / "big.pdf"
    write_pdf(small, ["small"], 1_000_000)
    write_pdf(big, ["big"], size)
    with watched() as memory_for_small:
        work(SMALL, small)
    places = random.Random(7)
    office.script_central(*({"place": "uploads", "cut_after_bytes": places.randrange(size)} for _ in range(cuts)))
    with watched() as memory_for_big:
        work(BIG, big)
    postponed = [line for line in office.log_lines() if line["event"] == "message postponed"]
    assert len([line for line in postponed if line["kind"] == "send_content"]) == cuts
    return memory_for_small, memory_for_big


def _take(office: Office, noun: str, verb: str, wanted: Wanted, file: Path, *options: str) -> None:
    named = ("--kind", wanted.kind, "--number", wanted.number, "--date", wanted.date)
    code = ("--access-code", wanted.access_code)
    done = office.run(noun, verb, str(file), *named, *code, *options, seconds=1600)
    assert done.returncode == 0, done.stdout + done.stderr


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
