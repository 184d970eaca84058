"""What is still being written is left alone, what never gets whole is told, and a broken folder stops nothing."""

import json
import os
import resource
import shutil
import time
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from structlog.testing import capture_logs

from office_node import clock
from office_node.intake import files as intake_files
from office_node.intake.files import IntakeUnusable
from office_node.intake.folder import Drop, IntakeFolder, Taken
from office_node.intake.watch import TAKE_IN
from office_node.wiring.node import build_node
from tests.conftest import MakeOffice
from tests.intake.dropping import AT_ONCE, REQUEST, Bench, bench_of, numbered, pdf

WITHDRAW = {"operation": "withdraw", "kind": "patent", "number": "US 98/012,357"}


def test_a_content_without_its_request_is_left_alone(bench: Bench) -> None:
    (bench.folder / "A.pdf").write_bytes(pdf())
    bench.take_in()
    assert bench.names() == ["A.pdf"]


@pytest.mark.parametrize("name", [".A", "~A", "A.tmp", "A.part", "A.result"])
def test_temporary_names_are_left_alone(bench: Bench, name: str) -> None:
    bench.drop(name)
    bench.take_in()
    assert bench.names() == sorted([f"{name}.json", f"{name}.pdf"])


def test_other_endings_and_folders_are_left_alone(bench: Bench) -> None:
    for name in ("A.json.tmp", "A.json.part", "A.json~", "A.txt", "A"):
        (bench.folder / name).write_bytes(json.dumps(REQUEST).encode())
    (bench.folder / "B.json").mkdir()
    (bench.folder / "B.json" / "C.json").write_bytes(b"{}")
    bench.take_in()
    assert len(bench.names()) == 5
    assert bench.node.outbox.messages() == []


@pytest.mark.parametrize("extension", ["pdf", "json"])
def test_a_file_that_still_grows_is_left_alone_until_it_rests(bench: Bench, extension: str) -> None:
    bench.drop(content=pdf())
    with (bench.folder / f"A.{extension}").open("ab") as file:
        for _ in range(4):
            bench.intake.scan()
            file.write(b" ")
            file.flush()
    bench.intake.scan()
    assert bench.node.outbox.messages() == []
    bench.take_in()
    assert bench.names() == []


def test_one_look_is_never_enough_whatever_the_clock_of_the_files_says(bench: Bench) -> None:
    bench.drop()
    for path in bench.folder.glob("A.*"):
        os.utime(path, (1, 1))
    bench.intake.scan()
    assert bench.node.outbox.messages() == []
    for path in bench.folder.glob("A.*"):
        os.utime(path, (4e9, 4e9))
    bench.take_in()
    assert bench.names() == []


def test_files_rest_for_as_long_as_the_settings_say(new_office: MakeOffice) -> None:
    office = new_office(overrides={"intake": {"settle_seconds": 0.3}})
    office.upgrade()
    with bench_of(office) as bench:
        bench.drop()
        bench.scan()
        assert bench.node.outbox.messages() == []
        time.sleep(0.35)
        bench.intake.scan()
        assert len(bench.node.outbox.messages()) == 1


def test_what_changes_between_the_look_and_the_taking_is_looked_at_again(bench: Bench) -> None:
    bench.drop(content=pdf())
    bench.scan()
    bench.drop("A", numbered(200), content=pdf())
    bench.work(TAKE_IN)
    assert bench.names() == ["A.json", "A.pdf"]
    bench.take_in()
    [registration] = bench.node.overview.registrations()
    assert registration.number == "US 98/200,357"


def test_a_request_whose_content_never_comes_is_refused_after_a_while(new_office: MakeOffice) -> None:
    office = new_office(overrides={"intake": {"settle_seconds": 0, "missing_seconds": 1}})
    office.upgrade()
    with bench_of(office) as bench:
        bench.drop(content=None)
        bench.take_in()
        assert bench.names() == ["A.json"]
        time.sleep(2.1)
        bench.work(TAKE_IN)
        assert bench.result("refused")["code"] == "N363"
        assert bench.names("refused") == ["A.json", "A.result.json"]


def test_a_content_that_comes_late_is_taken(new_office: MakeOffice) -> None:
    office = new_office(overrides={"intake": {"settle_seconds": 0, "missing_seconds": 60}})
    office.upgrade()
    with bench_of(office) as bench:
        bench.drop(content=None)
        bench.take_in()
        (bench.folder / "A.pdf").write_bytes(pdf())
        bench.take_in()
        assert len(bench.node.overview.registrations()) == 1
        time.sleep(2.1)
        bench.work(TAKE_IN)
        assert [message.kind for message in bench.node.outbox.messages()] == ["tell_registration"]


def test_a_content_that_was_taken_without_its_request_is_waited_for_but_not_for_ever(bench: Bench) -> None:
    bench.scan()
    (bench.folder / "taken" / "A~0123456789abcdef.pdf").write_bytes(pdf())
    bench.drop(request={"kind": "poem"}, content=None)
    bench.take_in()
    assert bench.names() == ["A.json"]
    with time_machine.travel(clock.now() + timedelta(seconds=2 * bench.node.outbox.lease_seconds), tick=True):
        bench.work(TAKE_IN)
    assert (bench.names(), bench.names("refused")) == ([], ["A.json", "A.result.json"])


def test_of_two_decisions_about_a_pair_the_first_stands(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    for content in (b"first", b"second"):
        intake_files.write_first(descriptor, "A.result.json", content)
    os.close(descriptor)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"A.result.json": b"first"}


def test_a_withdrawal_waits_for_no_content(new_office: MakeOffice) -> None:
    office = new_office(overrides={"intake": {"settle_seconds": 0, "missing_seconds": 60}})
    office.upgrade()
    office.add_document()
    with bench_of(office) as bench:
        bench.drop(request=WITHDRAW, content=None)
        bench.take_in()
        assert bench.result("done")["operation"] == "withdraw"


def test_a_file_put_back_with_its_old_times_is_taken_anew(bench: Bench) -> None:
    request, content = bench.folder / "A.json", bench.folder / "A.pdf"
    bench.drop()
    kept = bench.folder.parent / "kept"
    kept.mkdir()
    for path in (content, request):
        shutil.copy2(path, kept)
    bench.take_in()
    for path in (content, request):
        shutil.copy2(kept / path.name, path)
    bench.take_in()
    assert bench.names() == []
    [stem] = [name for name in bench.names("done") if name.endswith(".result.json")]
    assert "asked for before" in (bench.folder / "done" / stem).read_text()


def test_what_was_dealt_with_and_lies_there_still_is_taken_anew(bench: Bench) -> None:
    bench.drop()
    bench.scan()
    [claim] = bench.node.outbox.claim(TAKE_IN, 1)
    with bench.node.database.transaction() as session:
        bench.node.outbox.settle(session, claim)
    restarted = Bench(build_node(bench.node.settings), bench.folder)
    restarted.take_in()
    restarted.node.database.close()
    assert bench.names() == []


def test_a_thousand_pairs_are_put_in_bounded_steps(bench: Bench) -> None:
    for number in range(1200):
        (bench.folder / f"N{number}.json").write_bytes(b"{}")
    bench.intake.scan()
    steps = []
    while put := bench.intake.scan():
        steps.append(put)
    assert (sum(steps), max(steps)) == (1200, 500)


def test_twenty_thousand_files_cost_a_look_little(bench: Bench) -> None:
    for number in range(20_000):
        (bench.folder / f"N{number}.pdf").touch()
    bench.drop("A")
    began = time.monotonic()
    bench.scan()
    assert time.monotonic() - began < 2
    assert len(bench.node.outbox.messages()) == 1


def test_an_unusable_folder_is_told_once_a_minute_and_the_worker_goes_on(bench: Bench) -> None:
    shutil.rmtree(bench.folder)
    bench.folder.write_text("in the way")
    with capture_logs() as lines:
        for _ in range(5):
            assert bench.intake.scan() == 0
    assert [(line["event"], line["code"]) for line in lines] == [("intake stands still", "N360")]
    bench.folder.unlink()
    bench.drop()
    bench.take_in()
    assert len(bench.node.overview.registrations()) == 1


def test_a_link_in_the_place_of_a_subfolder_is_not_followed(bench: Bench, tmp_path: Path) -> None:
    bench.intake.scan()
    (bench.folder / "taken").rmdir()
    (bench.folder / "taken").symlink_to(tmp_path)
    bench.drop()
    bench.take_in()
    assert bench.names() == ["A.json", "A.pdf"]
    assert list(tmp_path.glob("A*")) == []
    assert "N360" in str(bench.node.outbox.messages()[0].last_cause)


def test_a_broken_library_keeps_the_pair_for_later(bench: Bench) -> None:
    store = bench.node.settings.library.store
    store.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(store, ignore_errors=True)
    store.write_text("in the way")
    bench.drop()
    bench.take_in()
    [message] = bench.node.outbox.messages()
    assert "N304" in str(message.last_cause)
    assert (bench.names("refused"), len(bench.names("taken"))) == ([], 2)


def test_the_folders_are_the_nodes_alone_unless_they_were_made_otherwise(new_office: MakeOffice) -> None:
    modes = []
    for shared in (False, True):
        office = new_office(overrides=AT_ONCE)
        office.upgrade()
        folder = office.folder / "var" / "intake"
        if shared:
            folder.mkdir(parents=True)
            folder.chmod(0o2770)
        with bench_of(office) as bench:
            shutil.rmtree(folder) if not shared else None
            bench.intake.scan()
            modes.append([oct((folder / name).stat().st_mode & 0o7777) for name in (".", "taken", "done", "refused")])
    assert modes == [["0o700"] * 4, ["0o2770", "0o700", "0o2770", "0o2770"]]


def test_half_written_results_of_killed_workers_are_removed_in_time(bench: Bench) -> None:
    bench.intake.scan()
    for name, age in (("taken/.old.tmp", 90_000), ("taken/.new.tmp", 0), ("done/.A.reserved", 90_000)):
        path = bench.folder / name
        path.touch()
        os.utime(path, (time.time() - age, time.time() - age))
    assert bench.intake.remove_leftovers() == 2
    assert bench.names("taken") == [".new.tmp"]


def test_a_full_disk_leaves_what_was_taken_and_no_half_result(bench: Bench) -> None:
    folder = IntakeFolder(bench.folder)
    bench.drop()
    folder.prepare()
    files = {"json": "A.json", "pdf": "A.pdf"}
    marks = folder.marks(files)
    assert marks
    drop = Drop("A", {extension: (name, marks[extension]) for extension, name in files.items()}, "A~0123456789abcdef")
    assert folder.take(drop) == Taken.WHOLE
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, unlimited[1]))  # every write fails, as on a full disk
    try:
        with pytest.raises(IntakeUnusable):
            folder.finish(drop.ticket, "done", {"name": "A"})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert (bench.names("taken"), bench.names("done")) == ([f"{drop.ticket}.json", f"{drop.ticket}.pdf"], [])
    folder.finish(drop.ticket, "done", {"name": "A"})
    assert bench.names("taken") == []
    assert [path.suffix for path in sorted((bench.folder / "done").glob("A*"))] == [".json", ".pdf", ".json"]
