"""The claims of an assertion: who, for whom, and for how long; every claim bent alone, under a good signature."""

import json
import time
from typing import Any
from uuid import uuid4

import pytest
from joserfc.jwk import ECKey

from tests.auth.assertions import ABSENT, Caller, signed
from tests.auth.server import Server, assert_issued, assert_refused, outside

ONE_YEAR = 31_536_000


def with_raw_claim(caller: Caller, name: str, spelling: str) -> str:
    """An assertion whose claim `name` is written as `spelling`, which may be more than JSON allows."""
    claims = json.dumps(caller.claims(**{name: "@"}))
    return signed(caller.key, caller.header(), claims.replace('"@"', spelling).encode())


def test_003_a_compat_client_may_name_issuer_or_token_endpoint(server: Server, compat: Caller) -> None:
    for audience in (compat.issuer, compat.token_endpoint, [compat.issuer], [compat.token_endpoint]):
        assert_issued(server.ask(compat.assertion(aud=audience)))


def test_003_a_strict_client_names_the_issuer(server: Server, strict: Caller) -> None:
    assert_issued(server.ask(strict.assertion(aud=strict.issuer)))


def test_004_a_strict_client_names_nothing_but_the_issuer(server: Server, strict: Caller) -> None:
    issuer, endpoint = strict.issuer, strict.token_endpoint
    for audience in (endpoint, [issuer], [endpoint], [issuer, endpoint], [issuer, issuer], [issuer, "https://x.org"]):
        assert_refused(server.ask(strict.assertion(aud=audience)))


def test_004_a_compat_client_names_one_audience_only(server: Server, compat: Caller) -> None:
    issuer, endpoint = compat.issuer, compat.token_endpoint
    for audience in ([issuer, endpoint], [issuer, issuer], [endpoint, "https://x.org"], [[issuer]]):
        assert_refused(server.ask(compat.assertion(aud=audience)))


def test_005_iat_and_nbf_8_seconds_ahead_are_accepted(server: Server, caller: Caller) -> None:
    ahead = int(time.time()) + 8
    assert_issued(server.ask(caller.assertion(iat=ahead, nbf=ahead)))


@pytest.mark.parametrize(
    "typ", [ABSENT, "JWT", "jwt", "client-authentication+jwt", "application/client-authentication+jwt"], ids=str
)
def test_006_every_usual_typ_is_accepted(server: Server, caller: Caller, typ: Any) -> None:
    assert_issued(server.ask(caller.assertion({"typ": typ})))


def test_008_unknown_claims_are_ignored(server: Server, caller: Caller) -> None:
    assert_issued(server.ask(caller.assertion(colour="blue", scope=7, client_id=["x"], realm={"deep": None})))


def test_008_fractions_of_seconds_are_accepted(server: Server, caller: Caller) -> None:
    now = time.time()
    assert_issued(server.ask(caller.assertion(exp=now + 59.75, iat=now - 0.25, nbf=now - 0.5)))


@pytest.mark.parametrize("seconds", [10, 60, 1_000, 3_600])
def test_010_an_assertion_may_live_up_to_an_hour(server: Server, caller: Caller, seconds: int) -> None:
    assert_issued(server.ask(caller.assertion(exp=int(time.time()) + seconds)))


@pytest.mark.parametrize("name", ["sub", "iss", "aud", "exp"])
def test_042_no_required_claim_may_be_missing(server: Server, caller: Caller, name: str) -> None:
    assert_refused(server.ask(caller.assertion(**{name: ABSENT})))


@pytest.mark.parametrize("name", ["sub", "iss"])
@pytest.mark.parametrize("value", ["other-office", "nobody", "", "https://das.example.org"])
def test_043_sub_or_iss_of_another_is_refused(server: Server, caller: Caller, name: str, value: Any) -> None:
    assert_refused(server.ask(caller.assertion(**{name: value})))


def test_043_sub_and_iss_of_another_client_are_refused(server: Server, caller: Caller) -> None:
    assert_refused(server.ask(caller.assertion(iss="other-office", sub="other-office")))


@pytest.mark.parametrize("bend", [str.upper, str.title, lambda name: f"{name} ", lambda name: f"{name}\0"])
def test_043_sub_and_iss_in_another_spelling_are_refused(server: Server, caller: Caller, bend: Any) -> None:
    other = bend(caller.client_id)
    assert_refused(server.ask(caller.assertion(iss=other, sub=other)))
    assert_refused(server.ask(caller.assertion(sub=other)))


@pytest.mark.parametrize("kind", ["array", "object", "null", "number", "true"])
def test_044_iss_and_sub_are_text(server: Server, caller: Caller, kind: str) -> None:
    name = caller.client_id
    value = {"array": [name], "object": {name: name}, "null": None, "number": 7, "true": True}[kind]
    assert_refused(server.ask(caller.assertion(iss=value)))
    assert_refused(server.ask(caller.assertion(sub=value)))
    assert_refused(server.ask(caller.assertion(iss=value, sub=value)))


@pytest.mark.parametrize("seconds", [120, 300, ONE_YEAR])
def test_045_an_assertion_that_expired_is_refused(server: Server, caller: Caller, seconds: int) -> None:
    assert_refused(server.ask(caller.assertion(exp=int(time.time()) - seconds)))


@pytest.mark.parametrize("value", [0, -1, -1e300])
def test_045_an_exp_before_all_time_is_refused(server: Server, caller: Caller, value: float) -> None:
    assert_refused(server.ask(caller.assertion(exp=value)))


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize(
    "spelling", ['"{}"', "true", "false", "null", "NaN", "Infinity", "-Infinity", "[{}]", '{{"at": {}}}', '""', '"now"']
)
def test_046_a_time_that_is_no_number_is_refused(server: Server, caller: Caller, name: str, spelling: str) -> None:
    assert_refused(server.ask(with_raw_claim(caller, name, spelling.format(int(time.time()) + 30))))


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize(
    "spelling", ["1e400", "9" * 40, "9" * 400, "9" * 5_000, "1e308", "1" + "0" * 12], ids=lambda text: text[:6]
)
def test_047_a_time_beyond_all_numbers_is_refused(server: Server, caller: Caller, name: str, spelling: str) -> None:
    assert_refused(server.ask(with_raw_claim(caller, name, spelling)))


@pytest.mark.parametrize("spelling", ["-1e400", "-" + "9" * 400, "-" + "9" * 5_000, "1e-400", "-0.0"], ids=len)
def test_047_an_exp_below_all_numbers_is_refused(server: Server, caller: Caller, spelling: str) -> None:
    assert_refused(server.ask(with_raw_claim(caller, "exp", spelling)))


@pytest.mark.parametrize("seconds", [70, 90, ONE_YEAR])
def test_048_nbf_more_than_a_minute_ahead_is_refused(server: Server, caller: Caller, seconds: int) -> None:
    assert_refused(server.ask(caller.assertion(nbf=int(time.time()) + seconds)))


@pytest.mark.parametrize("seconds", [70, 90, ONE_YEAR])
def test_049_iat_more_than_a_minute_ahead_is_refused(server: Server, caller: Caller, seconds: int) -> None:
    assert_refused(server.ask(caller.assertion(iat=int(time.time()) + seconds)))


@pytest.mark.parametrize(
    "audience",
    [
        "https://as.example.org",
        "{issuer}.example.org",
        "{issuer}/",
        "{issuer}/oauth2",
        "{endpoint}/",
        "{endpoint}?x=1",
        "{cut}",
        "{jwks}",
        "{client_id}",
        "{issuer} {endpoint}",
        "",
    ],
)
def test_050_another_audience_is_refused(server: Server, caller: Caller, audience: str) -> None:
    named = audience.format(
        issuer=caller.issuer,
        endpoint=caller.token_endpoint,
        cut=caller.issuer[:-1],
        jwks=f"{caller.issuer}/oauth2/jwks",
        client_id=caller.client_id,
    )
    assert_refused(server.ask(caller.assertion(aud=named)))
    assert_refused(server.ask(caller.assertion(aud=[named])))


def test_050_an_audience_in_other_case_is_refused(server: Server, caller: Caller) -> None:
    assert_refused(server.ask(caller.assertion(aud=caller.issuer.upper())))
    assert_refused(server.ask(caller.assertion(aud=caller.token_endpoint.upper())))


@pytest.mark.parametrize("shape", ["object", "empty array", "null", "number", "true", "array of object"])
def test_050_an_audience_of_another_type_is_refused(server: Server, caller: Caller, shape: str) -> None:
    named = {caller.issuer: caller.token_endpoint}
    values = {"object": named, "empty array": [], "null": None, "number": 7, "true": True, "array of object": [named]}
    assert_refused(server.ask(caller.assertion(aud=values[shape])))


def test_051_jti_missing_is_refused_for_a_strict_client(server: Server, strict: Caller) -> None:
    assert_refused(server.ask(strict.assertion(jti=ABSENT)))


def test_051_jti_missing_is_accepted_from_a_compat_client(server: Server, compat: Caller) -> None:
    assert_issued(server.ask(compat.assertion(jti=ABSENT)))


def test_052_an_empty_jti_is_refused(server: Server, caller: Caller) -> None:
    assert_refused(server.ask(caller.assertion(jti="")))


@pytest.mark.parametrize("jti", [7, 0, 1.5, None, True, ["{}"], {"id": "x"}, []], ids=repr)
def test_053_a_jti_that_is_no_text_is_refused(server: Server, caller: Caller, jti: Any) -> None:
    assert_refused(server.ask(caller.assertion(jti=jti)))
    assert_issued(server.ask(caller.assertion(jti=uuid4().hex)))


def test_057_every_failure_of_authentication_looks_alike(server: Server, caller: Caller, stranger: ECKey) -> None:
    spent = caller.assertion()
    assert_issued(server.ask(spent))
    failures = [
        caller.assertion(iss="nobody", sub="nobody"),
        caller.assertion(key=stranger),
        "no JWS",
        caller.assertion(exp=1),
        caller.assertion(aud="https://as.example.org"),
        caller.assertion({"alg": "none"}),
        caller.assertion({"kid": "nobody"}),
        spent,
    ]
    answers = [server.ask(failure) for failure in failures]
    for answer in answers:
        assert_refused(answer)
    assert len({repr(outside(answer)) for answer in answers}) == 1
