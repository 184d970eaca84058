"""A download link opens one content for one request at one host for some minutes, and nothing else (E15)."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import time_machine

from office_node.off_retrievals.download_links import DownloadLinks, LinkInvalid
from tests.off_retrievals.bench import Bench, Kept, das_codes

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LIFE = timedelta(minutes=15)


@pytest.fixture
def kept(sqlite_bench: Bench) -> Kept:
    return sqlite_bench.keep()


def _opens(bench: Bench, link: str, content: bytes, **request: str) -> bool:
    with bench.http.get(link, **request) as download:
        if download.status_code == 200:
            assert download.data == content
            return True
        assert download.status_code == 403
        assert das_codes(download) == [-1000]
        assert content[:100] not in download.data
        return False


def _with_query(link: str, **members: str | None) -> str:
    query = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()} | members
    return f"{link.partition('?')[0]}?{urlencode({name: value for name, value in query.items() if value is not None})}"


def test_a_link_is_its_own_proof(sqlite_bench: Bench, kept: Kept) -> None:
    _, link = sqlite_bench.offer(kept)
    assert _opens(sqlite_bench, link, kept.content)
    with sqlite_bench.http.head(link) as known:
        assert known.status_code == 200
        assert int(known.headers["Content-Length"]) == len(kept.content)
        assert known.data == b""


def test_a_link_may_be_used_many_times(sqlite_bench: Bench, kept: Kept) -> None:
    _, link = sqlite_bench.offer(kept)
    assert [_opens(sqlite_bench, link, kept.content) for _ in range(3)] == [True] * 3


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_row_20_a_link_is_good_for_reading_only(sqlite_bench: Bench, kept: Kept, method: str) -> None:
    acknowledgement_id, link = sqlite_bench.offer(kept)
    answer = sqlite_bench.http.open(link, method=method)
    assert answer.status_code == 405
    assert das_codes(answer) == [-1000]
    assert answer.headers["Allow"] == "GET, HEAD"
    assert sqlite_bench.state(acknowledgement_id) == "prepared"


def test_row_20_a_link_ends_after_the_minutes_of_the_settings(sqlite_bench: Bench, kept: Kept) -> None:
    with time_machine.travel(NOW, tick=False):
        acknowledgement_id, link = sqlite_bench.offer(kept)
    with time_machine.travel(NOW + LIFE - timedelta(seconds=1), tick=False):
        assert _opens(sqlite_bench, link, kept.content)
    with time_machine.travel(NOW + LIFE, tick=False):
        assert not _opens(sqlite_bench, link, kept.content)
        assert _opens(sqlite_bench, sqlite_bench.caller().link(kept.wanted, acknowledgement_id), kept.content)


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "127.0.0.1:1", "evil.example", "evil.example:8180", "[::1]"]
)
def test_row_20_a_link_is_worth_nothing_at_another_host(sqlite_bench: Bench, kept: Kept, host: str) -> None:
    _, link = sqlite_bench.offer(kept)
    assert not _opens(sqlite_bench, link, kept.content, base_url=f"http://{host}")


@pytest.mark.parametrize(
    ("public_url", "host"),
    [
        ("https://das.example.org", "das.example.org"),
        ("https://das.example.org", "DAS.example.org:443"),
        ("https://das.example.org:443", "das.example.org"),
        ("https://das.example.org:8443", "das.example.org:8443"),
        ("http://127.0.0.1:80", "127.0.0.1"),
        ("HTTPS://das.example.org", "das.example.org:443"),
    ],
)
def test_a_host_is_the_same_in_any_case_and_with_or_without_the_usual_port(public_url: str, host: str) -> None:
    links = DownloadLinks(b"k" * 32, public_url, 60)
    query = parse_qs(urlsplit(links.sign("B1", "V1")).query)
    shown = {"acknowledgement_id": "B1", "version_id": "V1"}
    proof = {"expires": query["expires"][0], "signature": query["signature"][0]}
    links.check(host=host, **shown, **proof)
    for other in (
        f"{host}.evil.example",
        "example.org",
        "das.example.org:80",
        "das.example.org:4433",
        f"{host}:443:443",
        f"{host}:80:80",
        "",
    ):
        with pytest.raises(LinkInvalid):
            links.check(host=other, **shown, **proof)


def test_row_20_a_link_does_not_open_another_request_or_another_content(sqlite_bench: Bench, kept: Kept) -> None:
    other = sqlite_bench.keep()
    (ours, link), (theirs, _) = sqlite_bench.offer(kept), sqlite_bench.offer(other)
    our_version, their_version = (str(sqlite_bench.record(request).version_id) for request in (ours, theirs))
    for changed in (
        link.replace(ours, theirs),
        link.replace(our_version, their_version),
        link.replace(ours, theirs).replace(our_version, their_version),
        link.replace(our_version, our_version.upper()),
    ):
        assert not _opens(sqlite_bench, changed, other.content)


@pytest.mark.parametrize(
    "members",
    [
        {"expires": "99999999999"},
        {"expires": "0"},
        {"expires": None},
        {"expires": ""},
        {"expires": "soon"},
        {"expires": "\u0661\u0662"},
        {"expires": "9" * 3000},
        {"expires": "1\n2"},
        {"signature": None},
        {"signature": ""},
        {"signature": "A" * 43},
        {"signature": "\u00e9\u4e2d\0"},
    ],
)
def test_a_link_whose_query_was_changed_opens_nothing(
    sqlite_bench: Bench, kept: Kept, members: dict[str, str | None]
) -> None:
    _, link = sqlite_bench.offer(kept)
    assert not _opens(sqlite_bench, _with_query(link, **members), kept.content)


def test_every_character_of_the_signature_counts(sqlite_bench: Bench, kept: Kept) -> None:
    _, link = sqlite_bench.offer(kept)
    signature = parse_qs(urlsplit(link).query)["signature"][0]
    for place, character in enumerate(signature):
        changed = signature[:place] + ("A" if character != "A" else "B") + signature[place + 1 :]
        assert not _opens(sqlite_bench, _with_query(link, signature=changed), kept.content)


def test_a_link_signed_with_another_key_opens_nothing(sqlite_bench: Bench, kept: Kept) -> None:
    acknowledgement_id, _ = sqlite_bench.offer(kept)
    forger = DownloadLinks(bytes(32), sqlite_bench.office.url, 900)
    forged = forger.sign(acknowledgement_id, str(sqlite_bench.record(acknowledgement_id).version_id))
    assert not _opens(sqlite_bench, forged, kept.content)


def test_a_good_link_to_a_request_that_never_was_is_gone(sqlite_bench: Bench, kept: Kept) -> None:
    acknowledgement_id, _ = sqlite_bench.offer(kept)
    version_id = str(sqlite_bench.record(acknowledgement_id).version_id)
    links = sqlite_bench.node.links
    for link in (links.sign("no-such-request", version_id), links.sign(acknowledgement_id, "0" * 32)):
        answer = sqlite_bench.http.get(link)
        assert answer.status_code == 410
        assert das_codes(answer) == [-1000]


def test_a_link_ends_with_its_request(sqlite_bench: Bench, kept: Kept) -> None:
    acknowledgement_id, link = sqlite_bench.offer(kept)
    sqlite_bench.caller().call("DELETE", "files", query_string={"requestAckId": acknowledgement_id})
    for method in ("GET", "HEAD"):
        assert sqlite_bench.http.open(link, method=method).status_code == 410
    assert das_codes(sqlite_bench.http.get(link)) == [-1000]


@pytest.mark.parametrize(
    "trick",
    [
        "../../../etc/passwd",
        "..%2f..%2f..%2fetc/passwd",
        "%2e%2e/%2e%2e",
        "%2e%2e%2f%2e%2e/x",
        "%00/%00",
        "a%00/b",
        "a/b%0ac",
        "//etc/passwd",
        "a//b",
        "a/b/c",
        "a/b/",
        "%5c..%5c/x",
        "%ff/%fe",
        "x" * 3000 + "/y",
        "a",
        "",
    ],
)
def test_no_trick_with_the_path_leads_anywhere(sqlite_bench: Bench, kept: Kept, trick: str) -> None:
    _, link = sqlite_bench.offer(kept)
    query = urlsplit(link).query
    answer = sqlite_bench.http.get(f"{sqlite_bench.office.url}/das/v1/downloads/{trick}?{query}")
    assert answer.status_code in (403, 404)
    assert das_codes(answer) == [-1000]
