"""Offices to ask for tokens: one on each database for the whole run, since most of these tests leave nothing behind."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg
import pytest
import structlog
from joserfc.jwk import ECKey

from tests.auth.assertions import Caller, OwnTokens
from tests.auth.server import Registration, Server, make_registrations, make_server
from tests.office import eventually


@pytest.fixture(scope="session")
def registrations(tmp_path_factory: pytest.TempPathFactory) -> list[Registration]:
    """Four clients and their keys."""
    return make_registrations(tmp_path_factory.mktemp("registered"))


@pytest.fixture(scope="session")
def servers(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    keys_folder: Path,
    registrations: list[Registration],
) -> Iterator[Callable[[str], Server]]:
    """Gives the run's server on "sqlite" or "postgresql", made when it is first asked for."""
    made: dict[str, Server] = {}

    def on(database: str) -> Server:
        if database not in made:
            url = None if database == "sqlite" else _new_database(request.getfixturevalue("postgresql"))
            made[database] = make_server(tmp_path_factory.mktemp(database), keys_folder, registrations, url)
        return made[database]

    yield on
    for server in made.values():
        server.office.close()
        server.node.database.close()


@pytest.fixture
def server(servers: Callable[[str], Server]) -> Iterator[Server]:
    """The server on SQLite, for what the database has no part in."""
    yield servers("sqlite")
    structlog.contextvars.clear_contextvars()


@pytest.fixture(params=["sqlite", "postgresql"])
def each_server(request: pytest.FixtureRequest, servers: Callable[[str], Server]) -> Iterator[Server]:
    """The servers on both databases, one after the other."""
    yield servers(request.param)
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def running_server(each_server: Server) -> Server:
    """The same, and answering over HTTP from two worker processes too."""
    if not each_server.office.processes:
        each_server.office.start_web()
        eventually(lambda: len(booted_workers(each_server)) >= 2)
    return each_server


@pytest.fixture(params=["strict-office", "compat-office"])
def caller(request: pytest.FixtureRequest, server: Server) -> Caller:
    """A client of `server`: first a strict one, then a compat one."""
    return server.callers[request.param]


@pytest.fixture
def strict(server: Server) -> Caller:
    return server.callers["strict-office"]


@pytest.fixture
def compat(server: Server) -> Caller:
    return server.callers["compat-office"]


@pytest.fixture
def own(server: Server) -> OwnTokens:
    """Tokens as `server` mints them, to be bent."""
    return server.own_tokens


@pytest.fixture(scope="session")
def stranger() -> ECKey:
    """The key of somebody whom nobody registered."""
    return ECKey.generate_key("P-256")


@dataclass
class Lure:
    """A web address with a key behind it, and who came for it."""

    url: str = ""
    visits: list[str] = field(default_factory=list)


@pytest.fixture
def lure(stranger: ECKey) -> Iterator[Lure]:
    """Serves the stranger's key to whoever follows `jku` or `x5u`."""
    laid = Lure()
    content = json.dumps({"keys": [stranger.as_dict(private=False)]}).encode()

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            laid.visits.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_parts: object) -> None:
            """Nothing on the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as listener:
        laid.url = f"http://127.0.0.1:{listener.server_port}/jwks"
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield laid
        listener.shutdown()
        thread.join()


def booted_workers(server: Server) -> set[str]:
    """What gunicorn told of the worker processes it started."""
    return {line["event"] for line in server.office.log_lines() if line["event"].startswith("Booting worker")}


def _new_database(server_url: str) -> str:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE office_auth")
    return server_url.replace("/postgres?", "/office_auth?")
