"""A client that may call from some networks only: its key and its tokens are worth nothing elsewhere. And its rate."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest
import structlog
from flask.testing import FlaskClient
from joserfc.jwk import ECKey
from werkzeug.test import TestResponse

from office_node.app import create_app
from office_node.wiring.node import Node, build_node
from tests.auth.assertions import Caller
from tests.auth.server import FORM, PROTECTED_PATH, TOKEN_PATH, assert_issued, assert_refused, token_form
from tests.conftest import MakeOffice
from tests.databases import on_sqlite

INSIDE, OUTSIDE = "127.0.0.3", "127.0.0.4"
pytestmark = on_sqlite


class Client:
    """The one client of an office, wherever it calls from."""

    def __init__(self, node: Node, folder: Path) -> None:
        key = ECKey.import_key((folder / "keys" / "rehearsal_wipo.pem").read_bytes())
        self._caller = Caller("wipo-das", "compat", (key,), node.settings.web.public_url)
        self._http: FlaskClient = create_app(node).test_client()

    def ask(self, source: str, key: ECKey | None = None) -> TestResponse:
        form = urlencode(token_form(self._caller.assertion(key=key)))
        return self._http.post(TOKEN_PATH, data=form, content_type=FORM, environ_overrides={"REMOTE_ADDR": source})

    def call(self, source: str, token: str) -> TestResponse:
        proof = {"Authorization": f"Bearer {token}"}
        return self._http.get(PROTECTED_PATH, headers=proof, environ_overrides={"REMOTE_ADDR": source})


@pytest.fixture
def new_client(new_office: MakeOffice) -> Callable[..., Client]:
    """Makes offices with one client: `new_client(networks, rate)`."""

    def new(networks: list[str], rate: str = "30000/minute") -> Client:
        key = "../keys/rehearsal_wipo_public.pem"
        registered = {"client_id": "wipo-das", "profile": "compat", "public_key_files": [key], "networks": networks}
        made = new_office({"authorization_server": {"clients": [registered]}, "ingress": {"rate_per_client": rate}})
        made.upgrade()
        return Client(build_node(made.settings()), made.folder)

    return new


def test_a_client_gets_its_token_only_inside_its_networks(new_client: Callable[..., Client], stranger: ECKey) -> None:
    client = new_client([f"{INSIDE}/32", "2001:db8::/32"])
    for source in (INSIDE, f"::ffff:{INSIDE}"):
        assert_issued(client.ask(source))
    with structlog.testing.capture_logs() as lines:
        refused = client.ask(OUTSIDE)
    assert_refused(refused)
    forged = client.ask(INSIDE, stranger)
    assert (refused.data, refused.headers) == (forged.data, forged.headers), "one answer for all wrong credentials"
    [told] = [line for line in lines if line["event"] == "token request refused"]
    assert told["reason"] == f"client wipo-das calls from {OUTSIDE}, outside its networks"


def test_the_tokens_of_a_client_open_the_api_only_inside_its_networks(new_client: Callable[..., Client]) -> None:
    client = new_client([f"{INSIDE}/32"])
    token = assert_issued(client.ask(INSIDE))
    assert client.call(INSIDE, token).status_code == 200
    with structlog.testing.capture_logs() as lines:
        refused = client.call(OUTSIDE, token)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "ADDRESS_REFUSED")
    assert "127.0.0" not in refused.text
    [told] = [line for line in lines if line["event"] == "token refused"]
    assert (told["code"], told["log_level"]) == ("N417", "warning")


def test_a_client_without_networks_may_call_from_everywhere(new_client: Callable[..., Client]) -> None:
    client = new_client([])
    assert client.call(OUTSIDE, assert_issued(client.ask(INSIDE))).status_code == 200


def test_token_requests_of_a_client_count_too(new_client: Callable[..., Client], stranger: ECKey) -> None:
    client = new_client([], "3/minute")
    for _ in range(5):
        assert_refused(client.ask(OUTSIDE, stranger))  # who is not the client spends none of its calls
    tokens = [assert_issued(client.ask(INSIDE)) for _ in range(2)]
    assert client.call(INSIDE, tokens[0]).status_code == 200
    for answer in (client.ask(INSIDE), client.ask(OUTSIDE)):
        assert_refused(answer, "temporarily_unavailable", 429)
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
    refused = client.call(INSIDE, tokens[1])
    assert (refused.status_code, refused.get_json()["code"]) == (429, "TOO_MANY_REQUESTS")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
