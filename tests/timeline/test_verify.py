"""Whatever is done to the timeline behind the node's back is found."""

import random
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from office_node.auth import keys
from office_node.timeline import chain
from office_node.timeline.chain import BEFORE_THE_FIRST
from office_node.timeline.noting import note
from office_node.timeline.records import TimelineRecord
from office_node.timeline.said import read_said
from office_node.timeline.steps import Step
from office_node.timeline.verification import Finding
from office_node.wiring.node import Node, build_node
from tests import command_line
from tests.databases import on_sqlite
from tests.office import Office
from tests.timeline.noted import checkpoint, fill

EDITS = 500
ENTRIES, TAIL = 120, 12
"""All but a tail stand under checkpoints."""
COLUMNS = ("at", "step", "kind", "number", "subject", "said", "digest")
Edit = Callable[[sqlite3.Connection, random.Random], None]


def spoilt(text: str | None, rng: random.Random) -> str:
    """The same with one letter changed, added or taken away."""
    if not text:
        return "x"
    at = rng.randrange(len(text))
    other = rng.choice([letter for letter in 'abc019{}"' if letter != text[at]])
    return rng.choice([text[:at] + other + text[at + 1 :], text[:at] + other + text[at:], text[:at] + text[at + 1 :]])


def flip(database: sqlite3.Connection, rng: random.Random) -> None:
    sequence, column = rng.randint(1, ENTRIES + TAIL), rng.choice(COLUMNS)
    [before] = database.execute(f"SELECT {column} FROM timeline WHERE sequence = ?", [sequence]).fetchone()
    database.execute(f"UPDATE timeline SET {column} = ? WHERE sequence = ?", [spoilt(before, rng), sequence])


def flip_checkpoint(database: sqlite3.Connection, rng: random.Random) -> None:
    sequence, signed = rng.choice(database.execute("SELECT sequence, signed FROM timeline_checkpoints").fetchall())
    database.execute("UPDATE timeline_checkpoints SET signed = ? WHERE sequence = ?", [spoilt(signed, rng), sequence])


def drop(database: sqlite3.Connection, rng: random.Random) -> None:
    database.execute("DELETE FROM timeline WHERE sequence = ?", [rng.randint(1, ENTRIES)])


def drop_checkpoint(database: sqlite3.Connection, rng: random.Random) -> None:
    [sequence] = rng.choice(database.execute("SELECT sequence FROM timeline_checkpoints").fetchall())
    database.execute("DELETE FROM timeline_checkpoints WHERE sequence = ?", [sequence])


def swap(database: sqlite3.Connection, rng: random.Random) -> None:
    one, other = rng.sample(range(1, ENTRIES + TAIL + 1), 2)
    for old, new in ((one, -1), (other, one), (-1, other)):
        database.execute("UPDATE timeline SET sequence = ? WHERE sequence = ?", [new, old])


def cut(database: sqlite3.Connection, rng: random.Random) -> None:
    """The end, with every checkpoint that would tell of it."""
    after = rng.randrange(ENTRIES)
    database.execute("DELETE FROM timeline WHERE sequence > ?", [after])
    database.execute("DELETE FROM timeline_checkpoints WHERE sequence > ?", [after])


def rewrite(database: sqlite3.Connection, rng: random.Random) -> None:
    """One who knows how: every digest after the change is made to fit."""
    sequence = rng.randint(1, ENTRIES)
    database.execute("UPDATE timeline SET number = 'US 98/999,999' WHERE sequence = ?", [sequence])
    digest, rows = (
        BEFORE_THE_FIRST,
        database.execute(
            "SELECT sequence, at, step, kind, number, subject, said FROM timeline ORDER BY sequence"
        ).fetchall(),
    )
    for number, at, step, kind, document, subject, said in rows:
        digest = chain.digest(digest, chain.Entry(number, at, step, kind, document, subject, read_said(said)))
        database.execute("UPDATE timeline SET digest = ? WHERE sequence = ?", [digest, number])


@pytest.fixture
def kept(office: Office, node: Node) -> Path:
    """A database with a good timeline, which nobody has open."""
    for _ in range(4):
        fill(node, ENTRIES // 4)
        assert checkpoint(node) == 1
    fill(node, TAIL)
    node.database.close()
    return office.folder / "var" / "office.db"


def findings(node: Node) -> list[Finding]:
    found = list(node.timeline.verification.findings())
    node.database.close()
    return found


@on_sqlite
def test_five_hundred_random_edits_are_found(node: Node, kept: Path) -> None:
    assert findings(node) == []
    good = kept.with_name("good.db")
    shutil.copy(kept, good)
    rng, missed = random.Random(5), []
    edits: list[Edit] = [flip, flip, flip_checkpoint, drop, drop_checkpoint, swap, cut, rewrite]
    for n in range(EDITS):
        edit = edits[n % len(edits)]
        shutil.copy(good, kept)
        with closing(sqlite3.connect(kept)) as database, database:
            edit(database, rng)
        if not findings(node):
            missed.append(f"{n} {edit.__name__}")
    assert missed == []


@on_sqlite
def test_the_command_tells_what_is_wrong_and_where(office: Office, kept: Path) -> None:
    assert command_line.run(office.settings_file, "timeline", "verify").stdout.startswith("every entry is what was")
    with closing(sqlite3.connect(kept)) as database, database:
        database.execute("UPDATE timeline SET number = 'US 98/999,999' WHERE sequence = 17")
    told = command_line.run(office.settings_file, "timeline", "verify")
    assert (told.exit_code, told.stdout) == (1, "N383 an entry was changed: entry 17 is not what was written\n")


@on_sqlite
def test_a_checkpoint_signed_by_somebody_else_is_found(office: Office, kept: Path) -> None:
    own = office.settings().timeline.signing_key_file
    saved = own.read_bytes()
    own.unlink()
    keys.generate_private_key(own)
    node = build_node(office.settings())
    checkpoint(node)
    node.database.close()
    own.write_bytes(saved)
    [found, *rest] = findings(build_node(office.settings()))
    assert (found.number, found.sequence) == ("N385", ENTRIES + TAIL)
    assert [one.number for one in rest] == ["N385"]  # the same, as it lies in the folder


@pytest.mark.parametrize("threads", [6])
def test_many_at_once_make_one_chain(office: Office, node: Node, threads: int) -> None:
    together = threading.Barrier(threads)

    def write(name: int) -> None:
        together.wait()
        for n in range(15):
            with node.database.transaction() as session:
                note(session, Step.SERVED, None, None, subject=f"{name}", n=n)
                note(session, Step.SERVED, None, None, subject=f"{name}", n=-n)

    running = [threading.Thread(target=write, args=(name,)) for name in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert list(node.timeline.verification.findings()) == []
    with node.database.reading() as session:
        entries = [row.entry() for row in session.query(TimelineRecord).order_by(TimelineRecord.sequence)]
    assert len(entries) == threads * 30
    for name in range(threads):
        said = [entry.said["n"] for entry in entries if entry.subject == str(name)]
        assert said == [value for n in range(15) for value in (n, -n)]


def test_what_is_rolled_back_leaves_no_entry(node: Node) -> None:
    def noted_in_vain() -> None:
        with node.database.transaction() as session:
            note(session, Step.SERVED, None, None)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        noted_in_vain()
    assert node.timeline.verification.total() == 0
