"""Offices to ask for tokens: one on each database for the whole run, since most of these tests leave nothing behind."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog
from joserfc.jwk import ECKey

from tests.auth.assertions import Caller, OwnTokens
from tests.auth.over_http import OverHttp
from tests.auth.server import Registration, Server, make_registrations, make_server, started
from tests.auth.wipo_office import WipoOffice, make_wipo_office
from tests.auth.wipo_server import WipoServer, WipoTokens, listening_wipo


@pytest.fixture(scope="session")
def registrations(tmp_path_factory: pytest.TempPathFactory) -> list[Registration]:
    """Four clients and their keys."""
    return make_registrations(tmp_path_factory.mktemp("registered"))


@pytest.fixture(scope="session")
def steady_wipo() -> Iterator[WipoServer]:
    """The WIPO that every shared server trusts; its keys never change."""
    with listening_wipo() as listening:
        yield listening


@pytest.fixture
def wipo() -> Iterator[WipoServer]:
    """A WIPO of the test's own, to rotate, to break, to hang."""
    with listening_wipo() as listening:
        yield listening


@pytest.fixture
def new_wipo_office(wipo: WipoServer, tmp_path: Path, keys_folder: Path) -> Iterator[Callable[..., WipoOffice]]:
    """Makes an office in this process that trusts `wipo`."""
    made: list[WipoOffice] = []

    def new(**settings: Any) -> WipoOffice:
        folder = tmp_path / f"office-{len(made)}"
        folder.mkdir()
        made.append(make_wipo_office(folder, keys_folder, wipo, **settings))
        return made[-1]

    yield new
    for office in made:
        office.close()


@pytest.fixture(params=["in this process", "over processes"])
def wipo_office(request: pytest.FixtureRequest, new_wipo_office: Callable[..., WipoOffice]) -> WipoOffice:
    """An office that trusts `wipo`: first in this process, then as gunicorn with several workers."""
    office = new_wipo_office()
    if request.param == "over processes":
        office.serve()
    return office


@pytest.fixture
def wipo_tokens() -> WipoTokens:
    """Tokens as WIPO mints them, to be bent."""
    return WipoTokens()


@pytest.fixture(scope="session")
def servers(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    keys_folder: Path,
    registrations: list[Registration],
    steady_wipo: WipoServer,
) -> Iterator[Callable[[str], Server]]:
    """Gives the run's server "sqlite" or "postgresql", or one of them "over processes": the same office as it runs."""
    made: dict[str, Server] = {}

    def on(name: str) -> Server:
        database, _, processes = name.partition(" ")
        if name not in made and processes:
            made[name] = started(on(database))
        elif name not in made:
            url = None if database == "sqlite" else _new_database(request.getfixturevalue("postgresql"))
            made[name] = make_server(
                tmp_path_factory.mktemp(database),
                keys_folder,
                registrations,
                url,
                sections={"wipo_authorization_server": steady_wipo.to_settings()},
            )
        return made[name]

    yield on
    for server in made.values():
        if isinstance(server.http, OverHttp):
            server.http.close()
        server.office.close()
        server.node.database.close()


@pytest.fixture(params=["sqlite", "sqlite over processes"])
def server(request: pytest.FixtureRequest, servers: Callable[[str], Server]) -> Iterator[Server]:
    """The server on SQLite, for what the database has no part in: in this process, then over processes."""
    yield servers(request.param)
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def server_in_process(servers: Callable[[str], Server]) -> Iterator[Server]:
    """The server on SQLite for a test that moves the clock or catches the log: in this process alone."""
    yield servers("sqlite")
    structlog.contextvars.clear_contextvars()


@pytest.fixture(params=["sqlite", "postgresql", "sqlite over processes", "postgresql over processes"])
def each_server(request: pytest.FixtureRequest, servers: Callable[[str], Server]) -> Iterator[Server]:
    """The servers on both databases, in this process and over processes, one after the other."""
    yield servers(request.param)
    structlog.contextvars.clear_contextvars()


@pytest.fixture(params=["sqlite", "postgresql"])
def each_server_in_process(request: pytest.FixtureRequest, servers: Callable[[str], Server]) -> Iterator[Server]:
    """The servers on both databases for a test that moves the clock: in this process alone."""
    yield servers(request.param)
    structlog.contextvars.clear_contextvars()


@pytest.fixture(params=["sqlite over processes", "postgresql over processes"])
def running_server(request: pytest.FixtureRequest, servers: Callable[[str], Server]) -> Server:
    """The servers on both databases for a test of many processes: only as they run."""
    return servers(request.param)


@pytest.fixture(params=["strict-office", "compat-office"])
def caller(request: pytest.FixtureRequest, callers: dict[str, Caller]) -> Caller:
    """A client of the server on SQLite: first a strict one, then a compat one."""
    return callers[request.param]


@pytest.fixture
def strict(callers: dict[str, Caller]) -> Caller:
    return callers["strict-office"]


@pytest.fixture
def compat(callers: dict[str, Caller]) -> Caller:
    return callers["compat-office"]


@pytest.fixture
def callers(servers: Callable[[str], Server]) -> dict[str, Caller]:
    """The clients of the server on SQLite, which are the same in this process and over processes."""
    return servers("sqlite").callers


@pytest.fixture
def own(servers: Callable[[str], Server]) -> OwnTokens:
    """Tokens as the server on SQLite mints them, to be bent."""
    return servers("sqlite").own_tokens


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


def _new_database(server_url: str) -> str:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE office_auth")
    return server_url.replace("/postgres?", "/office_auth?")
