"""Rows 1 to 25 of auth-checks.md: the request for a token, good and bad, around an assertion that is honest."""

import json
from typing import Any, Final
from urllib.parse import urlencode

from office_node.rehearsal.bad_credentials.adversary import Adversary, Answer
from office_node.rehearsal.bad_credentials.entry import Entry, Expected
from office_node.rehearsal.bad_credentials.expectations import (
    INVALID_CLIENT,
    INVALID_REQUEST,
    INVALID_SCOPE,
    ISSUED,
    NOT_AUTHENTICATED,
    OTHER_GRANT,
    REFUSED,
    asking,
)
from office_node.rehearsal.bad_credentials.forging import ABSENT

_BASIC: Final = {"Authorization": "Basic d2lwby1kYXM6c2VjcmV0"}
_SAML: Final = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"
_NO_ASSERTION: Final = {"client_assertion": ABSENT, "client_assertion_type": ABSENT}


def _form(number: int, name: str, sentence: str, expected: Expected, **form: Any) -> Entry:
    """An honest assertion in a form that is changed so."""
    return asking(number, name, sentence, expected, lambda who: who.ask(who.assertion(), **form))


def _grant(name: str, grant_type: str) -> Entry:
    return _form(17, name, f"grant_type is {name}", OTHER_GRANT, grant_type=grant_type)


def _twice(name: str) -> Entry:
    def attempt(who: Adversary) -> Answer:
        form = who.form(who.assertion(), scope=who.scope, client_id=who.client_id)
        return who.post(urlencode([*form.items(), (name, form[name])]))

    return asking(18, f"{name} twice", f"{name} stands twice in the form", INVALID_REQUEST, attempt)


def _scope(name: str, sentence: str, spelling: str, number: int = 24) -> Entry:
    """`spelling` with the scope of the office in the place of @."""
    return asking(
        number,
        name,
        sentence,
        INVALID_SCOPE,
        lambda who: who.ask(who.assertion(), scope=spelling.replace("@", who.scope)),
    )


def _basic_alone(who: Adversary) -> Answer:
    return who.post("grant_type=client_credentials", headers=_BASIC)


def _in_query(who: Adversary, *names: str) -> Answer:
    form = who.form(who.assertion(), scope=who.scope)
    query = {name: value for name, value in form.items() if not names or name in names}
    body = {name: value for name, value in form.items() if name not in query}
    return who.post(urlencode(body), query=f"?{urlencode(query)}")


def _encoded(who: Adversary, body: str, content_type: str) -> Answer:
    return who.post(body, content_type=content_type)


def _multipart(who: Adversary) -> Answer:
    fields = who.form(who.assertion()).items()
    each = [f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields]
    return _encoded(who, f"{''.join(each)}--b--\r\n", "multipart/form-data; boundary=b")


def _broken(who: Adversary, tail: bytes) -> Answer:
    return who.post(urlencode(who.form(who.assertion())).encode() + b"&x=" + tail)


def _as_put(who: Adversary, method: str) -> Answer:
    return who.post(urlencode(who.form(who.assertion())), method=method)


ENTRIES: Final = [
    _form(1, "honest", "an honest request", ISSUED),
    _form(8, "unknown parameter", "a parameter that nobody knows is ignored", ISSUED, colour="blue"),
    asking(
        8,
        "charset",
        "a charset on the content type is ignored",
        ISSUED,
        lambda who: who.post(
            urlencode(who.form(who.assertion())), content_type="application/x-www-form-urlencoded; charset=UTF-8"
        ),
    ),
    asking(
        9,
        "client_id as sub",
        "a client_id parameter that names the same client",
        ISSUED,
        lambda who: who.ask(who.assertion(), client_id=who.client_id),
    ),
    _form(11, "no scope", "no scope asked for", Expected((200, 400), ("", "invalid_scope"))),
    _form(12, "nothing", "no assertion at all", NOT_AUTHENTICATED, **_NO_ASSERTION),
    asking(
        12,
        "client_id alone",
        "a client_id instead of an assertion",
        NOT_AUTHENTICATED,
        lambda who: who.ask("", **_NO_ASSERTION, client_id=who.client_id),
    ),
    _form(12, "no type", "client_assertion_type is missing", NOT_AUTHENTICATED, client_assertion_type=ABSENT),
    _form(12, "saml2", "client_assertion_type is saml2-bearer", NOT_AUTHENTICATED, client_assertion_type=_SAML),
    _form(12, "no assertion", "client_assertion is missing", NOT_AUTHENTICATED, client_assertion=ABSENT),
    _form(12, "empty assertion", "client_assertion is empty", NOT_AUTHENTICATED, client_assertion=""),
    asking(
        13, "basic alone", "HTTP Basic instead of an assertion", Expected((401,), ("invalid_client",)), _basic_alone
    ),
    asking(
        14,
        "client secret",
        "a client secret instead of an assertion",
        INVALID_CLIENT,
        lambda who: who.ask("", **_NO_ASSERTION, client_id=who.client_id, client_secret="secret"),  # noqa: S106
    ),
    asking(
        15,
        "basic and assertion",
        "two ways of authentication at once",
        Expected((400,), ("invalid_request", "invalid_client")),
        lambda who: who.post(urlencode(who.form(who.assertion())), headers=_BASIC),
    ),
    _form(16, "no grant_type", "grant_type is missing", INVALID_REQUEST, grant_type=ABSENT),
    asking(16, "empty post", "a POST of nothing", INVALID_REQUEST, lambda who: who.post(b"")),
    _grant("password", "password"),
    _grant("authorization_code", "authorization_code"),
    _grant("jwt-bearer", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
    _grant("garbage", "gar\0bage"),
    *(_twice(name) for name in ("grant_type", "client_assertion", "scope", "client_id")),
    asking(19, "get", "GET instead of POST", REFUSED, lambda who: _as_put(who, "GET")),
    asking(19, "put", "PUT instead of POST", REFUSED, lambda who: _as_put(who, "PUT")),
    asking(20, "all in the query", "everything stands in the query", REFUSED, _in_query),
    asking(
        20,
        "grant in the query",
        "grant_type and scope stand in the query",
        REFUSED,
        lambda who: _in_query(who, "grant_type", "scope"),
    ),
    asking(
        21,
        "json body",
        "the form as a JSON object",
        REFUSED,
        lambda who: _encoded(who, json.dumps(who.form(who.assertion())), "application/json"),
    ),
    asking(21, "multipart body", "the form as multipart", REFUSED, _multipart),
    asking(22, "broken escape", "percent-encoding that breaks off", REFUSED, lambda who: _broken(who, b"%zz")),
    asking(22, "broken utf-8", "bytes that are no UTF-8", REFUSED, lambda who: _broken(who, b"%c3%28")),
    asking(23, "a megabyte", "an assertion of 1 MB", REFUSED, lambda who: who.ask("a" * 1_000_000)),
    _scope("unknown scope", "a scope that does not exist", "unknown"),
    _scope("scope and unknown", "the right scope and one that does not exist", "@ unknown"),
    asking(
        24,
        "scope in capitals",
        "the right scope in other case",
        INVALID_SCOPE,
        lambda who: who.ask(who.assertion(), scope=who.scope.upper()),
    ),
    _scope("scope with quote", 'a scope with " in it', '@"', 25),
    _scope("scope with backslash", "a scope with \\ in it", "@\\", 25),
    _scope("scope with newline", "a scope with a line break in it", "@\n", 25),
    _scope("scope beyond ascii", "a scope with é in it", "@é", 25),
    asking(
        54,
        "client_id of another",
        "a client_id parameter that names another client",
        NOT_AUTHENTICATED,
        lambda who: who.ask(who.assertion(), client_id="somebody-else"),
    ),
]
