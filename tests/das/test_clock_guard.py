"""Our clock against WIPO's: measured at every token call, followed when it is set, and nothing is signed far off."""

from datetime import timedelta
from email.utils import format_datetime

import pytest
import time_machine

from office_node import clock
from office_node.das.client import DasClient
from office_node.das.clock_guard import ClockGuard, ClockWrong
from tests.das.test_client import NOTIFICATION, client, token_endpoint, wipo
from tests.peer import Peer, Says

__all__ = ["client", "token_endpoint", "wipo"]
TOKEN = {"access_token": "good", "expires_in": 100}


def date(ahead: float) -> dict[str, str]:
    """A peer's date, by a clock that is behind ours by so much."""
    return {"Date": format_datetime(clock.now() - timedelta(seconds=ahead), usegmt=True)}


def measured(ahead: float) -> ClockGuard:
    guard = ClockGuard()
    guard.measure(date(ahead), 0)
    return guard


@pytest.mark.parametrize("ahead", [0, 5, -5, 28, -28, 60, -60, 300, -300, 86_400, -86_400])
def test_row_25_the_measure_is_right_to_a_second(ahead: float) -> None:
    told: list[float] = []
    guard = ClockGuard(told.append)
    guard.measure(date(ahead), 0)
    assert guard.ahead_seconds == pytest.approx(ahead, abs=1)
    assert told == [pytest.approx(ahead, abs=1)]
    if abs(ahead) < 30:
        guard.insist()
    else:
        with pytest.raises(ClockWrong, match=r"N614 our clock is \d+ s (ahead of|behind) WIPO's: nothing is signed"):
            guard.insist()


@pytest.mark.parametrize("step", [timedelta(days=1), timedelta(days=-1), timedelta(minutes=5)])
def test_row_26_a_step_of_the_clock_is_known_at_once_and_looked_at(step: timedelta) -> None:
    guard = measured(0)
    assert not guard.needs_a_look()
    with time_machine.travel(clock.now() + step, tick=True):
        assert guard.ahead_seconds == pytest.approx(step.total_seconds(), abs=1.5)
        assert guard.needs_a_look()
        with pytest.raises(ClockWrong):
            guard.insist()
    guard.insist()


def test_an_answer_without_a_date_or_with_a_strange_one_says_nothing() -> None:
    guard = ClockGuard()
    for headers in ({}, {"Date": ""}, {"Date": "yesterday"}, {"Date": "Thu, 99 Foo 2026"}):
        guard.measure(headers, 0)
    assert guard.ahead_seconds is None
    guard.insist()


def test_with_a_clock_far_off_no_assertion_leaves_and_wipo_is_asked_for_the_time(
    client: DasClient, token_endpoint: Peer, wipo: Peer
) -> None:
    token_endpoint.will_say(Says(401, {"error": "invalid_client"}, date(-40)))
    with pytest.raises(ClockWrong, match=r"our clock is 4[01] s behind WIPO's"):
        client.notify(NOTIFICATION)
    for _ in range(3):
        with pytest.raises(ClockWrong):
            client.notify(NOTIFICATION)
    assert [heard.method for heard in token_endpoint.heard] == ["POST"], "measured just now, not asked again"
    assert wipo.heard == []


def test_it_goes_on_by_itself_once_the_clock_is_right(client: DasClient, token_endpoint: Peer, wipo: Peer) -> None:
    token_endpoint.will_say(Says(200, TOKEN, date(0)))
    client.notify(NOTIFICATION)
    wipo.will_say(Says(401), Says(204))
    with time_machine.travel(clock.now() + timedelta(seconds=90), tick=True):
        token_endpoint.will_say(Says(404, b"", date(90)))
        with pytest.raises(ClockWrong, match=r"our clock is (89|9[01]) s ahead of WIPO's"):
            client.notify(NOTIFICATION)
    assert [heard.method for heard in token_endpoint.heard] == ["POST", "GET"], "the second without an assertion"
    assert token_endpoint.heard[-1].body == b""
    token_endpoint.will_say(Says(200, TOKEN, date(0)))
    client.notify(NOTIFICATION)
    assert wipo.heard[-1].method == "POST"
