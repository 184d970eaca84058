"""Several workers watch one folder: each pair is taken once."""

import threading
from collections.abc import Callable

from tests.conftest import MakeOffice
from tests.intake.dropping import AT_ONCE, Bench, bench_of, drop, numbered
from tests.office import Office, eventually

PAIRS = 50


def test_two_intakes_in_one_process_take_fifty_pairs_once(new_office: MakeOffice) -> None:
    office = new_office(overrides=AT_ONCE)
    office.upgrade()
    with bench_of(office) as first, bench_of(office) as second:
        _drop(office)
        at_once = threading.Barrier(2)

        def watch(bench: Bench) -> Callable[[], None]:
            def run() -> None:
                at_once.wait()
                for _ in range(3):
                    bench.take_in()

            return run

        threads = [threading.Thread(target=watch(bench)) for bench in (first, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(first.node.overview.registrations()) == PAIRS
        assert (first.names(), len(first.names("taken"))) == ([], 2 * PAIRS)
        assert [message for message in first.node.outbox.messages() if message.kind == "take_in"] == []


def test_two_worker_processes_take_fifty_pairs_once(new_office: MakeOffice) -> None:
    office = new_office(overrides=AT_ONCE)
    office.upgrade()
    office.start_central()
    for _ in range(2):
        office.start("worker")
    _drop(office)
    done = office.folder / "var" / "intake" / "done"
    eventually(lambda: len(list(done.glob("*.result.json"))) == PAIRS and not office.waiting(), 250)
    assert len(list(done.iterdir())) == 3 * PAIRS
    assert office.told("drop taken in") == PAIRS
    assert [entry["times"] for entry in office.ledger("registered")] == [1] * PAIRS
    assert not list((done.parent / "taken").iterdir())


def _drop(office: Office) -> None:
    for number in range(100, 100 + PAIRS):
        drop(office.folder / "var" / "intake", f"N{number}", numbered(number))
