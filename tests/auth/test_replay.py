"""An assertion is spent once, on both databases: by its jti, or by itself where WIPO sends none."""

import time
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
import structlog
import time_machine
from joserfc.jwk import ECKey
from sqlalchemy import func, select

from office_node.auth.used_assertions import UsedAssertionRecord
from tests.auth.assertions import ABSENT, Caller, resigned, signature_of, twin
from tests.auth.server import Registration, Server, assert_issued, assert_refused, make_server
from tests.office import free_port

TEN_YEARS = 315_360_000


@pytest.fixture(params=["strict-office", "compat-office"])
def caller(request: pytest.FixtureRequest, each_server: Server) -> Caller:
    """A client of `each_server`: the strict one sends a jti, the compat one none."""
    return each_server.callers[request.param]


def test_097_an_assertion_is_good_once(each_server: Server, caller: Caller) -> None:
    assertion = caller.assertion()
    assert_issued(each_server.ask(assertion))
    assert_refused(each_server.ask(assertion))
    assert_refused(each_server.ask(assertion, client_id=caller.client_id))


def test_097_a_jti_signed_anew_is_refused(each_server: Server, caller: Caller) -> None:
    jti = uuid4().hex
    assert_issued(each_server.ask(caller.assertion(jti=jti)))
    assert_refused(each_server.ask(caller.assertion(jti=jti)))
    assert_refused(each_server.ask(caller.assertion(jti=jti, exp=int(time.time()) + 1_000, iat=ABSENT)))


def test_097_the_twin_signature_is_refused(each_server: Server, caller: Caller) -> None:
    first, second = caller.assertion(), caller.assertion()
    assert_issued(each_server.ask(first))
    assert_refused(each_server.ask(twin(first)))
    assert_issued(each_server.ask(twin(second)))  # alone it is as good as the other
    assert_refused(each_server.ask(second))


def test_097_two_honest_assertions_of_one_second_are_both_accepted(each_server: Server) -> None:
    compat = each_server.callers["compat-office"]
    claims = compat.claims()
    first, second = compat.assertion(**claims), compat.assertion(**claims)
    assert first.rpartition(".")[0] == second.rpartition(".")[0]
    assert_issued(each_server.ask(first))
    assert_issued(each_server.ask(second))


def test_097_a_jti_added_to_an_assertion_without_one_does_not_revive_it(each_server: Server) -> None:
    compat = each_server.callers["compat-office"]
    assertion = compat.assertion()
    assert_issued(each_server.ask(assertion))
    with_jti = compat.assertion(jti="x")
    assert_refused(each_server.ask(f"{with_jti.rpartition('.')[0]}.{assertion.rpartition('.')[2]}"))


def test_100_a_forged_assertion_does_not_burn_the_jti_of_an_honest_one(
    each_server: Server, caller: Caller, stranger: ECKey
) -> None:
    jti = uuid4().hex
    honest = caller.assertion(jti=jti)
    for forged in (
        caller.assertion(jti=jti, key=stranger),
        resigned(honest, bytes(64)),
        resigned(honest, signature_of(honest)[:32] + bytes(32)),
        caller.assertion(jti=jti, aud="https://as.example.org"),
        caller.assertion(jti=jti, exp=1),
        caller.assertion({"typ": "at+jwt"}, jti=jti),
    ):
        assert_refused(each_server.ask(forged))
    assert_issued(each_server.ask(honest))


def test_100_a_forged_assertion_does_not_burn_an_honest_one_without_jti(each_server: Server) -> None:
    honest = each_server.callers["compat-office"].assertion()
    assert_refused(each_server.ask(resigned(honest, signature_of(honest)[:32] + bytes(31) + b"\1")))
    assert_issued(each_server.ask(honest))


def test_101_two_clients_may_use_the_same_jti(each_server: Server) -> None:
    jti = uuid4().hex
    for caller in each_server.callers.values():
        assert_issued(each_server.ask(caller.assertion(jti=jti)))
    for caller in each_server.callers.values():
        assert_refused(each_server.ask(caller.assertion(jti=jti)))


def test_101_a_jti_in_other_case_is_another_jti(each_server: Server, caller: Caller) -> None:
    jti = f"a{uuid4().hex}"
    for spelling in (jti, jti.upper(), f"{jti} ", f" {jti}", f"{jti}\0"):
        assert_issued(each_server.ask(caller.assertion(jti=spelling)))


@pytest.mark.parametrize("joint", ["", ":", "|", ".", '","'])
def test_101_a_client_cannot_burn_the_jti_of_one_whose_name_begins_alike(
    tmp_path: Path, keys_folder: Path, registrations: list[Registration], joint: str
) -> None:
    named = [replace(registrations[0], client_id=client_id) for client_id in ("a", f"a{joint}b")]
    server = make_server(tmp_path, keys_folder, named)
    short, long = server.callers.values()
    assert_issued(server.ask(short.assertion(jti=f"b{joint}1")))
    assert_issued(server.ask(long.assertion(jti="1")))
    server.node.database.close()


def test_102_a_replay_after_exp_inside_the_tolerance_is_refused(each_server: Server, caller: Caller) -> None:
    with time_machine.travel("2026-11-02T10:00:00Z", tick=False) as clock:
        ends = int(time.time()) + 30
        spent, unspent = caller.assertion(exp=ends), caller.assertion(exp=ends)
        assert_issued(each_server.ask(spent))
        clock.shift(30 + 59)
        each_server.node.used_assertions.forget_expired()
        assert_refused(each_server.ask(spent))
        assert_issued(each_server.ask(unspent))  # so it was not the time that refused the other


def test_102_fractions_of_seconds_open_no_gap(each_server: Server, caller: Caller) -> None:
    with time_machine.travel("2026-11-02T11:00:00Z", tick=False) as clock:
        spent = caller.assertion(exp=time.time() + 30.999)
        assert_issued(each_server.ask(spent))
        clock.shift(30.999 + 59.999)
        each_server.node.used_assertions.forget_expired()
        assert_refused(each_server.ask(spent))


def test_102_what_nobody_would_accept_any_more_is_forgotten_and_refused(each_server: Server, caller: Caller) -> None:
    with time_machine.travel("2027-11-02T12:00:00Z", tick=False) as clock:
        each_server.node.used_assertions.forget_expired()
        spent = caller.assertion()
        assert_issued(each_server.ask(spent))
        assert remembered(each_server) == 1
        clock.shift(2 * 3_600)
        assert each_server.node.used_assertions.forget_expired() == 1
        assert remembered(each_server) == 0
        assert_refused(each_server.ask(spent))


@pytest.mark.parametrize("seconds", [3_700, 86_400, TEN_YEARS])
def test_103_exp_beyond_the_cap_is_refused(each_server: Server, caller: Caller, seconds: int) -> None:
    jti = uuid4().hex
    assert_refused(each_server.ask(caller.assertion(exp=int(time.time()) + seconds, jti=jti)))
    assert_issued(each_server.ask(caller.assertion(jti=jti)))


def test_103_the_cap_is_what_the_settings_say(
    tmp_path: Path, keys_folder: Path, registrations: list[Registration]
) -> None:
    server = make_server(tmp_path, keys_folder, registrations, max_assertion_seconds=120)
    with time_machine.travel("2026-11-02T10:00:00Z", tick=False):
        now = int(time.time())
        for caller in server.callers.values():
            assert_issued(server.ask(caller.assertion(exp=now + 120)))
            assert_issued(server.ask(caller.assertion(exp=now + 180)))  # the tolerance between two clocks
            assert_refused(server.ask(caller.assertion(exp=now + 181)))
            assert_refused(server.ask(caller.assertion(exp=now + 1_000)))
    server.node.database.close()


def test_without_its_database_the_office_issues_nothing_and_asks_for_patience(
    tmp_path: Path, keys_folder: Path, registrations: list[Registration]
) -> None:
    url = f"postgresql://nobody@127.0.0.1:{free_port()}/nothing"
    server = make_server(tmp_path, keys_folder, registrations, url, schema_in_place=False)
    for caller in server.callers.values():
        answer = server.ask(caller.assertion())
        assert (answer.status_code, answer.get_json()["error"]) == (503, "temporarily_unavailable")
        assert int(answer.headers["Retry-After"]) > 0


def test_no_assertion_stands_in_the_store_or_in_the_log(each_server: Server, caller: Caller, stranger: ECKey) -> None:
    honest = caller.assertion()
    bent = [honest[:-3], caller.assertion(key=stranger), caller.assertion(aud="x"), caller.assertion(exp=1)]
    with structlog.testing.capture_logs() as lines:
        answers = [each_server.ask(assertion) for assertion in [honest, *bent]]
        tokens = [answer.get_json()["access_token"] for answer in answers if answer.status_code == 200]
    assert {"access token issued", "token request refused"} <= {line["event"] for line in lines}
    told = repr(lines) + repr(stored(each_server))
    for secret in [honest, *bent, *tokens]:
        assert all(part not in told for part in secret.split("."))


def remembered(server: Server) -> int:
    with server.node.database.reading() as session:
        return session.scalars(select(func.count()).select_from(UsedAssertionRecord)).one()


def stored(server: Server) -> list[str]:
    with server.node.database.reading() as session:
        return list(session.scalars(select(UsedAssertionRecord.replay_key)))
