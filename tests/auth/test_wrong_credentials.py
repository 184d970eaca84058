"""All wrong credentials look the same from outside, to the last byte; the log tells the administrator the true reason.

Asked of the processes, so that what gunicorn adds is looked at too. HTTP Basic alone is told apart, as RFC 6749 5.2
wants it (condition 13).
"""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from joserfc.jwk import ECKey

from tests.auth.assertions import ABSENT, Caller, der, resigned, segment, signature_of
from tests.auth.server import Server, assert_issued, assert_refused, outside
from tests.office import secrets_in

LEAST_REFUSAL_SECONDS = 0.005
"""No refusal comes sooner, whatever it checked: only the shortest time can be asked of a busy machine, `make bench`
measures the rest."""


@pytest.fixture(params=["strict-office", "compat-office"])
def caller(request: pytest.FixtureRequest, running_server: Server) -> Caller:
    return running_server.callers[request.param]


def wrong_credentials(server: Server, caller: Caller, stranger: ECKey) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(reason for the log, assertion, what else the form says): every kind of credential that is not good enough."""
    ours, now = f"client {caller.client_id}: ", int(time.time())
    honest, other = caller.assertion(), server.callers["other-office"]
    spent = caller.assertion()
    assert_issued(server.ask(spent))
    unsigned = caller.assertion({"alg": "none"}).rpartition(".")[0]
    by_the_right_key = {
        "the client is not registered": caller.assertion(iss="nobody", sub="nobody"),
        "iss and sub do not name one client": caller.assertion(iss="other-office"),
        f"{ours}aud is not this server": caller.assertion(aud="https://as.example.org"),
        "expired": caller.assertion(exp=now - 120),
        "no exp": caller.assertion(exp=ABSENT),
        "exp is no moment in time": caller.assertion(exp="soon"),
        f"{ours}exp is more than 3600 s ahead": caller.assertion(exp=now + 86_400),
        "nbf lies in the future": caller.assertion(nbf=now + 90),
        "iat lies in the future": caller.assertion(iat=now + 90),
        f"{ours}jti is no short text": caller.assertion(jti=""),
        f"{ours}assertion used before": spent,
        f"{ours}alg is not ES256": caller.assertion({"alg": "RS256"}),
        f"{ours}typ of another kind of token": caller.assertion({"typ": "at+jwt"}),
        "crit or b64 in the header": caller.assertion({"crit": ["exp"]}),
        "brings its own key": caller.assertion({"jwk": stranger.as_dict(private=False)}),
        "no alg": caller.assertion({"alg": ABSENT}),
        "kid is no short text": caller.assertion({"kid": ["x"]}),
        "typ is no text": caller.assertion({"typ": 7}),
    }
    if caller.profile == "strict":
        by_the_right_key[f"{ours}no jti"] = caller.assertion(jti=ABSENT)
    yield from ((reason, assertion, {}) for reason, assertion in by_the_right_key.items())
    for assertion in (
        caller.assertion(key=stranger),
        caller.assertion({"kid": ABSENT}, key=stranger),
        caller.assertion(key=other.key),
        caller.assertion({"kid": "nobody"}),
        resigned(honest, bytes(64)),
    ):
        yield f"{ours}not signed by its key", assertion, {}
    for signature in (signature_of(honest)[:63], der(caller.key, honest.rpartition(".")[0], hashes.SHA256())):
        yield f"{ours}the signature does not have 64 bytes", resigned(honest, signature), {}
    yield "not three base64url parts", f"{unsigned}.", {}
    yield f"{ours}alg is not ES256", f"{unsigned}.AA", {}
    yield "not three base64url parts", f"{honest}=", {}
    yield "longer than any honest token", caller.assertion(padding="x" * 20_000), {}
    yield "header or claims are no JSON", f"{segment(b'{')}.{segment(b'}')}.AA", {}
    yield "header or claims are no JSON object", f"{segment([1])}.{segment([2])}.AA", {}
    yield "header or claims are nested too deep", f"{segment(b'[' * 200)}.{segment(b'[')}.AA", {}
    yield "iss and sub do not name one client", server.own_tokens.token(), {}
    yield "the client_id parameter names another client", caller.assertion(), {"client_id": "other-office"}
    nothing_usable = "no client_assertion of type jwt-bearer, or a client_secret beside it"
    yield nothing_usable, caller.assertion(), {"client_secret": "secret"}
    yield nothing_usable, "", {}
    yield nothing_usable, caller.assertion(), {"client_assertion_type": "urn:x"}


def test_057_all_wrong_credentials_look_alike_and_the_log_tells_them_apart(
    running_server: Server, caller: Caller, stranger: ECKey
) -> None:
    seen = []
    for reason, assertion, form in wrong_credentials(running_server, caller, stranger):
        log = running_server.office.log_file
        begin = log.stat().st_size
        began = time.monotonic()
        answer = running_server.ask(assertion, **form)
        assert time.monotonic() - began >= LEAST_REFUSAL_SECONDS, reason
        assert_refused(answer)
        seen.append(outside(answer))
        told = log.read_bytes()[begin:].decode()
        [refusal] = [line for line in map(json.loads, told.splitlines()) if line["event"] == "token request refused"]
        assert (refusal["reason"], refusal["code"], bool(refusal["hint"])) == (reason, "N411", True)
        assert secrets_in(told) == []
        assert not [part for part in assertion.split(".") if len(part) > 8 and part in told]
    assert len(seen) > 30
    assert {repr(one) for one in seen} == {repr(seen[0])}
