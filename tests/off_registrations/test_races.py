"""Verbs at the same instant, beside a worker at work: each effect once, and nobody waits for each other."""

import io
import threading
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

from office_node.errors import OfficeNodeError
from office_node.off_registrations.details import Corrections
from office_node.storage.database import DatabaseUnavailable
from tests.off_registrations.desk import Desk, paper


def _at_once(works: list[Callable[[], Any]]) -> list[Any]:
    """What each gave, or the failure of ours it raised."""
    barrier = threading.Barrier(len(works))
    outcomes: list[Any] = [None] * len(works)

    def run(position: int, work: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            outcomes[position] = work()
        except OfficeNodeError as exc:
            outcomes[position] = exc

    threads = [threading.Thread(target=run, args=item) for item in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_the_same_document_submitted_at_once_is_registered_once(desk: Desk) -> None:
    content = paper()
    asked = _at_once([partial(desk.submit, content)] * 4)
    assert len({one.operation_id for one in asked}) == 1
    assert sum(one.is_new for one in asked) == 1
    desk.ended(asked[0])
    [registered] = desk.effects("registered")
    assert registered["times"] == 1


def test_of_two_contents_at_once_the_one_that_is_kept_is_the_one_that_is_registered(desk: Desk) -> None:
    for _ in range(4):
        another = desk.with_another_document()
        contents = [paper("one"), paper("other")]
        outcomes = _at_once([partial(another.submit, content) for content in contents])
        taken = [one for one in outcomes if not isinstance(one, OfficeNodeError)]
        assert len(taken) == 1, outcomes
        another.ended(taken[0])
        [registered] = another.effects("registered")
        assert registered["sha256"] == another.kept().current.sha256


def test_of_two_replacements_at_once_wipo_ends_with_the_one_that_is_kept(desk: Desk) -> None:
    desk.registered(paper("old"))
    replace = desk.node.registrations.replace
    contents = [paper("one"), paper("other")]
    outcomes = _at_once([partial(replace, *desk.named, io.BytesIO(content)) for content in contents])
    for one in outcomes:
        if not isinstance(one, OfficeNodeError):
            desk.ended(one)
    assert desk.effects("replaced")[-1]["sha256"] == desk.kept().current.sha256


def test_corrections_questions_and_the_worker_never_wait_for_each_other(desk: Desk) -> None:
    desk.registered(paper(), content_at="library")
    correct = desk.node.registrations.correct
    for day in range(3, 11):
        corrections = [
            Corrections(filing_date=date(2023, 11, day), email=f"{number}@example.org") for number in range(4)
        ]
        outcomes = _at_once([partial(correct, *desk.named, one) for one in corrections])
        assert [one for one in outcomes if isinstance(one, DatabaseUnavailable)] == []
    for one in outcomes:
        if not isinstance(one, OfficeNodeError):
            desk.ended(one)
    assert desk.kept().document.date == date(2023, 11, 10)
    assert desk.office.told("result not recorded") == 0


def test_a_submission_and_a_withdrawal_at_once_leave_nothing_half_done(desk: Desk) -> None:
    for _ in range(4):
        another = desk.with_another_document()
        content = another.add(paper())
        withdraw = partial(another.node.registrations.withdraw, *another.named)
        outcomes = _at_once([partial(another.submit, content), withdraw])
        for one in outcomes:
            if not isinstance(one, OfficeNodeError) and one.operation_id:
                another.ended(one, hurried=True)
        open_ones = [one for one in another.effects("registered") if not another.effects("withdrawn")]
        assert bool(open_ones) == (another.state() == "registered")
