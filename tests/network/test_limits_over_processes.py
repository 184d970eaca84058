"""Allow list and limits as they run: gunicorn with four worker processes, over HTTP."""

import socket
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from tests.conftest import MakeOffice
from tests.databases import on_sqlite
from tests.network.lines import API_PATH, Answer, ask, bearer
from tests.office import Office, eventually

CALLS = 80
HERE, ELSEWHERE, THIRD = "127.0.0.3", "127.0.0.4", "127.0.0.5"


def running(new_office: MakeOffice, **ingress: Any) -> Office:
    """An office with four web processes."""
    office = new_office({"ingress": ingress, "web": {"workers": 4}})
    office.upgrade()
    office.start_web()
    eventually(lambda: sum(line["event"].startswith("Booting worker") for line in office.log_lines()) == 4)
    return office


def quickly(call: Callable[[], Answer]) -> list[Answer]:
    """80 calls, each on a connection of its own, 16 at once."""
    with ThreadPoolExecutor(16) as threads:
        return list(threads.map(lambda _: call(), range(CALLS)))


def assert_ten_of_them_were_served(answers: list[Answer]) -> None:
    assert Counter(answer.status for answer in answers) == {200: 10, 429: CALLS - 10}
    refused = [answer for answer in answers if answer.status == 429]
    assert {answer.code for answer in refused} == {"TOO_MANY_REQUESTS"}
    assert all(1 <= int(answer.headers["Retry-After"]) <= 60 for answer in refused)


def test_row_39_of_80_calls_from_one_address_exactly_10_are_served(new_office: MakeOffice) -> None:
    office = running(new_office, rate_per_address="10/minute")
    proof = bearer(office)
    assert_ten_of_them_were_served(quickly(lambda: ask(office.url, HERE, [proof], path=API_PATH)))
    for path in ("/oauth2/jwks", "/.well-known/oauth-authorization-server", "/nowhere", "/das/v1/downloads/a/b"):
        assert ask(office.url, HERE, path=path).status == 429, "every request counts, whatever it wants"
    assert ask(office.url, ELSEWHERE, [proof], path=API_PATH).status == 200
    told = [line for line in office.log_lines() if line.get("code") == "N418"]
    assert 1 <= len(told) <= 4, "one line a minute and process"


def test_row_39_of_80_calls_of_one_client_exactly_10_are_served(new_office: MakeOffice) -> None:
    office = running(new_office, rate_per_client="10/minute")
    proof = bearer(office)
    assert_ten_of_them_were_served(quickly(lambda: ask(office.url, HERE, [proof], path=API_PATH)))
    assert ask(office.url, ELSEWHERE, [proof], path=API_PATH).status == 429, "a client is the same everywhere"
    assert ask(office.url, HERE).status == 200, "its address may call on"


@on_sqlite
def test_who_is_not_on_the_list_is_refused_before_anything_else(new_office: MakeOffice) -> None:
    office = running(new_office, allow=["127.0.0.1/32", "127.0.0.3/32"], rate_per_address="30000/minute")
    proof = bearer(office)
    assert ask(office.url, HERE, [proof], path=API_PATH).status == 200
    places = [
        (API_PATH, "GET"),
        ("/oauth2/access_token", "POST"),
        ("/oauth2/jwks", "GET"),
        ("/.well-known/oauth-authorization-server", "GET"),
        ("/das/v1/downloads/a/b", "GET"),
        ("//nowhere", "DELETE"),
    ]
    for path, method in places:
        answer = ask(office.url, ELSEWHERE, [proof], path=path, method=method)
        assert (answer.status, answer.code) == (403, "ADDRESS_REFUSED")
        assert ask(office.url, THIRD, path=path, method="HEAD").status == 403


@on_sqlite
def test_a_flood_of_strangers_is_a_line_for_each_process_and_not_for_each_request(new_office: MakeOffice) -> None:
    office = running(new_office, allow=["127.0.0.1/32"])
    assert {answer.status for answer in quickly(lambda: ask(office.url, HERE))} == {403}
    about = [line for line in office.log_lines() if line.get("code") == "N415" or line.get("status") == 403]
    assert 1 <= len(about) <= 4
    assert {(line["level"], line["reason"]) for line in about} == {
        ("warning", f"{HERE} is in none of the allowed networks")
    }


@on_sqlite
def test_a_refused_stranger_is_answered_before_its_body_was_sent(new_office: MakeOffice) -> None:
    office = running(new_office, allow=["127.0.0.1/32"])
    host, port = office.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60, source_address=(HERE, 0)) as line:
        line.sendall(b"POST /das/v1/requests/retrievals HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n")
        answer = line.makefile("rb").read()  # to the end: the line is closed
    assert answer.startswith(b"HTTP/1.1 403 ")


@on_sqlite
@pytest.mark.parametrize(("allow", "status"), [("::1/128", 200), ("2001:db8::/32", 403), ("127.0.0.0/8", 403)])
def test_an_office_on_ipv6_knows_its_callers_too(new_office: MakeOffice, allow: str, status: int) -> None:
    made = new_office({"ingress": {"allow": [allow]}})
    port = made.url.rpartition(":")[2]
    made.settings_file.write_text(made.settings_file.read_text().replace(f"127.0.0.1:{port}", f"[::1]:{port}"))
    office = replace(made, url=f"http://[::1]:{port}")
    office.upgrade()
    office.start("web")
    answer = eventually(lambda: ask_if_up(office, "::1"))
    assert answer
    assert answer.status == status


def ask_if_up(office: Office, source: str) -> Answer | None:
    try:
        return ask(office.url, source)
    except OSError:
        return None
