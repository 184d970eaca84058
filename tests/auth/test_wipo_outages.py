"""WIPO's key server goes down, hangs, rotates or is asked for nothing; all in one process, whose clock is moved."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import structlog

from tests.auth.wipo_office import WipoOffice
from tests.auth.wipo_server import WipoServer, WipoTokens, invented, next_key, next_tokens, present_key
from tests.office import eventually
from tests.peer import Says

DAY = 86_400


@pytest.fixture
def office(new_wipo_office: Callable[..., WipoOffice], wipo_tokens: WipoTokens) -> WipoOffice:
    """An office in this process that has fetched its keys; a fetch may take it a second."""
    made = new_wipo_office(fetch_seconds=1.0)
    assert made.call(wipo_tokens.token()) == 200
    return made


def test_ten_minutes_without_the_key_server_harm_nobody(
    office: WipoOffice, wipo: WipoServer, wipo_tokens: WipoTokens
) -> None:
    wipo.says, statuses = Says(503), set()
    before = wipo.fetches

    def has_fetched(times: int) -> bool:
        statuses.add(office.call(wipo_tokens.token()))
        return wipo.fetches - before == times

    office.clock.seconds += 800  # past the moment at which the set would be renewed in the background
    for rest in range(1, 21):
        office.clock.seconds += 31
        # A call while the last fetch still ends begins none: so calls go on until this rest has had its one.
        eventually(partial(has_fetched, rest))
    assert statuses == {200}
    wipo.publish(present_key())
    office.clock.seconds += 31
    assert office.call(wipo_tokens.token()) == 200


def test_a_day_past_its_life_nothing_of_a_set_is_believed(
    office: WipoOffice, wipo: WipoServer, wipo_tokens: WipoTokens
) -> None:
    wipo.says = Says(500)
    office.clock.seconds += 900 + DAY - 60
    assert office.call(wipo_tokens.token()) == 200
    office.clock.seconds += 61
    assert office.call(wipo_tokens.token()) == 503
    wipo.publish(present_key())
    office.clock.seconds += 31
    assert office.call(wipo_tokens.token()) == 200


def test_row_19_1000_invented_kids_are_one_fetch_in_30_seconds_and_good_calls_go_on(
    office: WipoOffice, wipo: WipoServer, wipo_tokens: WipoTokens
) -> None:
    before = wipo.fetches
    with ThreadPoolExecutor(16) as threads:
        flood = threads.map(office.call, [invented() for _ in range(1_000)])
        good = [office.call(wipo_tokens.token()) for _ in range(50)]
        assert set(flood) == {401}
    assert set(good) == {200}
    assert wipo.fetches - before == 1
    office.clock.seconds += 31
    with ThreadPoolExecutor(16) as threads:
        assert set(threads.map(office.call, [invented() for _ in range(50)])) == {401}
    assert wipo.fetches - before == 2


def test_a_rotation_during_the_rest_is_seen_when_it_ends(office: WipoOffice, wipo: WipoServer) -> None:
    assert office.call(invented()) == 401
    wipo.publish(present_key(), next_key())
    assert office.call(next_tokens().token()) == 401
    office.clock.seconds += 31
    assert office.call(next_tokens().token()) == 200


def test_60_calls_at_once_with_a_new_key_are_all_accepted_with_one_fetch(
    new_wipo_office: Callable[..., WipoOffice], wipo: WipoServer, wipo_tokens: WipoTokens
) -> None:
    office, tokens = new_wipo_office(), [next_tokens().token() for _ in range(60)]
    assert office.call(wipo_tokens.token()) == 200
    wipo.publish(present_key(), next_key())
    wipo.answers.clear()
    with ThreadPoolExecutor(60) as threads:
        asked = [threads.submit(office.call, token) for token in tokens]
        eventually(lambda: wipo.fetches == 2)
        wipo.answers.set()
        assert {answer.result() for answer in asked} == {200}
    assert wipo.fetches == 2


def test_a_key_published_while_a_fetch_was_answered_already_is_fetched_at_once(
    office: WipoOffice, wipo: WipoServer, wipo_tokens: WipoTokens
) -> None:
    wipo.answers.clear()
    office.clock.seconds += 800
    assert office.call(wipo_tokens.token()) == 200
    eventually(lambda: wipo.fetches == 2)  # in the background; what it brings is the set of before
    wipo.publish(present_key(), next_key())
    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(office.call, next_tokens().token()) for _ in range(4)]
        time.sleep(0.3)  # within the fetch's second
        wipo.answers.set()
        assert {answer.result() for answer in asked} == {200}
    assert wipo.fetches == 3


def test_known_kids_wait_for_no_background_fetch(office: WipoOffice, wipo: WipoServer, wipo_tokens: WipoTokens) -> None:
    wipo.answers.clear()
    office.clock.seconds += 800
    for _ in range(10):
        assert office.call(wipo_tokens.token()) == 200
    eventually(lambda: wipo.fetches == 2)
    wipo.answers.set()


def test_known_kids_past_their_life_are_answered_though_the_server_hangs(
    office: WipoOffice, wipo: WipoServer, wipo_tokens: WipoTokens
) -> None:
    wipo.answers.clear()
    office.clock.seconds += 1_000
    with ThreadPoolExecutor(12) as threads:
        assert set(threads.map(office.call, [wipo_tokens.token() for _ in range(12)])) == {200}
    assert wipo.fetches == 2
    wipo.answers.set()


def test_after_a_fetch_that_failed_known_kids_wait_for_none(
    new_wipo_office: Callable[..., WipoOffice], wipo: WipoServer, wipo_tokens: WipoTokens
) -> None:
    office = new_wipo_office(fetch_seconds=600.0)
    assert office.call(wipo_tokens.token()) == 200
    wipo.says = Says(500)
    office.clock.seconds += 1_000
    assert office.call(wipo_tokens.token()) == 200
    wipo.answers.clear()
    office.clock.seconds += 31
    for _ in range(30):  # each would wait for six seconds, and this test as a whole has 120
        assert office.call(wipo_tokens.token()) == 200
    eventually(lambda: wipo.fetches == 3)
    wipo.answers.set()


def test_while_the_server_hangs_few_wait_and_the_others_are_told_to_come_again(
    office: WipoOffice, wipo: WipoServer, wipo_tokens: WipoTokens
) -> None:
    wipo.answers.clear()
    with ThreadPoolExecutor(30) as threads:
        flood = list(threads.map(office.call, [invented() for _ in range(60)]))
        assert set(flood) == {503}
    assert wipo.fetches == 2
    assert office.call(wipo_tokens.token()) == 200
    wipo.answers.set()


@pytest.mark.parametrize(
    ("headers", "life"),
    [
        ({}, 900),
        ({"Cache_Control": "public, max-age=300"}, 300),
        ({"Cache_Control": "max-age=300", "Age": "100"}, 200),
        ({"Cache_Control": "no-store"}, 30),
        ({"Cache_Control": "no-cache, max-age=600"}, 30),
        ({"Cache_Control": "max-age=1"}, 30),
        ({"Cache_Control": "max-age=9999999"}, DAY),
        ({"Expires": "0"}, 30),
        ({"Date": "Mon, 02 Nov 2026 10:00:00 GMT", "Expires": "Mon, 02 Nov 2026 10:10:00 GMT"}, 600),
        ({"Cache_Control": "max-age=soon"}, 900),
    ],
    ids=str,
)
def test_a_set_lives_as_long_as_its_headers_say(
    office: WipoOffice, wipo: WipoServer, wipo_tokens: WipoTokens, headers: dict[str, str], life: int
) -> None:
    wipo.publish(present_key(), next_key(), **headers)
    assert office.call(next_tokens().token()) == 200
    wipo.publish(present_key())
    office.clock.seconds += life - 1  # in the last fifth a fetch begins, and nobody waits for it
    before = wipo.fetches
    assert office.call(next_tokens().token()) in (200, 401)  # 401 if that fetch has landed already
    eventually(lambda: wipo.fetches == before + 1)
    office.clock.seconds += 2
    eventually(lambda: office.call(next_tokens().token()) == 401)


def test_the_log_tells_why_the_keys_were_not_fetched(
    office: WipoOffice, wipo: WipoServer, wipo_tokens: WipoTokens
) -> None:
    wipo.says = Says(200, "<html>")
    with structlog.testing.capture_logs() as lines:
        assert office.call(invented()) == 503
    told = {line["event"]: line["code"] for line in lines if "code" in line}
    assert told == {"WIPO's keys not fetched": "N405", "request not served": "N404"}
