"""The token endpoint as it runs: gunicorn with several worker processes, over HTTP, on both databases."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest
from joserfc.jwk import ECKey

from tests.auth.assertions import Caller
from tests.auth.over_http import OverHttp
from tests.auth.server import WORKERS, Server, assert_issued, assert_refused, booted_workers, token_form
from tests.office import secrets_in


@pytest.fixture(params=["strict-office", "compat-office"])
def caller(request: pytest.FixtureRequest, running_server: Server) -> Caller:
    """A client of `running_server`: the strict one sends a jti, the compat one none."""
    return running_server.callers[request.param]


def at_once(server: Server, assertions: list[str]) -> Counter[int]:
    """How often each status was answered when every assertion is sent in the same moment, each on its connection."""
    together = threading.Barrier(len(assertions))

    def send(assertion: str) -> int:
        together.wait(timeout=60)
        return server.ask(assertion).status_code

    with ThreadPoolExecutor(len(assertions)) as threads:
        return Counter(threads.map(send, assertions))


def workers_reached(server: Server) -> set[int]:
    """The worker processes that hold a connection of this test run."""
    assert isinstance(server.http, OverHttp)
    held: dict[str, int] = {}
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, _, remote, *_, inode = line.split()[:10]
        held[f"socket:[{inode}]"] = int(remote.partition(":")[2], 16)
    ours = server.http.ports()
    return {
        worker
        for worker in booted_workers(server)
        for descriptor in Path(f"/proc/{worker}/fd").iterdir()
        if held.get(str(descriptor.readlink())) in ours
    }


def test_several_worker_processes_answer_what_these_tests_ask(running_server: Server) -> None:
    """So that no test over processes holds only because one process remembers."""
    caller = running_server.callers["strict-office"]
    assert at_once(running_server, [caller.assertion() for _ in range(24)]) == {200: 24}
    assert len(booted_workers(running_server)) == WORKERS
    assert len(workers_reached(running_server)) >= 2


@pytest.mark.parametrize("connections", [20, 24])
def test_098_of_many_connections_with_one_assertion_exactly_one_gets_a_token(
    running_server: Server, caller: Caller, connections: int
) -> None:
    for _ in range(4):
        assertion = caller.assertion()
        assert at_once(running_server, [assertion] * connections) == {200: 1, 401: connections - 1}
        assert_refused(running_server.ask(assertion))


def test_099_of_24_connections_with_24_assertions_every_one_gets_a_token(
    running_server: Server, caller: Caller
) -> None:
    for _ in range(4):
        assert at_once(running_server, [caller.assertion() for _ in range(24)]) == {200: 24}


def test_104_a_replay_after_a_restart_is_refused(running_server: Server) -> None:
    callers = [running_server.callers[client_id] for client_id in ("strict-office", "compat-office")]
    spent = [(caller, caller.assertion()) for caller in callers]
    for _, assertion in spent:
        assert_issued(running_server.ask(assertion))
    [process] = running_server.office.processes
    process.terminate()
    process.wait(timeout=60)
    running_server.office.processes.clear()
    running_server.office.start_web()
    for caller, assertion in spent:
        assert_refused(running_server.ask(assertion))
        assert_issued(running_server.ask(caller.assertion()))


def test_the_log_of_a_running_server_holds_no_assertion_and_no_token(
    running_server: Server, caller: Caller, stranger: ECKey
) -> None:
    honest, forged = caller.assertion(), caller.assertion(key=stranger)
    token = assert_issued(running_server.ask(honest))
    assert_refused(running_server.ask(forged))
    assert running_server.call(f"Bearer {token}x").status_code == 401
    log = running_server.office.log_file.read_text()
    assert secrets_in(log) == []
    assert all(part not in log for secret in (honest, forged, token) for part in secret.split("."))
    assert "access token issued" in log


def test_a_form_beyond_the_limit_is_refused_whole_though_its_beginning_would_do(
    running_server: Server, caller: Caller
) -> None:
    form = urlencode(token_form(caller.assertion())).encode() + b"&pad=" + b"x" * 80_000 + b"&client_id=somebody-else"
    assert_refused(running_server.post_unannounced(form), "invalid_request", 413)
