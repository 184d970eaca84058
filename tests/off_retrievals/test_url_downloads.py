"""files/url-downloads (E14): where the bytes of a prepared request are, by whatever method, path and id it is asked."""

from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from office_node.library.accession import Outcome
from tests.off_retrievals.bench import ID_NAMES, PREFIXES, Bench, Caller, Kept, das_codes
from tests.office import pdf

WAYS = ("POST body", "GET query", "GET body")


def _ask(caller: Caller, way: str, path: str, members: dict[str, str]) -> TestResponse:
    method, place = way.split()
    if place == "body":
        return caller.call(method, path, json=members)
    return caller.call(method, path, query_string=members)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("path", ["files/url-downloads", "files/url-downloads/", "url-downloads", "url-downloads/"])
@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_way_of_asking_gives_a_link(sqlite_bench: Bench, prefix: str, path: str, way: str) -> None:
    kept = sqlite_bench.keep()
    acknowledgement_id, _ = sqlite_bench.offer(kept)
    members = {**kept.wanted.members(), "osfAckId": acknowledgement_id}
    answer = _ask(sqlite_bench.caller(prefix=prefix), way, path, members)
    assert answer.status_code == 200
    with sqlite_bench.http.get(answer.get_json()["fileDownloadUrl"]) as download:
        assert download.data == kept.content


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("whose", ["ours", "WIPO's"])
@pytest.mark.parametrize("name", ID_NAMES)
def test_a_request_is_named_by_either_id_under_any_name(bench: Bench, name: str, whose: str, way: str) -> None:
    kept, caller = bench.keep(), bench.caller()
    wipo_id = f"A-{uuid4().hex}"
    ours = caller.forward(kept.wanted, osfAckId=wipo_id)
    bench.prepare(ours)
    caller.forward(kept.wanted, osfAckId=f"{wipo_id}-not-ready")
    members = {**kept.wanted.members(), name: ours if whose == "ours" else wipo_id}
    answer = _ask(caller, way, "files/url-downloads", members)
    assert answer.status_code == 200
    assert f"/{ours}/" in answer.get_json()["fileDownloadUrl"]


def test_a_link_is_a_path_under_our_public_url_with_an_end_and_a_signature(bench: Bench) -> None:
    kept, caller = bench.keep(), bench.caller()
    acknowledgement_id, _ = bench.offer(kept)
    answer = caller.locate(kept.wanted, osfAckId=acknowledgement_id)
    assert list(answer.get_json()) == ["fileDownloadUrl"]
    assert answer.headers["Cache-Control"] == "no-store"
    link = urlsplit(answer.get_json()["fileDownloadUrl"])
    assert f"{link.scheme}://{link.netloc}" == bench.office.settings().web.public_url
    version_id = bench.record(acknowledgement_id).version_id
    assert link.path == f"/das/v1/downloads/{acknowledgement_id}/{version_id}"
    assert set(parse_qs(link.query)) == {"expires", "signature"}


def test_the_document_alone_finds_its_newest_request_that_is_ready(bench: Bench) -> None:
    kept, caller = bench.keep(), bench.caller()
    older, newer, unready = (caller.forward(kept.wanted, osfAckId=f"{n}-{uuid4().hex}") for n in range(3))
    claims = {claim.acknowledgement_id: claim for claim in bench.node.outbox.claim("prepare_retrieval", 10_000)}
    for acknowledgement_id in (newer, older):
        bench.node.retrievals.prepare(claims[acknowledgement_id])
    assert f"/{newer}/" in caller.locate(kept.wanted).get_json()["fileDownloadUrl"]
    assert bench.state(unready) == "received"


def test_a_number_and_a_date_written_otherwise_find_the_request(bench: Bench) -> None:
    kept = bench.keep()
    acknowledgement_id, _ = bench.offer(kept)
    answer = bench.caller().locate(
        kept.wanted,
        osfAckId=acknowledgement_id,
        documentNumber=kept.wanted.number.lower().replace(" ", ""),
        documentDate=f"{kept.wanted.date}T00:00:00Z",
        documentKindCategory="PATENT",
    )
    assert answer.status_code == 200


def test_a_request_that_is_not_ready_is_told_apart_from_none(bench: Bench) -> None:
    kept, caller = bench.keep(), bench.caller()
    acknowledgement_id = caller.forward(kept.wanted)
    answer = caller.locate(kept.wanted, osfAckId=acknowledgement_id)
    assert answer.status_code == 409
    assert das_codes(answer) == [-1000]
    assert answer.get_json()["code"] == "NOT_READY"


def test_a_request_that_has_ended_is_gone(bench: Bench) -> None:
    kept, caller = bench.keep(), bench.caller()
    acknowledgement_id, _ = bench.offer(kept)
    caller.call("DELETE", "files", query_string={"requestAckId": acknowledgement_id})
    answer = caller.locate(kept.wanted, osfAckId=acknowledgement_id)
    assert answer.status_code == 410
    assert das_codes(answer) == [-1000]


@pytest.mark.parametrize(
    "members",
    [
        {"osfAckId": "no-such-id"},
        {"documentDate": "2001-01-01"},
        {"documentKindCategory": "design"},
        {"documentNumber": "US 99/999,999"},
        {"documentNumber": "no number at all"},
    ],
)
def test_a_request_is_found_only_if_everything_fits(bench: Bench, members: dict[str, str]) -> None:
    kept = bench.keep()
    acknowledgement_id, _ = bench.offer(kept)
    answer = bench.caller().locate(kept.wanted, **{"osfAckId": acknowledgement_id, **members})
    assert answer.status_code == 404
    assert das_codes(answer) == [-1000]


def test_what_replaced_a_content_is_what_is_served_from_then_on(bench: Bench) -> None:
    kept, caller = bench.keep(), bench.caller()
    before, link_of_before = bench.offer(kept)
    changed = Kept(kept.wanted, pdf(30_000))
    assert bench.take_in(changed) is Outcome.NEW_VERSION
    after = caller.forward(kept.wanted, osfAckId=f"A-{uuid4().hex}")
    bench.prepare(after)
    assert bench.http.get(link_of_before).status_code == 410, "nobody gets the old content any more"
    for acknowledgement_id in (before, after):
        with bench.http.get(caller.link(kept.wanted, acknowledgement_id)) as download:
            assert download.data == changed.content


def test_a_link_is_given_again_after_the_download(bench: Bench) -> None:
    kept = bench.keep()
    acknowledgement_id, first = bench.offer(kept)
    bench.http.get(first).close()
    with bench.http.get(bench.caller().link(kept.wanted, acknowledgement_id)) as again:
        assert again.data == kept.content
