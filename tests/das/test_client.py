"""The client that speaks to WIPO: its token, its notifications, and what it makes of every kind of answer."""

import json
import time
from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from office_node.das import access_token
from office_node.das.access_token import AccessDenied, AccessTokens
from office_node.das.client import DasClient
from office_node.das.clock_guard import ClockGuard
from office_node.errors import OfficeNodeError, PeerRefused, PeerUnavailable
from office_node.network.destinations import Destinations
from office_node.network.egress import Egress
from tests.peer import Peer, Says, listening_peer

KEY = ECKey.generate_key("P-256")
NOTIFICATION = {"requestAckId": "B1", "requestStatusCategory": "success"}


@pytest.fixture
def token_endpoint() -> Iterator[Peer]:
    with listening_peer() as peer:
        peer.will_say(_token("first"), _token("second"), _token("third"))
        yield peer


@pytest.fixture
def wipo() -> Iterator[Peer]:
    with listening_peer() as peer:
        peer.will_say(Says(204))
        yield peer


class Clock:
    """The monotonic clock, moved forward by hand."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def advance(self, seconds: float) -> None:
        self._ahead += seconds

    def monotonic(self) -> float:
        return time.monotonic() + self._ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(access_token, "time", clock)
    return clock


@pytest.fixture
def client(token_endpoint: Peer, wipo: Peer) -> DasClient:
    destinations = Destinations([wipo.url, token_endpoint.url])
    egress = Egress(destinations, connect_seconds=2, read_seconds=2, total_seconds=4, user_agent="office-node/test")
    tokens = AccessTokens(
        egress,
        clock_guard=ClockGuard(),
        token_url=f"{token_endpoint.url}/token",
        client_id="das-xx",
        key=lambda: KEY,
        scope="das-api/office-exchange",
    )
    return DasClient(egress, tokens, f"{wipo.url}/das-api/v1/")


def test_a_notification_goes_to_wipos_path_with_our_token(client: DasClient, wipo: Peer) -> None:
    client.notify(NOTIFICATION)
    [heard] = wipo.heard
    assert (heard.method, heard.path) == ("POST", "/das-api/v1/requests/notifications")
    assert heard.headers["Authorization"] == "Bearer first"
    assert heard.headers["Content-Type"] == "application/json"
    assert json.loads(heard.body) == NOTIFICATION


def test_the_token_is_asked_for_by_an_es256_assertion_of_a_minute(client: DasClient, token_endpoint: Peer) -> None:
    client.notify(NOTIFICATION)
    form = {name: values[0] for name, values in parse_qs(token_endpoint.heard[0].body.decode()).items()}
    assertion = form.pop("client_assertion")
    assert form == {
        "grant_type": "client_credentials",
        "scope": "das-api/office-exchange",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }
    claims = jwt.decode(assertion, KEY, algorithms=["ES256"]).claims
    assert (claims["iss"], claims["sub"]) == ("das-xx", "das-xx")
    assert claims["aud"] == f"{token_endpoint.url}/token"
    assert claims["exp"] - claims["iat"] == 60
    assert len(claims["jti"]) >= 20


def test_one_token_serves_many_calls(client: DasClient, token_endpoint: Peer, wipo: Peer) -> None:
    for _ in range(5):
        client.notify(NOTIFICATION)
    assert (len(token_endpoint.heard), len(wipo.heard)) == (1, 5)


def test_a_token_that_wipo_refuses_is_renewed_once_and_the_call_repeated(client: DasClient, wipo: Peer) -> None:
    wipo.will_say(Says(401), Says(204))
    client.notify(NOTIFICATION)
    assert [heard.headers["Authorization"] for heard in wipo.heard] == ["Bearer first", "Bearer second"]


def test_a_short_lived_token_is_renewed_before_it_ends(client: DasClient, token_endpoint: Peer, wipo: Peer) -> None:
    token_endpoint.will_say(_token("first", seconds=0.01), _token("second"))
    client.notify(NOTIFICATION)
    time.sleep(0.02)
    client.notify(NOTIFICATION)
    assert [heard.headers["Authorization"] for heard in wipo.heard] == ["Bearer first", "Bearer second"]


def test_row_18_a_living_token_serves_while_the_token_endpoint_is_down(
    client: DasClient, token_endpoint: Peer, wipo: Peer, clock: Clock
) -> None:
    token_endpoint.will_say(_token("first", seconds=1000), Says(503), Says(503), _token("second"))
    for seconds in (0, 850, 1, 40, 40):  # asked for, due, too soon to ask again, due again, the endpoint is back
        clock.advance(seconds)
        client.notify(NOTIFICATION)
    assert _presented(wipo) == ["Bearer first"] * 4 + ["Bearer second"]
    assert len(token_endpoint.heard) == 4


def test_a_renewal_is_not_tried_again_sooner_than_the_endpoint_asks(
    client: DasClient, token_endpoint: Peer, clock: Clock
) -> None:
    token_endpoint.will_say(_token("first", seconds=1000), Says(503, headers={"Retry-After": "90"}))
    for seconds in (0, 850, 80):
        clock.advance(seconds)
        client.notify(NOTIFICATION)
    assert len(token_endpoint.heard) == 2


def test_a_dead_token_is_not_presented_though_no_other_can_be_had(
    client: DasClient, token_endpoint: Peer, wipo: Peer, clock: Clock
) -> None:
    token_endpoint.will_say(_token("first", seconds=1000), Says(503))
    for seconds in (0, 990):
        clock.advance(seconds)
        client.notify(NOTIFICATION)
    clock.advance(10)  # sooner than the next try would be, were the token still alive
    with pytest.raises(PeerUnavailable, match="token endpoint answered 503"):
        client.notify(NOTIFICATION)
    assert _presented(wipo) == ["Bearer first"] * 2


def test_a_token_that_wipo_refused_is_not_presented_again_though_no_other_can_be_had(
    client: DasClient, token_endpoint: Peer, wipo: Peer
) -> None:
    token_endpoint.will_say(_token("first"), Says(503))
    wipo.will_say(Says(401))
    for _ in range(2):
        with pytest.raises(PeerUnavailable, match="token endpoint answered 503"):
            client.notify(NOTIFICATION)
    assert _presented(wipo) == ["Bearer first"]


def test_a_denied_renewal_is_told_at_once(client: DasClient, token_endpoint: Peer, wipo: Peer, clock: Clock) -> None:
    token_endpoint.will_say(_token("first", seconds=1000), Says(401, {"error": "invalid_client"}))
    client.notify(NOTIFICATION)
    clock.advance(850)
    with pytest.raises(AccessDenied):
        client.notify(NOTIFICATION)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_is_success(client: DasClient, wipo: Peer, status: int) -> None:
    wipo.will_say(Says(status))
    client.notify(NOTIFICATION)


def test_a_204_that_calls_itself_html_is_success(client: DasClient, wipo: Peer) -> None:
    wipo.will_say(Says(204, headers={"Content-Type": "text/html; charset=utf-8"}))
    client.notify(NOTIFICATION)


_REFUSAL = {"code": "INVALID_INPUT_DATA", "message": None, "details": [{"code": -7, "message": "not registered"}]}


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (Says(400, _REFUSAL), PeerRefused),
        (Says(404, _REFUSAL), PeerRefused),
        (Says(409, {"error": _REFUSAL}), PeerRefused),
        (Says(422, "not JSON"), PeerRefused),
        (Says(404), PeerUnavailable),
        (Says(404, "<html>nothing here", {"Content-Type": "text/html"}), PeerUnavailable),
        (Says(200, "<html>please log in", {"Content-Type": "text/html"}), PeerUnavailable),
        (Says(302, headers={"Location": "http://127.0.0.1:9/"}), PeerUnavailable),
        (Says(408), PeerUnavailable),
        (Says(429), PeerUnavailable),
        (Says(500, _REFUSAL), PeerUnavailable),
        (Says(502, "<html>bad gateway", {"Content-Type": "text/html"}), PeerUnavailable),
        (Says(503), PeerUnavailable),
        (Says(401), AccessDenied),
        (Says(403), AccessDenied),
    ],
)
def test_every_failure_is_sorted_by_whose_turn_it_is(
    client: DasClient, wipo: Peer, said: Says, error: type[OfficeNodeError]
) -> None:
    wipo.will_say(said)
    with pytest.raises(OfficeNodeError) as raised:
        client.notify(NOTIFICATION)
    assert type(raised.value) is error


@pytest.mark.parametrize("body", [_REFUSAL, {"error": _REFUSAL}])
def test_wipos_reason_is_told_in_either_shape(client: DasClient, wipo: Peer, body: object) -> None:
    wipo.will_say(Says(400, body))
    with pytest.raises(PeerRefused, match="WIPO answered 400: -7 not registered"):
        client.notify(NOTIFICATION)


def test_an_access_code_that_wipo_quotes_is_not_repeated(client: DasClient, wipo: Peer) -> None:
    message = "Mismatched access code: dasAccessCode: expected dasAccessCode=AB21"
    wipo.will_say(Says(400, {"details": [{"code": -14, "message": message}]}))
    with pytest.raises(PeerRefused) as raised:
        client.notify(NOTIFICATION)
    assert "-14 Mismatched access code" in str(raised.value)
    assert "AB21" not in str(raised.value)


@pytest.mark.parametrize("oddity", [[], "text", 7, {"error": []}, {"details": "x"}, {"details": [7]}])
def test_a_refusal_of_an_unknown_shape_is_still_a_refusal(client: DasClient, wipo: Peer, oddity: object) -> None:
    wipo.will_say(Says(400, oddity))
    with pytest.raises(PeerRefused, match="WIPO answered 400"):
        client.notify(NOTIFICATION)


def test_retry_after_is_handed_on(client: DasClient, wipo: Peer) -> None:
    wipo.will_say(Says(503, headers={"Retry-After": "77"}))
    with pytest.raises(PeerUnavailable) as raised:
        client.notify(NOTIFICATION)
    assert raised.value.retry_after_seconds == 77


def test_a_timeout_or_429_asks_for_a_minute_at_least(client: DasClient, wipo: Peer) -> None:
    wipo.will_say(Says(429))
    with pytest.raises(PeerUnavailable) as raised:
        client.notify(NOTIFICATION)
    assert raised.value.needs_rest


@pytest.mark.parametrize("status", [400, 401, 403])
def test_credentials_that_wipo_refuses_wait_for_a_human(client: DasClient, token_endpoint: Peer, status: int) -> None:
    token_endpoint.will_say(Says(status, {"error": "invalid_client"}))
    with pytest.raises(AccessDenied, match=rf"token endpoint answered {status} \(invalid_client\)"):
        client.notify(NOTIFICATION)


@pytest.mark.parametrize(
    "said",
    [Says(500), Says(503, "<html>"), Says(200, "not JSON"), Says(200, {"token": "x"}), Says(200, {"access_token": 7})],
)
def test_a_token_endpoint_that_fails_is_tried_again_later(client: DasClient, token_endpoint: Peer, said: Says) -> None:
    token_endpoint.will_say(said)
    with pytest.raises(PeerUnavailable) as raised:
        client.notify(NOTIFICATION)
    assert not isinstance(raised.value, AccessDenied)


@pytest.mark.parametrize("seconds", [None, "3599", True, -1, 0, 1e30])
def test_an_odd_lifetime_does_not_stop_the_exchange(
    client: DasClient, token_endpoint: Peer, wipo: Peer, seconds: object
) -> None:
    token_endpoint.will_say(Says(200, {"access_token": "odd", "token_type": "Bearer", "expires_in": seconds}))
    client.notify(NOTIFICATION)
    assert wipo.heard[0].headers["Authorization"] == "Bearer odd"


def _presented(wipo: Peer) -> list[str]:
    return [heard.headers["Authorization"] for heard in wipo.heard]


def _token(value: str, seconds: float = 3599) -> Says:
    return Says(200, {"access_token": value, "token_type": "Bearer", "expires_in": seconds})
