"""An assertion is spent once, on both databases: by its jti, or by itself where WIPO sends none."""

import time
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from joserfc.jwk import ECKey

from tests.auth.assertions import ABSENT, Caller, resigned, signature_of, twin
from tests.auth.server import Registration, Server, assert_issued, assert_refused, make_server

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


def test_102_a_replay_inside_the_tolerance_is_refused_wherever_it_is_sent(each_server: Server, caller: Caller) -> None:
    """Over processes, whose clock no test moves: an assertion that has expired, and is good for half a minute yet."""
    spent = caller.assertion(exp=int(time.time()) - 30, iat=ABSENT)
    assert_issued(each_server.ask(spent))
    for _ in range(10):
        assert_refused(each_server.ask(spent))


@pytest.mark.parametrize("seconds", [3_700, 86_400, TEN_YEARS])
def test_103_exp_beyond_the_cap_is_refused(each_server: Server, caller: Caller, seconds: int) -> None:
    jti = uuid4().hex
    assert_refused(each_server.ask(caller.assertion(exp=int(time.time()) + seconds, jti=jti)))
    assert_issued(each_server.ask(caller.assertion(jti=jti)))
