"""Messages that are none: a 4xx in DAS's shape, nothing written, whatever stands in a body or a query."""

import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from office_node.rehearsal.operator import Wanted
from tests.off_retrievals.bench import ID_NAMES, Bench, das_codes, message

WANTED = Wanted("patent", "US 98/999,999", "2023-11-02", "AB21")
REQUIRED = ("operationCategory", "documentKindCategory", "documentNumber", "documentDate", "dasAccessCode")
OPTIONAL = ("applicationCategory", "applicationNumber", "applicationFilingDate", *ID_NAMES)
WRONG_TYPES: tuple[Any, ...] = (True, False, 1.5, 1e300, [], ["patent"], [None], {}, {"a": 1}, "", "x" * 101)
WRONG_TEXTS = ("a\0b", "\0", "a\x01b", "a\tb", "a\nb", "a\r\nb", "a\x7fb", "a\x85b", "a\u200bb", "a\u2028b", "a\ufeffb")
URL_DOWNLOAD = ("documentKindCategory", "documentNumber", "documentDate")

NO_MESSAGES: dict[str, bytes] = {
    "nothing": b"",
    "a blank": b" ",
    "half a message": json.dumps(message(WANTED)).encode()[:-1],
    "two messages": json.dumps(message(WANTED)).encode() * 2,
    "single quotes": b"{'operationCategory': 'retrieval'}",
    "a comment": b'{/* */ "operationCategory": "retrieval"}',
    "a comma too many": b'{"operationCategory": "retrieval",}',
    "an array": b"[]",
    "an array of messages": json.dumps([message(WANTED)]).encode(),
    "text": b'"retrieval"',
    "a number": b"17",
    "a number without end": b"1" * 60_000,
    "null": b"null",
    "true": b"true",
    "not a number": b"NaN",
    "an empty object": b"{}",
    "a name twice": json.dumps(message(WANTED)).encode()[:-1] + b', "documentNumber": "US 98/999,998"}',
    "a name twice, once escaped": json.dumps(message(WANTED)).encode()[:-1] + rb', "documentDat\u0065": "2023-11-02"}',
    "a name twice in an unknown member": json.dumps(message(WANTED)).encode()[:-1] + b', "zone": {"a": 1, "a": 1}}',
    "33 deep": json.dumps(message(WANTED)).encode()[:-1] + b', "zone":' + b"[" * 32 + b"]" * 32 + b"}",
    "a form": urlencode(message(WANTED)).encode(),
    "XML": b"<retrieval/>",
    "not UTF-8": b'{"operationCategory": "retrieval\xff"}',
    "UTF-16": json.dumps(message(WANTED)).encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + json.dumps(message(WANTED)).encode(),
    "an encoded surrogate": b'{"operationCategory": "\xed\xa0\x80"}',
    "an escaped lone surrogate": rb'{"operationCategory": "\ud800"}',
    "a raw control character": b'{"operationCategory": "retri\neval"}',
    "a NUL between": b'{"operationCategory":\0"retrieval"}',
    "deep arrays": b"[" * 30_000 + b"]" * 30_000,
    "deep arrays without end": b"[" * 60_000,
    "deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "deep in an unknown member": b'{"zone":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "a long number": json.dumps(message(WANTED)).replace('"AB21"', "1" * 5000).encode(),
}


@pytest.mark.parametrize("zone", [b"[" * 31 + b"]" * 31, b'"' + b"[" * 100 + b'"'], ids=["32 deep", "in a text"])
def test_a_message_that_is_not_too_deep_is_read(bench: Bench, zone: bytes) -> None:
    body = json.dumps(message(WANTED)).encode()[:-1] + b', "zone":' + zone + b"}"
    answer = bench.caller().call("POST", "retrievals", data=body, content_type="application/json")
    assert das_codes(answer) == [-7], "read, and the document is not registered"


@pytest.mark.parametrize("body", NO_MESSAGES.values(), ids=NO_MESSAGES)
@pytest.mark.parametrize("path", ["retrievals", "files/url-downloads"])
def test_a_body_that_is_no_message_is_refused(bench: Bench, path: str, body: bytes) -> None:
    before = bench.row_counts()
    answer = bench.caller().call("POST", path, data=body, content_type="application/json")
    assert answer.status_code == 400
    assert set(das_codes(answer)) == {-1000}
    assert bench.row_counts() == before


def _refused_members(bench: Bench, members: dict[str, Any], path: str = "retrievals") -> list[str]:
    """Which members the refusal of that message names; it must be one, and say nothing of their values."""
    answer = bench.caller().call("POST", path, json=members)
    assert answer.status_code == 400, members
    assert set(das_codes(answer)) == {-1000}
    return [detail["message"].partition(":")[0] for detail in answer.get_json()["details"]]


@pytest.mark.parametrize("name", [*REQUIRED, *OPTIONAL])
def test_a_member_of_the_wrong_type_is_refused_by_its_name(bench: Bench, name: str) -> None:
    right, before = message(bench.keep().wanted), bench.row_counts()
    for value in WRONG_TYPES:
        assert _refused_members(bench, {**right, name: value}) == [name], value
    assert bench.row_counts() == before


@pytest.mark.parametrize("name", [*REQUIRED, *OPTIONAL])
def test_characters_that_do_not_print_are_refused_in_every_member(bench: Bench, name: str) -> None:
    right, before = message(bench.keep().wanted), bench.row_counts()
    for value in WRONG_TEXTS:
        assert _refused_members(bench, {**right, name: value}) == [name], ascii(value)
    assert bench.row_counts() == before


@pytest.mark.parametrize("name", REQUIRED)
def test_a_required_member_that_is_missing_or_null_is_named(bench: Bench, name: str) -> None:
    right = message(bench.keep().wanted)
    assert _refused_members(bench, {**right, name: None}) == [name]
    del right[name]
    assert _refused_members(bench, right) == [name]


@pytest.mark.parametrize("name", URL_DOWNLOAD)
def test_a_url_download_names_what_it_misses(bench: Bench, name: str) -> None:
    right = WANTED.members()
    assert _refused_members(bench, {**right, name: None}, "files/url-downloads") == [name]
    del right[name]
    assert _refused_members(bench, right, "url-downloads") == [name]
    in_query = bench.caller().call("GET", "url-downloads", query_string=right)
    assert in_query.status_code == 400
    assert in_query.get_json()["details"] == [{"code": -1000, "message": f"{name}: missing"}]


def test_everything_that_is_wrong_is_told_at_once(bench: Bench) -> None:
    named = _refused_members(bench, {"documentNumber": 7, "documentDate": "soon", "ackId": []})
    assert set(named) == {"ackId", "operationCategory", "documentKindCategory", "documentDate", "dasAccessCode"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("operationCategory", "registration"),
        ("operationCategory", "RETRIEVALS"),
        ("documentKindCategory", "patents"),
        ("documentDate", "2023-11-31"),
        ("documentDate", "2023-2-1"),
        ("documentDate", "02.11.2023"),
        ("documentDate", "0000-01-01"),
        ("documentDate", "10000-01-01"),
        ("documentDate", "2023-11-02Tnoon"),
        ("documentDate", "\u0662\u0660\u0662\u0663-11-02"),
        ("documentDate", 20231102),
        ("applicationFilingDate", "yesterday"),
        ("dasAccessCode", "AB2"),
        ("dasAccessCode", "AB211"),
        ("dasAccessCode", "AB-1"),
        ("dasAccessCode", "AB2\u0661"),
        ("dasAccessCode", "AB21\n"),
        ("dasAccessCode", -121),
        ("dasAccessCode", 12),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_and_not_repeated(bench: Bench, name: str, value: str | int) -> None:
    right, before = message(bench.keep().wanted), bench.row_counts()
    answer = bench.caller().call("POST", "retrievals", json={**right, name: value})
    assert answer.status_code == 400
    [detail] = answer.get_json()["details"]
    assert detail["message"].startswith(f"{name}: ")
    assert str(value).strip() not in detail["message"]
    assert bench.row_counts() == before


QUERIES: dict[str, str] = {
    "not UTF-8": "requestAckId=%ff",
    "an encoded surrogate": "requestAckId=%ed%a0%80",
    "not UTF-8 in an unknown member": "zone=%c3%28",
    "not UTF-8 in a name": "%ff=1",
    "a NUL": "requestAckId=%00",
    "a NUL inside": "osfAckId=a%00b",
    "a line break": "ackId=a%0d%0ab",
    "a control character": "documentNumber=US%1b98",
    "too long": "requestAckId=" + "x" * 101,
    "the same member twice": "requestAckId=a&requestAckId=b",
    "no kind": "documentKindCategory=invention",
    "no date": "documentDate=2023-13-01",
    "a member as a list": f"documentNumber={quote(WANTED.number)}&documentNumber=US%2099%2F000%2C000",
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "retrievals"), ("GET", "retrievals/statuses"), ("GET", "url-downloads"), ("DELETE", "files")],
)
def test_a_query_that_cannot_be_meant_is_refused(bench: Bench, method: str, path: str, query: str) -> None:
    before = bench.row_counts()
    right = urlencode({name: value for name, value in WANTED.members().items() if name not in query})
    answer = bench.caller().call(method, path, query_string=f"{right}&{query}")
    assert answer.status_code == 400
    assert set(das_codes(answer)) == {-1000}
    assert bench.row_counts() == before


@pytest.mark.parametrize(
    "place",
    [
        "%00",
        "a%00b",
        "%0a",
        "x" * 101,
        "x" * 3000,
        "%e2%80%a8",
        "%1b",
        "%ff",
        "%ed%a0%80",
        "..",
        "%2e%2e",
        "a%2fb",
        "a/b",
        "a//b",
    ],
)
def test_no_text_in_the_place_of_an_id_is_more_than_not_found(bench: Bench, place: str) -> None:
    answer = bench.caller().call("GET", f"retrievals/{place}")
    assert answer.status_code in (400, 404)
    assert das_codes(answer) == [-1000]
