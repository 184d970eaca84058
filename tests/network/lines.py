"""Requests from any address of this machine, with whatever header lines a test wants."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlsplit

from office_node.auth.client_assertion import RegisteredClient
from office_node.settings import API_SCOPE
from office_node.wiring.node import build_node
from tests.office import Office

OPEN_PATH = "/oauth2/jwks"
API_PATH = "/das-api/v1/requests/retrievals"
Lines = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def code(self) -> str:
        """DAS's word for a refusal."""
        return str(json.loads(self.content)["code"])


def ask(url: str, source: str, lines: Lines = (), *, path: str = OPEN_PATH, method: str = "GET") -> Answer:
    """One request on a connection of its own that comes from `source`, another 127.0.0.x perhaps."""
    parts = urlsplit(url)
    connection = HTTPConnection(str(parts.hostname), parts.port, timeout=60, source_address=(source, 0))
    try:
        connection.putrequest(method, path)
        for name, value in lines:
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.headers), answer.read())
    finally:
        connection.close()


def bearer(office: Office) -> tuple[str, str]:
    """The header of a client that asked no token endpoint, where its call would have been counted."""
    node = build_node(office.settings())
    client = RegisteredClient("wipo-das", "compat", (), (API_SCOPE,))
    server = node.authorization_server
    assert server
    token = server.issuer.issue(client, (API_SCOPE,))["access_token"]
    node.database.close()
    return "Authorization", f"Bearer {token}"
