"""The form of a token request: what RFC 6749 lets in, and what never gets a token whoever signed it."""

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from office_node.settings import API_SCOPE
from tests.auth.assertions import ABSENT, Caller
from tests.auth.server import (
    FORM,
    OTHER_SCOPE,
    TOKEN_PATH,
    Registration,
    Server,
    assert_issued,
    assert_refused,
    make_server,
    token_form,
)


def basic(client_id: str) -> dict[str, str]:
    """HTTP Basic with a password that nobody ever set."""
    return {"Authorization": f"Basic {base64.b64encode(f'{client_id}:secret'.encode()).decode()}"}


def test_008_an_unknown_form_parameter_is_ignored(server: Server, caller: Caller) -> None:
    assert_issued(server.ask(caller.assertion(), colour="blue", realm="/"))


def test_008_a_charset_on_the_content_type_is_ignored(server: Server, caller: Caller) -> None:
    body = urlencode(token_form(caller.assertion()))
    assert_issued(server.post(body, content_type="Application/X-WWW-Form-Urlencoded; charset=UTF-8"))


@pytest.mark.parametrize("percent_encoded", [True, False], ids=["percent-encoded", "raw"])
def test_wipos_raw_values_are_read_like_encoded_ones(server: Server, caller: Caller, percent_encoded: bool) -> None:
    form = token_form(caller.assertion(), scope=API_SCOPE)
    raw = "&".join(f"{name}={value}" for name, value in form.items())
    answer = server.post(urlencode(form) if percent_encoded else raw)
    assert_issued(answer)
    assert answer.get_json()["scope"] == API_SCOPE


def test_009_a_client_id_that_equals_sub_is_accepted(server: Server, caller: Caller) -> None:
    assert_issued(server.ask(caller.assertion(), client_id=caller.client_id))


def test_011_a_client_that_names_no_scope_gets_all_it_may_have(server: Server) -> None:
    answer = server.ask(server.callers["rolling-office"].assertion())
    assert_issued(answer)
    assert answer.get_json()["scope"] == f"{API_SCOPE} {OTHER_SCOPE}"


def test_011_a_client_with_one_scope_need_not_name_it(server: Server, caller: Caller) -> None:
    answer = server.ask(caller.assertion())
    assert_issued(answer)
    assert answer.get_json()["scope"] == API_SCOPE


def test_011_a_client_that_names_one_of_its_scopes_gets_that_one(server: Server) -> None:
    answer = server.ask(server.callers["rolling-office"].assertion(), scope=OTHER_SCOPE)
    assert_issued(answer)
    assert answer.get_json()["scope"] == OTHER_SCOPE


@pytest.mark.parametrize(
    "form",
    [
        {"client_assertion": ABSENT, "client_assertion_type": ABSENT},
        {"client_assertion": ABSENT, "client_assertion_type": ABSENT, "client_id": "strict-office"},
        {"client_assertion_type": ABSENT},
        {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"},
        {"client_assertion_type": "URN:IETF:PARAMS:OAUTH:CLIENT-ASSERTION-TYPE:JWT-BEARER"},
        {"client_assertion": ABSENT},
        {"client_assertion": ""},
    ],
    ids=["nothing", "client_id alone", "no type", "saml2", "type in other case", "no assertion", "empty assertion"],
)
def test_012_whoever_brings_no_assertion_is_not_authenticated(
    server: Server, caller: Caller, form: dict[str, Any]
) -> None:
    assert_refused(server.ask(caller.assertion(), **form))


def test_012_a_post_of_nothing_is_refused(server: Server) -> None:
    assert_refused(server.post(b""), "invalid_request")


def test_013_basic_alone_is_answered_with_a_challenge(server: Server, caller: Caller) -> None:
    answer = server.post("grant_type=client_credentials", headers=basic(caller.client_id))
    assert_refused(answer)
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_014_a_client_secret_is_no_way_in(server: Server, caller: Caller) -> None:
    secret = {"client_id": caller.client_id, "client_secret": "secret"}
    without = {"client_assertion": ABSENT, "client_assertion_type": ABSENT}
    assert_refused(server.ask("", **secret, **without))
    assert_refused(server.ask(caller.assertion(), **secret))


def test_015_basic_beside_an_assertion_is_refused(server: Server, caller: Caller) -> None:
    body = urlencode(token_form(caller.assertion()))
    assert_refused(server.post(body, headers=basic(caller.client_id)), "invalid_request")


@pytest.mark.parametrize("grant_type", [ABSENT, ""], ids=["missing", "empty"])
def test_016_a_request_without_grant_type_is_refused(server: Server, caller: Caller, grant_type: Any) -> None:
    assert_refused(server.ask(caller.assertion(), grant_type=grant_type), "invalid_request")


def test_016_an_empty_post_without_a_content_type_is_refused(server: Server) -> None:
    assert_refused(server.post(b"", content_type=""), "invalid_request")


@pytest.mark.parametrize(
    "grant_type",
    [
        "password",
        "authorization_code",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "Client_Credentials",
        "client_credentials ",
        "garbage\x00",
    ],
)
def test_017_no_other_grant_is_served(server: Server, caller: Caller, grant_type: str) -> None:
    assert_refused(server.ask(caller.assertion(), grant_type=grant_type), "unsupported_grant_type")


@pytest.mark.parametrize("name", ["grant_type", "client_assertion", "client_assertion_type", "scope", "client_id", "x"])
def test_018_a_parameter_that_stands_twice_is_refused(server: Server, caller: Caller, name: str) -> None:
    form = token_form(caller.assertion(), scope=API_SCOPE, client_id=caller.client_id, x="1")
    assert_refused(server.post(urlencode([*form.items(), (name, form[name])])), "invalid_request")
    assert_refused(server.post(urlencode([(name, ""), *form.items()])), "invalid_request")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_019_only_post_is_served(server: Server, caller: Caller, method: str) -> None:
    answer = server.http.open(TOKEN_PATH, method=method, data=token_form(caller.assertion()))
    assert (answer.status_code, "POST" in answer.headers["Allow"]) == (405, True)


@pytest.mark.parametrize("in_query", [("grant_type", "scope"), ("client_assertion",), ("x",)], ids=str)
def test_020_nothing_is_taken_from_the_query(server: Server, caller: Caller, in_query: set[str]) -> None:
    form = token_form(caller.assertion(), scope=API_SCOPE, x="1")
    query = urlencode({name: value for name, value in form.items() if name in in_query})
    body = urlencode({name: value for name, value in form.items() if name not in in_query})
    assert_refused(server.post(body, query=query), "invalid_request")


def test_020_a_request_that_stands_in_the_query_whole_is_refused(server: Server, caller: Caller) -> None:
    assert_refused(server.post(b"", query=urlencode(token_form(caller.assertion()))), "invalid_request")


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "", f"{FORM}x"])
def test_021_a_body_of_another_type_is_refused(server: Server, caller: Caller, content_type: str) -> None:
    form = token_form(caller.assertion())
    assert_refused(server.post(json.dumps(form), content_type=content_type), "invalid_request")
    assert_refused(server.post(urlencode(form), content_type=content_type), "invalid_request")


def test_021_a_multipart_body_is_refused(server: Server, caller: Caller) -> None:
    answer = server.http.post(TOKEN_PATH, data=token_form(caller.assertion()), content_type="multipart/form-data")
    assert_refused(answer, "invalid_request")


@pytest.mark.parametrize("broken", [b"%zz", b"%", b"%4", b"%u0041", b"%ff", b"%c3%28", b"\xff", "é".encode()])
def test_022_a_broken_encoding_is_refused(server: Server, caller: Caller, broken: bytes) -> None:
    body = urlencode(token_form(caller.assertion())).encode()
    assert_refused(server.post(body + b"&x=" + broken), "invalid_request")
    assert_refused(server.post(body + b"&" + broken + b"=x"), "invalid_request")


def test_023_an_assertion_of_a_megabyte_is_refused_unread(server: Server) -> None:
    assert_refused(server.ask("a" * 1_000_000), "invalid_request", 413)


def test_023_a_megabyte_that_was_not_announced_is_refused_too(server: Server) -> None:
    answer = server.post_unannounced(urlencode(token_form("a" * 1_000_000)).encode())
    assert_refused(answer, "invalid_request", 413)


def test_023_the_settings_say_how_large_a_token_request_may_be(
    tmp_path: Path, keys_folder: Path, registrations: list[Registration]
) -> None:
    server = make_server(tmp_path, keys_folder, registrations, max_body_bytes=4_096)
    caller = server.callers["strict-office"]
    assert_refused(server.ask(caller.assertion(), x="1" * 4_000), "invalid_request", 413)
    assert_issued(server.ask(caller.assertion(), x="1" * 2_000))
    server.node.database.close()


def test_023_an_assertion_that_just_fits_the_body_is_refused(server: Server, caller: Caller) -> None:
    assert_refused(server.ask(caller.assertion(padding="x" * 40_000)))


def test_023_a_thousand_parameters_are_refused(server: Server, caller: Caller) -> None:
    many = {f"x{number}": "1" for number in range(1000)}
    assert_refused(server.ask(caller.assertion(), **many), "invalid_request")


@pytest.mark.parametrize(
    "scope", ["unknown", f"{API_SCOPE} unknown", API_SCOPE.upper(), OTHER_SCOPE, API_SCOPE[:-1], f"{API_SCOPE}s"]
)
def test_024_a_scope_the_client_may_not_have_is_refused(server: Server, caller: Caller, scope: str) -> None:
    assert_refused(server.ask(caller.assertion(), scope=scope), "invalid_scope")


@pytest.mark.parametrize("character", ['"', "\\", "\x00", "\n", "\t", "\x7f", "é", "\u2028"])
def test_025_a_scope_with_a_forbidden_character_is_refused(server: Server, caller: Caller, character: str) -> None:
    assert_refused(server.ask(caller.assertion(), scope=f"{API_SCOPE}{character}"), "invalid_scope")
    assert_refused(server.ask(caller.assertion(), scope=character), "invalid_scope")


@pytest.mark.parametrize(
    "client_id", ["other-office", "nobody", "STRICT-OFFICE", "strict-office ", "\x00", '"'], ids=repr
)
def test_054_a_client_id_other_than_sub_is_refused(server: Server, caller: Caller, client_id: str) -> None:
    assert_refused(server.ask(caller.assertion(), client_id=client_id))


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"client_assertion": "x"}, "invalid_client"),
        ({"grant_type": ABSENT}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"scope": "unknown"}, "invalid_scope"),
        ({"client_assertion": "x" * 100_000}, "invalid_request"),
    ],
)
def test_058_no_refusal_may_be_stored(server: Server, caller: Caller, form: dict[str, Any], error: str) -> None:
    answer = server.ask(caller.assertion(), **form)
    assert answer.get_json()["error"] == error
    assert (answer.headers["Cache-Control"], answer.headers["Pragma"]) == ("no-store", "no-cache")
