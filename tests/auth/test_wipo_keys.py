"""WIPO's key set: when it is fetched, what of it counts, and how keys come and go. Conditions 89 to 96."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.auth.assertions import ABSENT
from tests.auth.wipo_office import WipoOffice
from tests.auth.wipo_server import (
    KID,
    WipoServer,
    WipoTokens,
    invented,
    next_key,
    next_tokens,
    present_key,
    published,
    rsa_key,
)
from tests.office import eventually
from tests.peer import Says

MakeWipoOffice = Callable[..., WipoOffice]

LEAST_LIFE_SECONDS = 5
"""Of a key set, whatever its headers say: the least `refetch_seconds` that the settings allow."""


@pytest.fixture(params=["in this process", "over processes"])
def forgetful_office(request: pytest.FixtureRequest, new_wipo_office: MakeWipoOffice) -> WipoOffice:
    """An office as `wipo_office`, that keeps a key set no longer than its headers say."""
    office = new_wipo_office(refetch_seconds=LEAST_LIFE_SECONDS)
    if request.param == "over processes":
        office.serve()
    return office


def warm(office: WipoOffice, tokens: WipoTokens) -> None:
    """Let every worker fetch the keys."""

    def calls() -> bool:
        with ThreadPoolExecutor(8) as threads:
            assert set(threads.map(office.call, [tokens.token() for _ in range(24)])) == {200}
        return office.wipo.fetches >= office.workers

    eventually(calls)


def test_089_40_calls_fetch_the_keys_once_a_worker(
    wipo_office: WipoOffice, wipo: WipoServer, wipo_tokens: WipoTokens
) -> None:
    assert wipo.fetches == 0  # making a node opens no connection
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(wipo_office.call, [wipo_tokens.token() for _ in range(40)])) == {200}
    assert 1 <= wipo.fetches <= wipo_office.workers


def test_090_a_new_key_works_at_once_and_the_old_one_goes_on(
    wipo_office: WipoOffice, wipo: WipoServer, wipo_tokens: WipoTokens
) -> None:
    warm(wipo_office, wipo_tokens)
    for name in ("next", "the one after", "the last"):
        kid = f"{name}/+="
        wipo.publish(present_key(), published(rsa_key(name), kid))
        assert wipo_office.call(WipoTokens(rsa_key(name), kid).token()) == 200
        assert wipo_office.call(wipo_tokens.token()) == 200
    assert wipo.fetches <= 4 * wipo_office.workers


def test_091_invented_kids_are_refused_with_one_fetch_a_worker(
    wipo_office: WipoOffice, wipo: WipoServer, wipo_tokens: WipoTokens
) -> None:
    warm(wipo_office, wipo_tokens)
    before = wipo.fetches
    for _ in range(60):
        assert wipo_office.call(invented()) == 401
    assert wipo.fetches - before <= wipo_office.workers
    assert wipo_office.call(wipo_tokens.token()) == 200


@pytest.mark.parametrize(
    "says",
    [
        Says(500),
        Says(503, "busy", {"Retry-After": "1"}),
        Says(404, "<html>gone</html>"),
        Says(200, "<html>maintenance</html>", {"Content-Type": "text/html"}),
        Says(200, "[]"),
        Says(200, {"keys": []}),
        Says(200, {"keys": {}}),
        Says(200, {}),
        Says(200, b'{"keys": ' + b"[" * 100_000),
        Says(200, b"\xff\xfe"),
        Says(302, headers={"Location": "/elsewhere"}),
        Says(200, {"keys": [{"kty": "RSA", "kid": KID, "use": "sig", "alg": "RS256", "n": "AQAB", "e": "AQAB"}]}),
    ],
    ids=lambda said: f"{said.status} {said.content()[:12]!r}",
)
def test_092_a_bad_answer_never_empties_the_cache(
    new_wipo_office: MakeWipoOffice, wipo: WipoServer, wipo_tokens: WipoTokens, says: Says
) -> None:
    office = new_wipo_office()
    warm(office, wipo_tokens)
    wipo.says = says
    assert office.call(invented()) == 503
    assert wipo.fetches == 2
    assert office.call(wipo_tokens.token()) == 200
    assert office.call(invented()) == 503
    assert wipo.fetches == 2


def test_092_the_keys_at_hand_serve_on_while_the_key_server_is_down(
    wipo_office: WipoOffice, wipo: WipoServer, wipo_tokens: WipoTokens
) -> None:
    warm(wipo_office, wipo_tokens)
    wipo.says = Says(500)
    for _ in range(10):
        assert wipo_office.call(invented()) == 503
        assert wipo_office.call(wipo_tokens.token()) == 200
    assert wipo.fetches <= 2 * wipo_office.workers


def test_092_a_call_is_answered_503_and_when_to_come_again_while_no_key_can_be_had(
    new_wipo_office: MakeWipoOffice, wipo: WipoServer, wipo_tokens: WipoTokens
) -> None:
    office = new_wipo_office()
    wipo.says = Says(500)
    answer = office.answer(wipo_tokens.token())
    assert (answer.status_code, answer.get_json()["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert int(answer.headers["Retry-After"]) > 0
    assert "WWW-Authenticate" not in answer.headers  # the token may well be good
    assert wipo.fetches == 1
    wipo.publish(present_key())
    office.clock.seconds += 31
    assert office.call(wipo_tokens.token()) == 200


def test_093_known_kids_are_answered_while_the_key_server_hangs(
    wipo_office: WipoOffice, wipo: WipoServer, wipo_tokens: WipoTokens
) -> None:
    warm(wipo_office, wipo_tokens)
    wipo.answers.clear()
    with ThreadPoolExecutor(4) as threads:
        asking = [threads.submit(wipo_office.call, invented()) for _ in range(4)]
        for _ in range(20):
            assert wipo_office.call(wipo_tokens.token()) == 200
        assert not any(answer.done() and answer.result() != 503 for answer in asking)
        assert {answer.result() for answer in asking} == {503}  # though the server never said a word
    assert wipo_office.call(wipo_tokens.token()) == 200
    wipo.answers.set()


def test_095_no_kid_is_refused_even_with_one_key(
    new_wipo_office: MakeWipoOffice, wipo: WipoServer, wipo_tokens: WipoTokens
) -> None:
    wipo.publish(present_key())
    office = new_wipo_office()
    assert office.call(wipo_tokens.token({"kid": ABSENT})) == 401
    assert wipo.fetches == 0


def test_096_a_withdrawn_key_is_refused_after_the_next_fetch(
    new_wipo_office: MakeWipoOffice, wipo: WipoServer, wipo_tokens: WipoTokens
) -> None:
    office = new_wipo_office()
    warm(office, wipo_tokens)
    wipo.publish(next_key())
    office.let_pass(901)
    assert office.call(wipo_tokens.token()) == 401
    assert office.call(next_tokens().token()) == 200
    assert wipo.fetches == 2


def test_096_no_worker_believes_a_withdrawn_key_once_its_set_has_ended(
    forgetful_office: WipoOffice, wipo: WipoServer, wipo_tokens: WipoTokens
) -> None:
    wipo.publish(present_key(), Cache_Control="max-age=1")
    warm(forgetful_office, wipo_tokens)
    wipo.publish(next_key())
    forgetful_office.let_pass(LEAST_LIFE_SECONDS + 0.5)
    assert [forgetful_office.call(wipo_tokens.token()) for _ in range(12)] == [401] * 12
    assert [forgetful_office.call(next_tokens().token()) for _ in range(12)] == [200] * 12
