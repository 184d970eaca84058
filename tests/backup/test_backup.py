"""A backup is made while the node runs, proven in scratch, and brought back; what is not what was made is refused."""

import gzip
import io
import json
import random
import shutil
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import event, func, select

from office_node import clock
from office_node.backup import rows
from office_node.backup.manifest import NAME, BackupRefused
from office_node.backup.restoring import NodeRuns, Restoring
from office_node.headroom import DiskNearlyFull
from office_node.library.records import VersionRecord
from office_node.outbox.records import MessageState
from office_node.storage.workers import Heartbeat, workers
from office_node.wiring.backup import build_restoring
from office_node.wiring.node import Node, build_node
from tests import command_line
from tests.conftest import MakeOffice
from tests.databases import on_postgresql, on_sqlite
from tests.library.documents import CODE, kept_files, path_of
from tests.library.test_sealed_documents import numbered
from tests.office import Office, eventually, pdf
from tests.timeline.noted import checkpoint


def fill(node: Node, first: int, count: int) -> None:
    for n in range(first, first + count):
        node.accession.add(io.BytesIO(pdf(1000)), numbered(n), CODE)


def restoring(node: Node) -> Restoring:
    return build_restoring(node.settings, node.database, node.store, node.outbox)


def rows_of(node: Node) -> dict[str, int]:
    with node.database.reading() as session:
        return {table.name: session.scalar(select(func.count()).select_from(table)) or 0 for table in rows.tables()}


def made(node: Node, folder: Path, **options: bool) -> Path:
    return node.backups.create(folder, with_documents=options.get("with_documents", True))


def test_what_was_there_comes_back_and_what_it_replaces_is_kept(office: Office, node: Node, tmp_path: Path) -> None:
    fill(node, 0, 5)
    checkpoint(node)
    before = rows_of(node)
    backup = made(node, tmp_path / "backups")
    fill(node, 5, 3)
    checkpoint(node)
    first = node.library.find(numbered(0).kind, numbered(0).number)
    assert first
    lost = path_of(office, first.current.version_id)
    lost.unlink()

    restored = restoring(node).restore(backup)
    assert restored.rows == sum(before.values())
    after = rows_of(node)
    assert after == before | {"timeline": before["timeline"] + 1}, "and that it was restored is noted"
    assert lost.exists()
    assert restored.documents == 1
    assert node.library.find(numbered(4).kind, numbered(4).number)
    assert node.library.find(numbered(5).kind, numbered(5).number) is None
    for n in range(5):
        entry = node.library.find(numbered(n).kind, numbered(n).number)
        assert entry
        assert node.library.access_code_matches(entry, CODE)
        with node.library.open(entry.current) as kept:
            assert kept.read().startswith(b"%PDF-")
    assert list(node.timeline.verification.findings()) == []
    checkpoint(node)
    assert list(node.timeline.verification.findings()) == []

    restoring(node).restore(restored.kept_as)
    assert node.library.find(numbered(7).kind, numbered(7).number), "what was replaced comes back as well"


def test_from_sqlite_to_postgresql_and_back(new_office: MakeOffice, keys_folder: Path, tmp_path: Path) -> None:
    office = new_office()
    office.upgrade()
    node = build_node(office.settings())
    fill(node, 0, 3)
    other = new_office()
    other.upgrade()
    shutil.rmtree(other.folder / "keys")
    shutil.copytree(office.folder / "keys", other.folder / "keys")
    elsewhere = build_node(other.settings())
    backup = made(node, tmp_path / "backups")
    restored = restoring(elsewhere).restore(backup)
    assert (restored.documents, len(kept_files(other))) == (3, 3)
    assert list(elsewhere.timeline.verification.findings()) == []
    assert [*elsewhere.verification.findings()] == []
    for each in (node, elsewhere):
        each.database.close()


def test_while_it_is_made_others_write_and_it_is_of_one_moment(node: Node, tmp_path: Path) -> None:
    fill(node, 0, 3)
    over = threading.Event()

    def write() -> None:
        n = 100
        while not over.is_set():
            fill(node, n, 1)
            n += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        backups = [made(node, tmp_path / "backups") for _ in range(4)]
    finally:
        over.set()
        writer.join()
    for backup in backups:
        restoring(node).verify(backup)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a row changed": lambda backup: _rewrite(backup / "documents.jsonl.gz"),
    "a table missing": lambda backup: (backup / "timeline.jsonl.gz").unlink(),
    "the manifest changed": lambda backup: _flip(backup / NAME),
    "the manifest missing": lambda backup: (backup / NAME).unlink(),
    "the settings changed": lambda backup: (backup / "settings.json").write_text("{}"),
    "a document flipped": lambda backup: _flip(_a_copy(backup)),
    "a document missing": lambda backup: _a_copy(backup).unlink(),
    "the library's manifest changed": lambda backup: _rewrite(backup / "library.jsonl.gz"),
}


def _a_copy(backup: Path) -> Path:
    return sorted((backup.parent / "documents").glob("??/*"))[0]


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def _rewrite(file: Path) -> None:
    lines = gzip.decompress(file.read_bytes()).splitlines()
    file.write_bytes(gzip.compress(b"\n".join(lines[1:]) + b"\n"))


@on_sqlite
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_backup_is_refused_and_nothing_is_replaced(
    office: Office, node: Node, tmp_path: Path, damage: str
) -> None:
    fill(node, 0, 3)
    backup = made(node, tmp_path / "backups")
    restoring(node).verify(backup)
    DAMAGES[damage](backup)
    before = rows_of(node)
    for verb in (restoring(node).verify, restoring(node).restore):
        with pytest.raises(BackupRefused, match="N800"):
            verb(backup)
    assert rows_of(node) == before


@on_sqlite
def test_a_backup_of_another_office_or_of_a_newer_program_is_refused(
    new_office: MakeOffice, keys_folder: Path, tmp_path: Path
) -> None:
    office = new_office(overrides={"office": {"code": "YY"}})
    office.upgrade()
    theirs = build_node(office.settings())
    backup = made(theirs, tmp_path / "backups")
    ours = new_office()
    ours.upgrade()
    node = build_node(ours.settings())
    with pytest.raises(BackupRefused, match="it is of office YY, this is XX"):
        restoring(node).restore(backup)
    (ours.folder / "keys" / "timeline.pem").unlink()
    command_line.run(ours.settings_file, "keys", "generate")
    with pytest.raises(BackupRefused, match="signed by a key that is not known here"):
        restoring(build_node(ours.settings())).verify(backup)


@on_sqlite
def test_it_holds_no_secret(office: Office, node: Node, tmp_path: Path) -> None:
    fill(node, 0, 2)
    backup = made(node, tmp_path / "backups")
    written = b"".join(
        gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for path in backup.rglob("*")
        if path.is_file()
    )
    assert CODE.encode() not in written
    for key in (office.folder / "keys").glob("*"):
        lines = [line for line in key.read_bytes().splitlines() if len(line) > 30 and b"PUBLIC" not in line]
        if key.suffix == ".key" or "PRIVATE" in key.read_text():
            assert not any(line in written for line in lines), key.name
    assert oct(backup.stat().st_mode & 0o777) == "0o700"


def test_while_a_worker_lives_nothing_is_restored(node: Node, tmp_path: Path) -> None:
    backup = made(node, tmp_path / "backups")
    Heartbeat(node.database).beat()
    with pytest.raises(NodeRuns, match="N802"):
        restoring(node).restore(backup)
    assert len(workers(node.database)) == 1


def test_what_was_open_then_may_have_been_done_since(node: Node, tmp_path: Path) -> None:
    with node.database.transaction() as session:
        node.outbox.put(session, "notify_wipo", "effect", {}, "B1")
    [claim] = node.outbox.claim("notify_wipo", 1)
    backup = made(node, tmp_path / "backups")
    with node.database.transaction() as session:
        node.outbox.settle(session, claim)
    restoring(node).restore(backup)
    [message] = node.outbox.messages()
    assert message.state is MessageState.UNCERTAIN
    [again] = node.outbox.claim("notify_wipo", 1)
    assert again.is_uncertain
    assert again.fencing > claim.fencing


@on_sqlite
def test_sixty_random_flips_of_a_backup_are_all_refused(node: Node, tmp_path: Path) -> None:
    fill(node, 0, 1)
    backup = made(node, tmp_path / "backups", with_documents=False)
    chance, files = random.Random(5), sorted(path for path in backup.iterdir() if path.stat().st_size > 40)
    for _ in range(60):
        file = chance.choice(files)
        good = file.read_bytes()
        at = chance.randrange(len(good))
        file.write_bytes(good[:at] + bytes([good[at] ^ (1 << chance.randrange(8))]) + good[at + 1 :])
        with pytest.raises(BackupRefused):
            restoring(node).verify(backup)
        file.write_bytes(good)
    restoring(node).verify(backup)


@on_sqlite
def test_one_a_day_however_many_workers_ask_and_the_oldest_goes(new_office: MakeOffice, tmp_path: Path) -> None:
    office = new_office(overrides={"backup": {"folder": str(tmp_path / "daily"), "keep": 2}})
    office.upgrade()
    node = build_node(office.settings())
    daily = node.daily_backup()
    assert daily
    for day in range(4):
        with time_machine.travel(clock.now() + timedelta(days=day), tick=False):
            daily.ask()
            daily.ask()
            [claim] = node.outbox.claim("make_backup", 10)
            daily.make(claim)
    found = node.backups.listed(tmp_path / "daily")
    assert len(found) == 2
    assert all(reason is None for _, _, reason in found)
    node.database.close()


@on_sqlite
def test_the_daily_one_waits_for_room_where_it_is_kept(new_office: MakeOffice, tmp_path: Path) -> None:
    most = {"headroom_megabytes": 1_000_000}
    office = new_office(overrides={"backup": {"folder": str(tmp_path / "daily")}, "library": most})
    office.upgrade()
    node = build_node(office.settings())
    daily = node.daily_backup()
    assert daily
    daily.ask()
    [claim] = node.outbox.claim("make_backup", 10)
    with pytest.raises(DiskNearlyFull, match=f"MB are free at {tmp_path / 'daily'}"):
        daily.make(claim)
    assert not (tmp_path / "daily").exists()
    node.database.close()


@on_sqlite
def test_a_worker_that_was_down_at_the_time_makes_it_when_it_starts(new_office: MakeOffice, tmp_path: Path) -> None:
    office = new_office(overrides={"backup": {"folder": str(tmp_path / "daily"), "at": "00:00"}})
    office.upgrade()
    office.start("worker")
    eventually(lambda: list((tmp_path / "daily").glob("backup-*")))
    eventually(lambda: not office.waiting())


def test_a_folder_that_cannot_be_written_is_told_and_leaves_nothing(office: Office, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    ran = command_line.run(office.settings_file, "backup", "create", "--to", str(tmp_path / "taken" / "below"))
    assert ran.exit_code == 1
    assert ran.stderr.startswith("N801 no backup can be written to ")


@on_sqlite
def test_the_verbs(office: Office, node: Node) -> None:
    fill(node, 0, 2)

    def run(*arguments: str) -> str:
        ran = command_line.run(office.settings_file, "backup", *arguments)
        assert ran.exit_code == 0, ran.output
        return ran.stdout

    place = run("create", "--documents").strip()
    assert Path(place).parent == office.settings().backup.folder  # type: ignore[union-attr]
    assert run("verify", place).startswith("good: made ")
    assert ", 2 documents\n" in run("verify", place)
    assert json.loads(run("verify", place, "--json"))["documents"] == 2
    assert run("list").startswith(f"{place} ")
    assert run("restore", place, "--dry-run").startswith("would restore what was there at ")
    assert json.loads(run("restore", place, "--yes", "--json"))["documents"] == 0
    assert "before-restore-" in run("list")
    with node.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(VersionRecord)) == 2


@on_sqlite
def test_a_backup_is_proven_where_no_database_is_left(new_office: MakeOffice, tmp_path: Path) -> None:
    office = new_office()
    office.upgrade()
    node = build_node(office.settings())
    fill(node, 0, 2)
    place = made(node, tmp_path / "backups")
    node.database.close()
    text = office.settings_file.read_text()
    office.settings_file.write_text(text.replace("sqlite:///../var/office.db", "postgresql://nobody@127.0.0.1:1/none"))
    proven = command_line.run(office.settings_file, "backup", "verify", str(place))
    assert (proven.exit_code, proven.stdout[:11]) == (0, "good: made ")
    refused = command_line.run(office.settings_file, "backup", "restore", str(place), "--yes")
    assert (refused.exit_code, refused.stderr[:4]) == (1, "N201")


@on_postgresql
def test_a_restore_is_not_cut_by_what_bounds_a_request(node: Node, tmp_path: Path) -> None:
    fill(node, 0, 1)
    place = made(node, tmp_path / "backups")
    seen: list[str] = []

    @event.listens_for(node.database.engine, "commit")
    def look(connection: Any) -> None:
        seen.append(str(connection.exec_driver_sql("SHOW statement_timeout").scalar()))

    restoring(node).restore(place)
    assert seen.count("0") == 1, "the one that replaces"
    assert set(seen) == {"0", "30s"}
