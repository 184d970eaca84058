"""Simulated WIPO can change its keys and fall ill, place by place, as WIPO's servers may; and counts who came."""

import threading
import time
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from office_node.rehearsal.central import TOKEN_PATH, Central
from office_node.rehearsal.faults import PLACES
from office_node.rehearsal.routes import create_app
from office_node.rehearsal.wipos_places import JWKS_PATH
from tests.conftest import MakeOffice
from tests.databases import on_sqlite
from tests.office import Office, eventually
from tests.rehearsal.test_central import make_central

NOTIFICATIONS = "/das-api/v1/requests/notifications"


@pytest.fixture
def central() -> Central:
    return make_central()


@pytest.fixture
def http(central: Central) -> FlaskClient:
    return create_app(central).test_client()


@pytest.fixture
def ill(new_office: MakeOffice) -> Office:
    """An office whose simulated WIPO runs, to be made ill."""
    office = new_office()
    office.start_central()
    return office


def key_set(http: FlaskClient) -> dict[str, RSAKey]:
    answer: Any = http.get(JWKS_PATH).json
    return {key["kid"]: RSAKey.import_key(key) for key in answer["keys"] if key["use"] == "sig"}


def test_after_a_rotation_the_new_key_signs_and_the_old_one_is_still_published(
    central: Central, http: FlaskClient
) -> None:
    before = key_set(http)
    old = central.tokens.mint("wipo-das")
    rotated: Any = http.post("/rehearsal/keys/rotate", json={}).json
    new = central.tokens.mint("wipo-das")
    after = key_set(http)
    assert [*after] == rotated["published"] == [rotated["kid"], *before]
    for token, kid in ((old, next(iter(before))), (new, rotated["kid"])):
        assert jwt.decode(token, after[kid], algorithms=["RS256"]).header["kid"] == kid
        assert central.caller(f"Bearer {token}")


def test_a_key_that_was_withdrawn_is_gone_at_once_with_all_it_signed(central: Central, http: FlaskClient) -> None:
    old = central.tokens.mint("wipo-das")
    rotated: Any = http.post("/rehearsal/keys/rotate", json={"withdraw": True}).json
    assert [*key_set(http)] == rotated["published"] == [rotated["kid"]]
    assert not central.caller(f"Bearer {old}")


def test_the_key_set_says_how_long_it_may_be_kept() -> None:
    http = create_app(make_central(jwks_seconds=7)).test_client()
    assert http.get(JWKS_PATH).headers["Cache-Control"] == "public, max-age=7"


def test_every_visit_is_counted_at_its_place(http: FlaskClient) -> None:
    http.post("/rehearsal/faults", json={"jwks": "500"})
    for _ in range(3):
        http.get(JWKS_PATH)
    http.post(TOKEN_PATH)
    http.post(NOTIFICATIONS)
    seen = dict.fromkeys(PLACES, 0) | {"jwks": 3, "token_endpoint": 1, "notifications": 1}
    assert http.get("/rehearsal/visits").json == seen


@pytest.mark.parametrize(
    ("method", "place", "path"),
    [
        ("GET", "jwks", JWKS_PATH),
        ("POST", "token_endpoint", TOKEN_PATH),
        ("POST", "notifications", NOTIFICATIONS),
    ],
)
def test_each_place_fails_alone_and_gets_well(http: FlaskClient, method: str, place: str, path: str) -> None:
    well = http.open(path, method=method).status_code
    http.post("/rehearsal/faults", json={place: "500"})
    assert http.open(path, method=method).status_code == 500
    http.post("/rehearsal/faults", json={place: "html"})
    assert (http.open(path, method=method).status_code, http.open(path, method=method).mimetype) == (200, "text/html")
    http.post("/rehearsal/faults", json={place: "empty"})
    assert http.open(path, method=method).json in ({}, {"keys": []})
    alive: Any = http.get("/rehearsal/alive").json
    assert alive["faults"] == dict.fromkeys(PLACES, "ok") | {place: "empty"}
    http.post("/rehearsal/faults", json={place: "ok"})
    assert http.open(path, method=method).status_code == well


def test_among_broken_members_the_good_keys_stand_whole(central: Central, http: FlaskClient) -> None:
    http.post("/rehearsal/faults", json={"jwks": "broken-members"})
    answer: Any = http.get(JWKS_PATH).json
    good = [member for member in answer["keys"] if "x5c" in member]
    assert len(answer["keys"]) > len(good) == 2
    token = jwt.decode(central.tokens.mint("wipo-das"), KeySet.import_key_set({"keys": good}), algorithms=["RS256"])
    assert token.claims["sub"] == "wipo-das"


@pytest.mark.parametrize(
    "faults", [{"kitchen": "down"}, {"jwks": "flood"}, {"token_endpoint": "broken-members"}, {"jwks": None}], ids=str
)
def test_an_unknown_fault_changes_nothing(http: FlaskClient, faults: dict[str, Any]) -> None:
    assert http.post("/rehearsal/faults", json={"notifications": "500", **faults}).status_code == 400
    alive: Any = http.get("/rehearsal/alive").json
    assert set(alive["faults"].values()) == {"ok"}


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/rehearsal/tokens"), ("POST", "/rehearsal/bad-credentials")], ids=str
)
def test_no_token_is_minted_for_a_caller_on_another_machine(http: FlaskClient, method: str, path: str) -> None:
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    asked = {"kind": "token", "setup": "own", "name": "no token"}
    assert http.open(path, method=method, json=asked, environ_overrides=elsewhere).status_code == 403


@pytest.mark.parametrize(
    "header",
    [{"X-Forwarded-For": "192.0.2.7"}, {"Forwarded": "for=192.0.2.7"}, {"Host": "rehearsal.example.org"}],
    ids=str,
)
def test_no_token_is_minted_for_who_comes_by_way_of_this_machine(http: FlaskClient, header: dict[str, str]) -> None:
    assert http.post("/rehearsal/tokens", headers=header).status_code == 403


def test_a_token_that_is_minted_for_an_office_to_look_at_is_wipos(central: Central, http: FlaskClient) -> None:
    answer: Any = http.post("/rehearsal/tokens").json
    assert central.caller(f"Bearer {answer['access_token']}")


@on_sqlite
def test_a_place_that_is_down_closes_the_connection_without_an_answer(ill: Office) -> None:
    told = ill.run("rehearsal", "fault", "jwks", "down")
    assert (told.returncode, told.stdout.splitlines()[0]) == (0, "jwks: down")
    with pytest.raises(requests.ConnectionError):
        requests.get(ill.central_url + JWKS_PATH, timeout=10)
    assert requests.post(ill.central_url + TOKEN_PATH, timeout=10).status_code == 400
    assert ill.run("rehearsal", "fault", "jwks", "ok").returncode == 0
    assert requests.get(ill.central_url + JWKS_PATH, timeout=10).status_code == 200


@on_sqlite
def test_a_place_that_hangs_says_nothing_until_it_is_well(ill: Office) -> None:
    requests.post(f"{ill.central_url}/rehearsal/faults", json={"jwks": "hang"}, timeout=10)
    with pytest.raises(requests.ReadTimeout):
        requests.get(ill.central_url + JWKS_PATH, timeout=1)
    heard: list[type[Exception]] = []

    def wait() -> None:
        try:
            requests.get(ill.central_url + JWKS_PATH, timeout=60)
        except requests.RequestException as exc:
            heard.append(type(exc))

    waiting = threading.Thread(target=wait)
    waiting.start()
    eventually(lambda: requests.get(f"{ill.central_url}/rehearsal/visits", timeout=10).json()["jwks"] == 2)
    time.sleep(0.2)
    assert heard == []
    requests.post(f"{ill.central_url}/rehearsal/faults", json={"jwks": "ok"}, timeout=10)
    waiting.join(timeout=25)
    assert heard == [requests.ConnectionError]


@on_sqlite
def test_keys_are_rotated_and_withdrawn_by_a_verb(ill: Office) -> None:
    for option, published in ((), 2), (("--withdraw",), 1):
        ran = ill.run("rehearsal", "rotate", *option)
        kid = requests.get(f"{ill.central_url}/rehearsal/alive", timeout=10).json()["kid"]
        assert (ran.returncode, ran.stdout) == (0, f"signs with {kid}, publishes {published}\n")


@on_sqlite
def test_a_fault_that_only_a_key_set_can_have_is_wrong_usage_elsewhere(ill: Office) -> None:
    ran = ill.run("rehearsal", "fault", "notifications", "broken-members")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "broken-members is a fault of jwks alone" in ran.stderr
