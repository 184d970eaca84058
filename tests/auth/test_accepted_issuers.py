"""[trust] accept: tokens of the office, of WIPO, or both, and what else the office then serves."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from office_node import checks
from office_node.app import create_app
from office_node.wiring.node import build_node
from tests import command_line
from tests.auth.server import PROTECTED_PATH, Registration, Server, assert_invalid_token, make_server
from tests.auth.wipo_office import without_sections
from tests.auth.wipo_server import CLIENT_ID, WipoServer, WipoTokens
from tests.off_retrievals.bench import Caller
from tests.office import WANTED, make_office

NewServer = Callable[..., Server]


@pytest.fixture
def new_server(
    tmp_path: Path, keys_folder: Path, registrations: list[Registration], steady_wipo: WipoServer
) -> Iterator[NewServer]:
    """Makes a server in this process that accepts tokens of `accept`."""
    made: list[Server] = []

    def new(*accept: str, **wipo: list[str]) -> Server:
        sections = {
            "trust": {"accept": list(accept)},
            "wipo_authorization_server": {**steady_wipo.to_settings(), **wipo},
        }
        made.append(make_server(tmp_path, keys_folder, registrations, sections=sections))
        return made[-1]

    yield new
    for server in made:
        server.office.close()
        server.node.database.close()


def test_the_networks_of_our_client_bind_nobody_whom_wipo_calls_by_the_same_name(
    tmp_path: Path, keys_folder: Path, steady_wipo: WipoServer, wipo_tokens: WipoTokens
) -> None:
    registered = {
        "client_id": CLIENT_ID,
        "public_key_files": ["../keys/rehearsal_wipo_public.pem"],
        "networks": ["192.0.2.0/24"],
    }
    sections = {
        "authorization_server": {"clients": [registered]},
        "wipo_authorization_server": steady_wipo.to_settings(),
    }
    office = make_office(tmp_path, keys_folder, overrides=sections)
    office.upgrade()
    node = build_node(office.settings())
    http = create_app(node).test_client()
    proof = {"Authorization": f"Bearer {wipo_tokens.token()}"}
    assert http.get(PROTECTED_PATH, headers=proof).status_code == 200
    node.database.close()


def test_both_are_accepted_while_an_office_moves(new_server: NewServer, wipo_tokens: WipoTokens) -> None:
    server = new_server("own", "wipo")
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        assert server.call(f"Bearer {server.own_tokens.token()}").status_code == 200
        assert server.call(f"Bearer {wipo_tokens.token()}").status_code == 200
    told = [(line["client_id"], line["trust"]) for line in lines if line["event"] == "answered"]
    assert told == [("strict-office", "own"), (CLIENT_ID, "wipo")]


def test_wipos_tokens_are_refused_where_only_our_own_count(new_server: NewServer, wipo_tokens: WipoTokens) -> None:
    server = new_server("own")
    assert server.call(f"Bearer {server.own_tokens.token()}").status_code == 200
    with structlog.testing.capture_logs() as lines:
        assert_invalid_token(server.call(f"Bearer {wipo_tokens.token()}"))
    assert [line["code"] for line in lines if line["event"] == "token refused"] == ["N406"]


def test_our_own_are_refused_where_only_wipos_count_and_none_are_issued(
    new_server: NewServer, wipo_tokens: WipoTokens
) -> None:
    server = new_server("wipo")
    assert server.call(f"Bearer {wipo_tokens.token()}").status_code == 200
    assert_invalid_token(server.call(f"Bearer {server.own_tokens.token()}"))
    assert server.ask(server.callers["strict-office"].assertion()).status_code == 404
    for place in ("/oauth2/access_token", "/oauth2/jwks", "/.well-known/oauth-authorization-server"):
        answer = server.http.get(place)
        assert (answer.status_code, answer.get_json()["code"]) == (404, "NOT_FOUND")


def test_a_node_needs_no_section_of_a_server_that_it_does_not_run(
    new_server: NewServer, wipo_tokens: WipoTokens
) -> None:
    office = new_server("wipo").office
    without_sections(office, "authorization_server", "rehearsal")
    (office.folder / "keys" / "token_signing.pem").unlink()
    assert command_line.run(office.settings_file, "config", "check").exit_code == 0
    node = build_node(office.settings())
    http = create_app(node).test_client()
    assert node.authorization_server is None
    token = {"Authorization": f"Bearer {wipo_tokens.token()}"}
    assert http.get("/das-api/v1/requests/retrievals", headers=token).status_code == 200
    assert http.post("/oauth2/access_token").status_code == 404
    node.database.close()


def test_keys_of_a_server_that_is_not_accepted_are_not_needed(new_server: NewServer) -> None:
    server = new_server("wipo")
    (server.office.folder / "keys" / "token_signing.pem").unlink()
    assert checks.check(server.office.settings(), "office.toml") == []
    build_node(server.office.settings()).database.close()


def test_one_client_id_at_both_servers_is_one_client(new_server: NewServer, wipo_tokens: WipoTokens) -> None:
    server = new_server("own", "wipo", client_ids=["strict-office"])
    server.office.add_document()
    as_own, as_wipo = (
        Caller(create_app(server.node).test_client(), token, "/das-api/v1")
        for token in (server.own_tokens.token(), wipo_tokens.token(sub="strict-office"))
    )
    acknowledgement_id = as_own.forward(WANTED)
    assert [entry["requestAckId"] for entry in as_wipo.statuses()] == [acknowledgement_id]
