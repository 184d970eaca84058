"""A worker that comes late, after another one did its work: nothing happens twice, and no pair is lost."""

import threading
from contextlib import suppress

import pytest

from office_node.document_id import DocumentKind
from office_node.errors import OfficeNodeError
from office_node.intake.watch import TAKE_IN
from office_node.off_registrations.details import Corrections
from office_node.off_registrations.operations import HAND_BACK
from office_node.outbox.outbox import LeaseLost
from tests.intake.dropping import REQUEST, Bench

NUMBER = REQUEST["number"]


def test_a_pair_that_another_worker_took_meanwhile_is_left_to_it(bench: Bench) -> None:
    bench.drop()
    bench.scan()
    [claim] = bench.node.outbox.claim(TAKE_IN, 1)
    bench.intake.take_in(claim)
    with pytest.raises(LeaseLost):
        bench.intake.take_in(claim)
    assert len(bench.node.overview.registrations()) == 1
    assert len(bench.names("taken")) == 2


@pytest.mark.parametrize("request_", [REQUEST, {"kind": "poem"}], ids=["sound", "faulty"])
def test_two_workers_at_one_pair_in_the_same_moment_leave_one_registration(bench: Bench, request_: object) -> None:
    for number in range(10):
        bench.drop(f"N{number}", request_)
        bench.scan()
        [claim] = bench.node.outbox.claim(TAKE_IN, 1)
        at_once = threading.Barrier(2)

        def work() -> None:
            at_once.wait()  # noqa: B023
            with suppress(OfficeNodeError):
                bench.intake.take_in(claim)  # noqa: B023

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with suppress(OfficeNodeError):
            bench.intake.take_in(claim)
    assert bench.names() == []
    places = [len(bench.names(place)) for place in ("taken", "refused")]
    # Of ten contents for one document the first is registered, the others differ; each pair lies whole in one place.
    assert places == ([2, 27] if request_ is REQUEST else [0, 30])
    assert len(bench.node.overview.registrations()) == (1 if request_ is REQUEST else 0)


def test_a_verb_under_one_name_is_written_down_once(bench: Bench) -> None:
    bench.drop()
    bench.take_in()
    asked = [
        bench.node.registrations.correct(DocumentKind.PATENT, NUMBER, Corrections(email=email), hand_back_to=name)
        for name, email in (("B~0", "b@example.org"), ("C~0", "c@example.org"), ("B~0", "b@example.org"))
    ]
    assert [each.is_new for each in asked] == [True, True, False]
    assert asked[0].operation_id == asked[2].operation_id != asked[1].operation_id


def test_an_end_that_was_handed_back_is_not_handed_back_again(bench: Bench) -> None:
    bench.drop()
    bench.take_in()
    bench.node.registrations.withdraw(DocumentKind.PATENT, NUMBER)
    [claim] = bench.node.outbox.claim(HAND_BACK, 1)
    bench.intake.hand_back(claim)
    kept = bench.names("refused")
    with pytest.raises(LeaseLost):
        bench.intake.hand_back(claim)
    assert bench.names("refused") == kept == ["A.json", "A.pdf", "A.result.json"]
