"""Every call out of the node takes the one way that is guarded."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from office_node import settings
from office_node.network.destinations import DestinationRefused
from office_node.wiring.calls_out import build_egress
from tests.office import ROOT
from tests.peer import Says, listening_peer
from tests.settings.files import write

NODE = ROOT / "office_node"
CALLS_OUT = {
    *("requests", "urllib3", "httpx", "httpcore", "aiohttp", "pycurl", "websockets", "paramiko", "boto3", "botocore"),
    *("http.client", "urllib.request", "ftplib", "smtplib", "poplib", "imaplib", "telnetlib", "xmlrpc.client"),
    *("authlib.integrations", "asyncio"),
}
CONNECTING = {"connect", "connect_ex", "create_connection", "sendto", "open_connection"}
MAY = ("network", "rehearsal")


def test_nothing_but_network_and_the_rehearsal_knows_how_to_call_out() -> None:
    imports = {
        (file.relative_to(NODE).as_posix(), name) for file in _outside_network() for name in _imports(file.read_text())
    }
    assert len(imports) > 200
    assert {(file, name) for file, name in imports if _calls_out(name)} == set()


def test_who_else_opens_sockets_only_listens() -> None:
    with_sockets = [file for file in _outside_network() if "socket" in set(_imports(file.read_text()))]
    used = {node.attr for file in with_sockets for node in _nodes(file) if isinstance(node, ast.Attribute)}
    assert with_sockets
    assert used & CONNECTING == set()


def test_the_look_at_imports_sees_every_way_to_write_one() -> None:
    ways = ["import requests as r", "from urllib import request", "from http.client import *", "import urllib.request"]
    within = ["def f():\n    import urllib3.util", "from authlib.integrations.requests_client import OAuth2Session"]
    assert all(any(map(_calls_out, _imports(way))) for way in ways + within)
    assert not any(map(_calls_out, _imports("from urllib.parse import urlsplit\nfrom http import HTTPStatus")))


def test_a_session_is_built_in_one_place_alone() -> None:
    built = [
        file.relative_to(NODE).as_posix()
        for file in _outside_network()
        for node in _nodes(file)
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Egress"
    ]
    assert sorted(built) == ["settings/sections.py", "wiring/calls_out.py"]  # the first is the section of that name


@pytest.mark.parametrize("seconds", [{}, {"total_seconds": 5.0}])
def test_the_settings_say_where_it_leads(tmp_path: Path, seconds: dict[str, float]) -> None:
    with listening_peer() as wipo, listening_peer() as keys, listening_peer() as elsewhere:
        keys.will_say(Says(200, {"keys": []}))
        changes = {
            "wipo.base_url": f"{wipo.url}/das-api/v1",
            "wipo.token_url": f"{wipo.url}/token",
            "wipo_authorization_server.jwks_url": f"{keys.url}/jwks",
            "egress.allow": ["*.store.example.com"],
        }
        egress = build_egress(settings.load(write(tmp_path, changes)), None, **seconds)
        assert egress.call("GET", f"{wipo.url}/das-api/v1/requests", peer="WIPO").status == 200
        assert egress.call("GET", f"{keys.url}/jwks", peer="WIPO").json() == {"keys": []}
        for url in (elsewhere.url, "https://store.example.com/", "https://das.wipo.int/"):
            with pytest.raises(DestinationRefused):
                egress.call("GET", url, peer="WIPO")
        assert elsewhere.heard == []


def _outside_network() -> Iterator[Path]:
    return (file for file in NODE.rglob("*.py") if file.relative_to(NODE).parts[0] not in MAY)


def _nodes(file: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(file.read_text()))


def _imports(code: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _calls_out(name: str) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in CALLS_OUT)
