"""Unknown places, wrong methods, wrong content types and bodies where none belong: refused in DAS's shape."""

import json

import pytest

from tests.off_retrievals.bench import PREFIXES, Bench, das_codes, message

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
PLACES = {
    "retrievals": {"GET", "POST"},
    "retrievals/statuses": {"GET"},
    "retrievals/some-id": {"GET"},
    "files/url-downloads": {"GET", "POST"},
    "url-downloads": {"GET", "POST"},
    "files": {"DELETE"},
}
NO_PLACES = [
    "/",
    "/das",
    "/das/v1",
    "/das/v1/requests",
    "/das/v2/requests/retrievals",
    "/das-api/v1/retrievals",
    "/DAS/v1/requests/retrievals",
    "/das/v1/requests/retrievalss",
    "/das/v1/requests/retrievals/a/b",
    "/das/v1//requests/retrievals",
    "/das/v1/requests//retrievals",
    "/das/v1/requests/files//url-downloads",
    "/das/v1/requests/./retrievals",
    "/das/v1/requests/x/../retrievals",
    "/das/v1/requests/x/%2e%2e/retrievals",
    "/das/v1/requests/retrievals%00",
    "/das/v1/requests/registrations",
    "/das/v1/requests/notification",
    "/das/v1/downloads",
    "/static/x",
    "/%ff",
    "/" + "a/" * 1000,
]


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("place", PLACES)
def test_a_place_names_the_methods_it_has(served: Bench, prefix: str, place: str) -> None:
    for method in METHODS:
        if method in PLACES[place]:
            continue
        url = f"{served.office.url}{prefix}/requests/{place}"
        answer = served.line.request(method, url, headers={"Authorization": f"Bearer {served.token()}"}, timeout=30)
        assert answer.status_code == 405, method
        assert das_codes(answer) == [-1000]
        assert set(answer.headers["Allow"].split(", ")) - {"HEAD"} == PLACES[place]


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("place", NO_PLACES)
def test_an_unknown_place_is_not_found(sqlite_bench: Bench, place: str, method: str) -> None:
    answer = sqlite_bench.http.open(place, method=method)
    assert answer.status_code == 404
    assert das_codes(answer) == [-1000]


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "text/json",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/problem+json",
        "application/jsonx",
        "json",
        "*/*",
        "application/json, text/plain",
        "x" * 5000,
    ],
)
@pytest.mark.parametrize("path", ["retrievals", "url-downloads"])
def test_a_body_that_is_not_declared_as_json_is_refused(bench: Bench, path: str, content_type: str) -> None:
    body, before = json.dumps(message(bench.keep().wanted)), bench.row_counts()
    answer = bench.caller().call("POST", path, data=body, content_type=content_type)
    assert answer.status_code == 415
    assert das_codes(answer) == [-1000]
    assert bench.row_counts() == before


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8", "Application/JSON"],
)
def test_json_may_be_declared_with_a_character_set(bench: Bench, content_type: str) -> None:
    body = json.dumps(message(bench.keep().wanted))
    answer = bench.caller().call("POST", "retrievals", data=body, content_type=content_type)
    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "retrievals"), ("GET", "retrievals/statuses"), ("GET", "retrievals/some-id"), ("DELETE", "files")],
)
def test_a_body_where_none_belongs_is_refused(served: Bench, method: str, path: str) -> None:
    wanted = served.keep().wanted
    acknowledgement_id = served.caller().forward(wanted)
    for body in (b"{}", b"x", iter([b"in ", b"chunks"])):
        query = {"requestAckId": acknowledgement_id}
        answer = served.call(method, path, data=body, params=query, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
        assert das_codes(answer) == [-1000]
    assert served.state(acknowledgement_id) == "received"


def test_a_query_does_not_stand_for_the_body_of_a_post(bench: Bench) -> None:
    kept = bench.keep()
    acknowledgement_id, _ = bench.offer(kept)
    query = {**kept.wanted.members(), "osfAckId": acknowledgement_id}
    answer = bench.caller().call("POST", "url-downloads", query_string=query, json={})
    assert answer.status_code == 400
    assert das_codes(answer) == [-1000, -1000, -1000]
