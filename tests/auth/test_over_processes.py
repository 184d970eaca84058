"""The token endpoint as it runs: gunicorn with two worker processes, over HTTP, on both databases."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from joserfc.jwk import ECKey

from tests.auth.assertions import Caller
from tests.auth.conftest import booted_workers
from tests.auth.server import FORM, PROTECTED_PATH, Server, token_form
from tests.office import secrets_in

CONNECTIONS = 24
PATIENCE = (5, 60)


@pytest.fixture(params=["strict-office", "compat-office"])
def caller(request: pytest.FixtureRequest, running_server: Server) -> Caller:
    """A client of `running_server`: the strict one sends a jti, the compat one none."""
    return running_server.callers[request.param]


def post(caller: Caller, assertion: str, **form: Any) -> requests.Response:
    """A token request on a connection of its own."""
    body = urlencode(token_form(assertion, **form))
    return requests.post(caller.token_endpoint, data=body, headers={"Content-Type": FORM}, timeout=PATIENCE)


def call(server: Server, *authorization: str) -> int:
    """The status of a call on the office's API with these Authorization headers."""
    connection = HTTPConnection(server.office.url.removeprefix("http://"), timeout=60)
    connection.putrequest("GET", PROTECTED_PATH)
    for value in authorization:
        connection.putheader("Authorization", value)
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


def at_once(caller: Caller, assertions: list[str]) -> Counter[int]:
    """How often each status was answered when every assertion is sent in the same moment."""
    together = threading.Barrier(len(assertions))

    def send(assertion: str) -> int:
        together.wait(timeout=60)
        return post(caller, assertion).status_code

    with ThreadPoolExecutor(len(assertions)) as threads:
        return Counter(threads.map(send, assertions))


def test_098_of_24_connections_with_one_assertion_exactly_one_gets_a_token(
    running_server: Server, caller: Caller
) -> None:
    assert len(booted_workers(running_server)) >= 2
    for _ in range(4):
        assert at_once(caller, [caller.assertion()] * CONNECTIONS) == {200: 1, 401: CONNECTIONS - 1}


def test_099_of_24_connections_with_24_assertions_every_one_gets_a_token(caller: Caller) -> None:
    for _ in range(4):
        assert at_once(caller, [caller.assertion() for _ in range(CONNECTIONS)]) == {200: CONNECTIONS}


def test_104_a_replay_after_a_restart_is_refused(running_server: Server) -> None:
    callers = [running_server.callers[client_id] for client_id in ("strict-office", "compat-office")]
    spent = [(caller, caller.assertion()) for caller in callers]
    assert [post(*pair).status_code for pair in spent] == [200, 200]
    [process] = running_server.office.processes
    process.terminate()
    process.wait(timeout=60)
    running_server.office.processes.clear()
    running_server.office.start_web()
    assert [post(*pair).status_code for pair in spent] == [401, 401]
    assert [post(caller, caller.assertion()).status_code for caller in callers] == [200, 200]


def test_023_an_oversized_assertion_is_refused_and_the_server_goes_on(caller: Caller) -> None:
    assert post(caller, caller.assertion(padding="x" * 40_000)).status_code == 401
    assert post(caller, caller.assertion()).status_code == 200


def test_072_two_authorization_headers_are_refused(running_server: Server, caller: Caller) -> None:
    token = post(caller, caller.assertion()).json()["access_token"]
    assert call(running_server, f"Bearer {token}") == 200
    assert call(running_server, f"Bearer {token}", f"Bearer {token}") == 401
    assert call(running_server, f"Bearer {token}", "Basic c3RyaWN0OnNlY3JldA==") == 401


def test_074_a_token_of_200_kb_is_refused(running_server: Server, caller: Caller) -> None:
    assert call(running_server, f"Bearer {'a' * 200_000}") == 431
    assert call(running_server, f"Bearer {'a' * 16_000}") == 401


def test_the_log_of_a_running_server_holds_no_assertion_and_no_token(
    running_server: Server, caller: Caller, stranger: ECKey
) -> None:
    honest, forged = caller.assertion(), caller.assertion(key=stranger)
    token = post(caller, honest).json()["access_token"]
    assert post(caller, forged).status_code == 401
    assert call(running_server, f"Bearer {token}x") == 401
    log = running_server.office.log_file.read_text()
    assert secrets_in(log) == []
    assert all(part not in log for secret in (honest, forged, token) for part in secret.split("."))
    assert "access token issued" in log


def test_a_form_beyond_the_limit_is_refused_whole_though_its_beginning_would_do(caller: Caller) -> None:
    form = urlencode(token_form(caller.assertion())).encode() + b"&pad=" + b"x" * 80_000 + b"&client_id=somebody-else"
    chunked = requests.post(caller.token_endpoint, data=iter([form]), headers={"Content-Type": FORM}, timeout=PATIENCE)
    assert (chunked.status_code, "access_token" in chunked.text) == (413, False)
