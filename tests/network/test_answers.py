"""What every answer carries, and which heads and bodies are refused before any view sees them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from office_node.app import create_app
from office_node.network.ingress import is_nested_deeper, security_headers
from office_node.wiring.node import build_node
from tests.network.lines import API_PATH, OPEN_PATH, bearer
from tests.off_retrievals.bench import das_codes
from tests.off_retrievals.wire import head, say
from tests.office import Office, make_office

HOST = "127.0.0.1"
BASE = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
TOKEN_PATH = "/oauth2/access_token"
FORM = "Content-Type: application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, keys_folder: Path) -> Iterator[Office]:
    made = make_office(tmp_path_factory.mktemp("answers"), keys_folder, None, {"web": {"workers": 1}})
    made.upgrade()
    made.start_web()
    yield made
    made.close()


ANSWERS = {
    "the keys": (head("GET", OPEN_PATH, HOST), 200),
    "the metadata": (head("GET", "/.well-known/oauth-authorization-server", HOST), 200),
    "no token": (head("GET", API_PATH, HOST), 401),
    "an unknown path": (head("GET", "/nowhere", HOST), 404),
    "another method": (head("PATCH", OPEN_PATH, HOST), 405),
    "a refused token request": (head("POST", TOKEN_PATH, HOST, FORM, "Content-Length: 0"), 400),
    "a token request too large": (head("POST", TOKEN_PATH, HOST, FORM, "Content-Length: 70000") + b"a" * 70_000, 413),
    "a link that is none": (head("GET", "/das/v1/downloads/a/b?expires=1&signature=a", HOST), 403),
    "a head that cannot be read": (b"GET / HTTP/1.1\r\nnonsense\r\n\r\n", 400),
    "a head too large": (head("GET", "/", HOST, "X-A: " + "a" * 65_536), 431),
    "an address too long": (head("GET", "/" + "a" * 5000, HOST), 414),
}


@pytest.mark.parametrize(("request_", "status"), ANSWERS.values(), ids=ANSWERS)
def test_every_answer_forbids_a_browser_everything(office: Office, request_: bytes, status: int) -> None:
    answer = say(office.url, [request_])
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in BASE} == BASE
    assert answer.headers["Cache-Control"] == (
        "public, max-age=300" if request_ == ANSWERS["the keys"][0] else "no-store"
    )
    assert "Strict-Transport-Security" not in answer.headers


@pytest.mark.parametrize(
    ("url", "lasting"),
    [("https://a.example", "max-age=31536000"), ("HTTPS://a.example", "max-age=31536000"), ("http://127.0.0.1", None)],
)
def test_https_is_to_stay_https(url: str, lasting: str | None) -> None:
    assert security_headers(url).get("Strict-Transport-Security") == lasting


def test_behind_https_every_answer_says_so(tmp_path: Path, keys_folder: Path) -> None:
    made = make_office(tmp_path, keys_folder, None, {"web": {"public_url": "https://das.example.org"}})
    made.upgrade()
    node = build_node(made.settings())
    http = create_app(node).test_client()
    for path in (OPEN_PATH, API_PATH, "/nowhere"):
        assert http.get(path).headers["Strict-Transport-Security"] == "max-age=31536000"
    node.database.close()


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("//oauth2/jwks", 404),
        ("///oauth2/jwks", 404),
        ("//evil.example/oauth2/jwks", 404),
        ("http://evil.example//oauth2/jwks", 400),  # for its host, which is not the one that Host names
    ],
)
def test_a_path_that_begins_with_two_slashes_is_nowhere(office: Office, target: str, status: int) -> None:
    answer = say(office.url, [head("GET", target, HOST)])
    assert (answer.status_code, das_codes(answer)) == (status, [-1000])


def test_a_request_of_http_1_1_names_its_host(office: Office) -> None:
    answer = say(office.url, [f"GET {OPEN_PATH} HTTP/1.1\r\n\r\n".encode()])
    assert (answer.status_code, das_codes(answer)) == (400, [-1000])
    assert say(office.url, [f"GET {OPEN_PATH} HTTP/1.0\r\n\r\n".encode()]).status_code == 200


@pytest.mark.parametrize("path", [TOKEN_PATH, API_PATH])
def test_what_is_left_of_a_body_too_large_is_not_waited_for(office: Office, path: str) -> None:
    kind = FORM if path == TOKEN_PATH else "Content-Type: application/json"
    proof = [] if path == TOKEN_PATH else [": ".join(bearer(office))]
    answer = say(office.url, [head("POST", path, HOST, kind, "Content-Length: 10000000", *proof), b"a" * 70_000])
    assert (answer.status_code, answer.headers["Connection"]) == (413, "close")


DEPTHS = {
    b"": 0,
    b"1": 0,
    b"{}": 1,
    b"[[], []]": 2,
    b'{"a": [{"b": 1}]}': 3,
    b'{"a": "[[[["}': 1,
    rb'{"a": "\"[[[["}': 1,
    rb'{"a": "\\"}': 1,
    rb'{"a": "\\", "b": [1]}': 2,
    rb'["\\\"[", ["]"]]': 2,
    b'"[[[[': 0,
    b'"\\': 0,
    '["ü[", ["\\u005b"]]'.encode(): 2,
}


@pytest.mark.parametrize(("json", "depth"), DEPTHS.items(), ids=repr)
def test_how_deep_a_message_is_nested_is_counted_outside_of_its_texts(json: bytes, depth: int) -> None:
    assert not is_nested_deeper(json, depth)
    assert not depth or is_nested_deeper(json, depth - 1)
