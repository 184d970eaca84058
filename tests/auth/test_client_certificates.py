"""A registered client's certificates: two at a time while they roll over, and none beyond its end."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
import time_machine
from structlog.testing import capture_logs

from office_node.auth import keys
from office_node.settings import API_SCOPE
from tests.auth.issued import issue
from tests.auth.server import Registration, Server, assert_issued, assert_refused, make_server

NOW, DAY = datetime.now(UTC).replace(microsecond=0), timedelta(days=1)


@pytest.fixture(params=["strict", "compat"])
def rolling(request: pytest.FixtureRequest, tmp_path: Path) -> Registration:
    """A client with two keys, each with its certificate: the one ends in ten days, the other began a day ago."""
    files = [tmp_path / f"{name}.pem" for name in ("old", "new")]
    for file in files:
        keys.generate_private_key(file)
    certificates = [
        issue(files[0], tmp_path / "old.crt", NOW - 700 * DAY, NOW + 10 * DAY),
        issue(files[1], tmp_path / "new.crt", NOW - DAY, NOW + 700 * DAY),
    ]
    return Registration("rolling", request.param, [API_SCOPE], files, certificates)


@pytest.fixture
def server(rolling: Registration, tmp_path: Path, keys_folder: Path) -> Iterator[Server]:
    yield from _served(tmp_path, keys_folder, rolling)


def _served(folder: Path, keys_folder: Path, registration: Registration) -> Iterator[Server]:
    office = folder / f"office-{len(registration.public_files)}"
    office.mkdir()
    made = make_server(office, keys_folder, [registration])
    yield made
    made.node.database.close()
    structlog.contextvars.clear_contextvars()


def _assertion(server: Server, which: int) -> str:
    caller = server.callers["rolling"]
    key = caller.keys[which]
    return caller.assertion({"kid": key.kid} if caller.profile == "strict" else {}, key=key)


def test_both_certificates_of_a_client_are_accepted(server: Server) -> None:
    for which in (0, 1):
        assert_issued(server.ask(_assertion(server, which)))


def test_a_certificate_that_was_taken_out_is_refused_from_the_next_start_on(
    rolling: Registration, tmp_path: Path, keys_folder: Path
) -> None:
    left = Registration(
        rolling.client_id, rolling.profile, rolling.scopes, rolling.private_files, rolling.public_files[1:]
    )
    for server in _served(tmp_path, keys_folder, left):
        assert_refused(server.ask(_assertion(server, 0)))
        assert_issued(server.ask(_assertion(server, 1)))


def test_a_certificate_that_ends_while_the_node_runs_is_refused_from_that_moment_on(server: Server) -> None:
    with time_machine.travel(NOW + 10 * DAY - timedelta(seconds=1), tick=False):
        assert_issued(server.ask(_assertion(server, 0)))
    with time_machine.travel(NOW + 10 * DAY, tick=False), capture_logs() as lines:
        assert_refused(server.ask(_assertion(server, 0)))
        assert_issued(server.ask(_assertion(server, 1)))
    [refused] = [line for line in lines if line["event"] == "token request refused"]
    assert refused["reason"].startswith("client rolling: signed by its key, but its certificate ended at ")


def test_a_certificate_that_has_not_begun_is_refused(server: Server) -> None:
    with time_machine.travel(NOW - 2 * DAY, tick=False), capture_logs() as lines:
        assert_issued(server.ask(_assertion(server, 0)))
        assert_refused(server.ask(_assertion(server, 1)))
    assert [line["reason"][:61] for line in lines if line["event"] == "token request refused"] == [
        "client rolling: signed by its key, but its certificate counts"
    ]


def test_a_renewed_certificate_over_the_same_key_keeps_it_accepted(
    rolling: Registration, tmp_path: Path, keys_folder: Path
) -> None:
    renewed = issue(rolling.private_files[0], tmp_path / "renewed.crt", NOW + DAY, NOW + 700 * DAY)
    files = [rolling.public_files[0], renewed]
    both = Registration(rolling.client_id, rolling.profile, rolling.scopes, rolling.private_files, files)
    for server in _served(tmp_path, keys_folder, both):
        with time_machine.travel(NOW + 300 * DAY, tick=False):
            assert_issued(server.ask(_assertion(server, 0)))
