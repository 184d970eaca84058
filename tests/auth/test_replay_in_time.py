"""Replay and time: what takes a clock that is moved, or a look at what the office wrote; in this process alone."""

import time
from pathlib import Path

import pytest
import structlog
import time_machine
from joserfc.jwk import ECKey
from sqlalchemy import func, select

from office_node.auth.used_assertions import UsedAssertionRecord
from tests.auth.assertions import Caller
from tests.auth.server import Registration, Server, assert_issued, assert_refused, make_server
from tests.office import free_port


@pytest.fixture
def local_server(each_server_in_process: Server) -> Server:
    """Both databases, one after the other."""
    return each_server_in_process


@pytest.fixture(params=["strict-office", "compat-office"])
def caller(request: pytest.FixtureRequest, local_server: Server) -> Caller:
    """A client of `local_server`: the strict one sends a jti, the compat one none."""
    return local_server.callers[request.param]


def test_102_a_replay_after_exp_inside_the_tolerance_is_refused(local_server: Server, caller: Caller) -> None:
    with time_machine.travel("2026-11-02T10:00:00Z", tick=False) as clock:
        ends = int(time.time()) + 30
        spent, unspent = caller.assertion(exp=ends), caller.assertion(exp=ends)
        assert_issued(local_server.ask(spent))
        clock.shift(30 + 59)
        local_server.node.used_assertions.forget_expired()
        assert_refused(local_server.ask(spent))
        assert_issued(local_server.ask(unspent))  # so it was not the time that refused the other


def test_102_fractions_of_seconds_open_no_gap(local_server: Server, caller: Caller) -> None:
    with time_machine.travel("2026-11-02T11:00:00Z", tick=False) as clock:
        spent = caller.assertion(exp=time.time() + 30.999)
        assert_issued(local_server.ask(spent))
        clock.shift(30.999 + 59.999)
        local_server.node.used_assertions.forget_expired()
        assert_refused(local_server.ask(spent))


def test_102_what_nobody_would_accept_any_more_is_forgotten_and_refused(local_server: Server, caller: Caller) -> None:
    with time_machine.travel("2027-11-02T12:00:00Z", tick=False) as clock:
        local_server.node.used_assertions.forget_expired()
        spent = caller.assertion()
        assert_issued(local_server.ask(spent))
        assert remembered(local_server) == 1
        clock.shift(2 * 3_600)
        assert local_server.node.used_assertions.forget_expired() == 1
        assert remembered(local_server) == 0
        assert_refused(local_server.ask(spent))


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


def test_no_assertion_stands_in_the_store_or_in_the_log(local_server: Server, caller: Caller, stranger: ECKey) -> None:
    honest = caller.assertion()
    bent = [honest[:-3], caller.assertion(key=stranger), caller.assertion(aud="x"), caller.assertion(exp=1)]
    with structlog.testing.capture_logs() as lines:
        answers = [local_server.ask(assertion) for assertion in [honest, *bent]]
        tokens = [answer.get_json()["access_token"] for answer in answers if answer.status_code == 200]
    assert {"access token issued", "token request refused"} <= {line["event"] for line in lines}
    told = repr(lines) + repr(stored(local_server))
    for secret in [honest, *bent, *tokens]:
        assert all(part not in told for part in secret.split("."))


def remembered(server: Server) -> int:
    with server.node.database.reading() as session:
        return session.scalars(select(func.count()).select_from(UsedAssertionRecord)).one()


def stored(server: Server) -> list[str]:
    with server.node.database.reading() as session:
        return list(session.scalars(select(UsedAssertionRecord.replay_key)))
