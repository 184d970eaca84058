"""A hostile simulated WIPO: what befalls a call is drawn from a seed, and is on the wire what it is said to be."""

import http.client
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from click.testing import CliRunner

from office_node import clock
from office_node.cli import main
from office_node.rehearsal.hostility import Fate, Hostility
from office_node.rehearsal.pace import Pace
from tests.conftest import MakeOffice
from tests.databases import on_sqlite
from tests.rehearsal.wipo import CONTENT, NAMED, TIMEOUT, Wipo, put, running
from tests.rehearsal.wipo import DOCUMENT as NUMBER

NOTIFICATION = {"requestAckId": "1", "requestStatusCategory": "success"}
KEY = "patent US 98/012,357"
LINE_FAILS = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError, http.client.HTTPException)


def seed_of(fate: Fate, place: str) -> int:
    """A seed with which the first visit of the place meets it."""
    return next(seed for seed in range(100_000) if Hostility(1.0, seed).next(place)[0] is fate)


def hostile(fate: Fate, place: str) -> Any:
    return running(hostile=1.0, seed=seed_of(fate, place), pace=Pace(silence_seconds=0.5, drip_seconds=0.005))


def calls(wipo: Wipo) -> None:
    """The same calls in the same order."""
    for _ in range(8):
        for call in (
            wipo.available,
            partial(wipo.call, "POST", "notifications", json=NOTIFICATION),
            partial(announce, wipo),
            partial(wipo.call, "GET", "retrievals"),
        ):
            _said(call)


def _said(call: Callable[[], requests.Response]) -> requests.Response | None:
    try:
        return call()
    except LINE_FAILS:
        return None


def transcript(wipo: Wipo) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = requests.get(f"{wipo.url}/rehearsal/transcript", timeout=TIMEOUT).json()
    return told


def test_the_same_seed_gives_the_same_transcript_and_another_one_another() -> None:
    quick: dict[str, Any] = {"hostile": 0.5, "pace": Pace(silence_seconds=0.01, drip_seconds=0)}
    told = []
    for seed in (7, 7, 8):
        with running(seed=seed, **quick) as wipo:
            calls(wipo)
            told.append(transcript(wipo))
    assert told[0] == told[1] != told[2]
    assert 8 < len(told[0]) < 28, "of 32 calls about half met something"


def test_who_is_not_hostile_lets_nothing_befall_anybody() -> None:
    with running() as wipo:
        calls(wipo)
        assert transcript(wipo) == []


@pytest.mark.parametrize("fate", [fate for fate in Fate if fate is not Fate.WELL])
def test_every_fate_is_drawn_somewhere(fate: Fate) -> None:
    places = ("notifications", "downloads", "token_endpoint", "notifying")
    assert any(_may(fate, place) for place in places)


def _may(fate: Fate, place: str) -> bool:
    return any(Hostility(1.0, seed).next(place)[0] is fate for seed in range(500))


@pytest.mark.parametrize(
    ("fate", "status"),
    [
        (Fate.ERROR_500, 500),
        (Fate.GATEWAY_PAGE, 502),
        (Fate.BUSY_FOR_SECONDS, 503),
        (Fate.BUSY_UNTIL, 503),
        (Fate.TOO_MANY, 429),
        (Fate.UNAUTHORIZED, 401),
        (Fate.HUNG_UP, None),
        (Fate.SILENCE, None),
    ],
)
def test_what_comes_before_the_effect_leaves_none(fate: Fate, status: int | None) -> None:
    with hostile(fate, "notifications") as wipo:
        answer = _said(lambda: wipo.call("POST", "notifications", json=NOTIFICATION))
        assert (answer.status_code if answer is not None else None) == status
        assert wipo.ledger("notified") == {}
        if (answer is not None and "503" in fate) or fate is Fate.TOO_MANY:
            assert answer is not None
            asked = answer.headers["Retry-After"]
            assert asked == "1" or abs((parsedate_to_datetime(asked) - clock.now()).total_seconds()) < 3
        assert [entry["fate"] for entry in transcript(wipo)] == [fate.value]


@pytest.mark.parametrize(
    ("fate", "status"),
    [(Fate.ANSWER_LOST, None), (Fate.RESET, None), (Fate.ERROR_AFTER, 500), (Fate.OTHER_STATUS, 201)],
)
def test_what_comes_after_the_effect_leaves_one(fate: Fate, status: int | None) -> None:
    with hostile(fate, "notifications") as wipo:
        answer = _said(lambda: wipo.call("POST", "notifications", json=NOTIFICATION))
        assert (answer.status_code if answer is not None else None) == status
        assert wipo.times("notified") == {"1": 1}


def announce(wipo: Wipo) -> requests.Response:
    asked = {"fileFormatCategory": "pdf", "fileChecksum": "ab" * 32}
    return wipo.call("POST", "files/url-uploads", json=asked)


@pytest.mark.parametrize("fate", [Fate.NEW_MEMBER, Fate.MISSING_MEMBER, Fate.RENAMED_MEMBER])
def test_drift_is_a_member_more_less_or_other(fate: Fate) -> None:
    with hostile(fate, "url_uploads") as wipo:
        members = set(announce(wipo).json())
    honest = {"fileId", "fileUploadUrl"}
    missing = len(honest - members)
    assert (missing, len(members - honest)) == {
        Fate.NEW_MEMBER: (0, 1),
        Fate.MISSING_MEMBER: (1, 0),
        Fate.RENAMED_MEMBER: (1, 1),
    }[fate]


def test_a_truncated_answer_is_no_json_and_a_wrong_type_is_a_page() -> None:
    with hostile(Fate.TRUNCATED, "url_uploads") as wipo, pytest.raises(requests.exceptions.JSONDecodeError):
        announce(wipo).json()
    with hostile(Fate.WRONG_TYPE, "url_uploads") as wipo:
        answer = announce(wipo)
        assert answer.headers["Content-Type"].startswith("text/html")
        assert answer.json()["fileId"]


def test_a_dripping_answer_comes_whole_in_the_end() -> None:
    with hostile(Fate.DRIPS, "url_uploads") as wipo:
        began = time.monotonic()
        answer = announce(wipo)
        assert answer.json()["fileId"]
        assert time.monotonic() - began > 0.005 * len(answer.content) / 2


def test_a_moved_clock_shows_in_the_date() -> None:
    with hostile(Fate.MOVED_CLOCK, "url_uploads") as wipo:
        told = parsedate_to_datetime(announce(wipo).headers["Date"])
    assert 1 <= abs((told - clock.now()).total_seconds()) <= 22, "twenty at most, and a second for the rounding"


def test_a_reset_ends_a_body_in_the_middle() -> None:
    with hostile(Fate.RESET, "url_uploads") as wipo, pytest.raises(LINE_FAILS):
        announce(wipo)


def test_a_dead_address_takes_nothing() -> None:
    with hostile(Fate.DEAD_URL, "url_uploads") as wipo:
        expires = parse_qs(urlsplit(announce(wipo).json()["fileUploadUrl"]).query)["expires"]
        assert float(expires[0]) < time.time()
    with hostile(Fate.DEAD_URL, "uploads") as wipo:
        living = wipo.central.files.announce("", "pdf", "ab" * 32)
        assert put(living["fileUploadUrl"], CONTENT).status_code == 403
        assert wipo.ledger("uploaded") == {}


def test_rotated_keys_sign_the_next_token() -> None:
    with hostile(Fate.KEYS_ROTATED, "jwks") as wipo:
        before = wipo.central.tokens.signing_key.kid
        requests.get(f"{wipo.url}/am/oauth2/connect/jwk_uri", timeout=TIMEOUT)
        assert wipo.central.tokens.signing_key.kid != before


@on_sqlite
@pytest.mark.parametrize(
    "overrides",
    [
        {"wipo": {"token_url": "https://LOGINDEV.wipo.int/am/oauth2/access_token"}},
        {"wipo_authorization_server": {"jwks_url": "https://logindev.wipo.int:443/am/oauth2/connect/jwk_uri"}},
        {"egress": {"allow": ["das.wipo.int"]}},
    ],
    ids=str,
)
def test_it_refuses_to_run_with_any_host_of_wipo_in_the_settings(
    new_office: MakeOffice, overrides: dict[str, dict[str, Any]]
) -> None:
    office = new_office(overrides=overrides)
    asked = ["--config", str(office.settings_file), "rehearsal", "serve", "--hostile", "0.1", "--seed", "7"]
    refused = CliRunner().invoke(main, asked)
    assert refused.exit_code == 1
    assert refused.stderr.startswith("N701 the settings name a host of wipo.int")


def test_the_ledger_counts_what_is_asked_for_again() -> None:
    with running() as wipo:
        file_id = wipo.deposit()
        assert wipo.register(fileId=file_id).status_code == 201
        assert wipo.register(fileId=file_id).status_code == 409
        assert wipo.times("registered") == {KEY: 2}
        assert wipo.call("GET", "retrievals", params=NUMBER | NAMED).status_code == 200
