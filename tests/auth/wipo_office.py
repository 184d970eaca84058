"""An office of its own for a test that rotates WIPO's keys, takes them away or floods the office."""

import time
import tomllib
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from werkzeug.test import TestResponse

from office_node.app import create_app
from office_node.auth.token_verifier import TokenVerifier
from office_node.auth.wipo_jwks import KeyTimes, WipoKeys
from office_node.auth.wipo_tokens import WipoTokenVerifier
from office_node.storage import schema
from office_node.wiring.calls_out import build_egress
from office_node.wiring.node import Node, build_node
from tests.auth.over_http import OverHttp
from tests.auth.server import PROTECTED_PATH, WORKERS
from tests.auth.wipo_server import WipoServer
from tests.office import Office, make_office, to_toml


@dataclass
class MovedClock:
    """The monotonic clock, stopped: it goes on when a test says so."""

    seconds: float = field(default_factory=time.monotonic)

    def __call__(self) -> float:
        return self.seconds


@dataclass
class WipoOffice:
    """An office whose callers come with WIPO's tokens: in this process, or as processes once `serve` was called."""

    office: Office
    node: Node
    clock: MovedClock
    wipo: WipoServer
    workers: int = 1
    _application: Any = field(init=False)

    def __post_init__(self) -> None:
        self._application = create_app(self.node)

    def serve(self) -> None:
        """From now on calls go to web processes."""
        self.office.start_web()
        self.workers = self.node.settings.web.workers

    def call(self, token: str) -> int:
        """The status of a call on the office's API."""
        return self.answer(token).status_code

    def answer(self, token: str) -> TestResponse:
        """The answer to such a call."""
        headers = {"Authorization": f"Bearer {token}"}
        if self.office.processes:
            # A connection of its own for each: a kept one leads to the same worker again and again.
            with closing(OverHttp(self.office.url)) as http:
                return http.get(PROTECTED_PATH, headers=headers)
        answer: TestResponse = self._application.test_client().get(PROTECTED_PATH, headers=headers)
        return answer

    def let_pass(self, seconds: float) -> None:
        """Moves the clock; processes have one of their own, and it takes as long as it says."""
        if self.office.processes:
            time.sleep(seconds)
        self.clock.seconds += seconds

    def close(self) -> None:
        self.office.close()
        self.node.database.close()


def make_wipo_office(
    folder: Path, shipped_keys: Path, wipo: WipoServer, *, fetch_seconds: float = 5.0, **settings: Any
) -> WipoOffice:
    """An office that accepts WIPO's tokens; `settings` go into [wipo_authorization_server]."""
    sections = {"wipo_authorization_server": {**wipo.to_settings(), **settings}, "web": {"workers": WORKERS}}
    office = make_office(folder, shipped_keys, overrides=sections)
    node = build_node(office.settings())
    schema.upgrade(node.database)
    clock = MovedClock()
    return WipoOffice(office, _on_clock(node, clock, fetch_seconds), clock, wipo)


def without_sections(office: Office, *names: str) -> None:
    """Take sections out of the office's settings."""
    content = tomllib.loads(office.settings_file.read_text())
    office.settings_file.write_text(to_toml({name: section for name, section in content.items() if name not in names}))


def _on_clock(node: Node, clock: MovedClock, fetch_seconds: float) -> Node:
    """The same node, but that it reads the lives of WIPO's keys from `clock`."""
    server = node.settings.wipo_authorization_server
    assert server
    keys = WipoKeys(
        build_egress(
            node.settings,
            connect_seconds=fetch_seconds,
            read_seconds=fetch_seconds,
            total_seconds=fetch_seconds,
        ),
        server.jwks_url,
        algorithms=server.algorithms,
        times=KeyTimes(server.cache_seconds, server.refetch_seconds, server.keep_hours * 3600),
        monotonic=clock,
    )
    check = WipoTokenVerifier(
        issuer=server.issuer,
        audiences=server.audiences,
        client_ids=server.client_ids,
        algorithms=server.algorithms,
        keys=keys,
    )
    return replace(node, verifier=TokenVerifier([check]))
