"""When to try again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from office_node.outbox.backoff import wait_seconds

HOURS = 3600


def test_the_waits_grow_from_five_seconds_to_two_hours() -> None:
    expected = [5, 30, 120, 600, 1800, HOURS, 2 * HOURS, 2 * HOURS]
    for attempts, seconds in enumerate(expected, start=1):
        waits = [wait_seconds(attempts, first_seconds=5) for _ in range(200)]
        assert min(waits) >= 0.8 * seconds
        assert max(waits) <= 1.2 * seconds
        assert len(set(waits)) > 100, "without jitter a backlog returns as one herd"


def test_about_41_tries_fill_72_hours() -> None:
    attempts, waited = 1, 0.0
    while waited < 72 * HOURS:
        waited += wait_seconds(attempts, first_seconds=5)
        attempts += 1
    assert 37 <= attempts <= 46


@given(attempts=st.integers(1, 60), asked=st.floats(0, 7200), least=st.floats(0, 600))
def test_what_the_peer_asks_for_is_never_undercut(attempts: int, asked: float, least: float) -> None:
    wait = wait_seconds(attempts, first_seconds=5, retry_after_seconds=asked, at_least_seconds=least)
    assert wait >= max(asked, least)


def test_no_retry_after_makes_us_wait_longer_than_two_hours_and_a_fifth() -> None:
    assert wait_seconds(1, first_seconds=5, retry_after_seconds=1e9) <= 2.4 * HOURS


@pytest.mark.parametrize("first", [0.01, 60])
def test_the_first_wait_scales_all_others(first: float) -> None:
    assert 360 * first * 0.8 <= wait_seconds(5, first_seconds=first) <= 360 * first * 1.2
