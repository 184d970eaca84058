"""When a request counts as downloaded: when the last byte has gone out after all bytes before it, and not earlier."""

from typing import Any

import pytest

from tests.off_retrievals.bench import Bench
from tests.off_retrievals.wire import connect, head
from tests.office import eventually, pdf

SIZE = 200_000


def _ends(bench: Bench, acknowledgement_id: str) -> list[dict[str, Any]]:
    """What the web processes told about the ends of that request's downloads."""
    told = ("download ended", "download cut")
    lines = [line for line in bench.office.log_lines() if line["event"] in told]
    return [line for line in lines if line["acknowledgement_id"] == acknowledgement_id]


def test_a_request_whose_bytes_all_went_out_is_downloaded(served_bench: Bench) -> None:
    acknowledgement_id, link = served_bench.offer(served_bench.keep())
    served_bench.fetch(link)
    eventually(lambda: served_bench.state(acknowledgement_id) == "downloaded")
    record = served_bench.record(acknowledgement_id)
    assert record.downloaded_at
    assert record.open_key is None


def test_a_download_that_goes_on_by_range_ends_like_a_whole_one(served_bench: Bench) -> None:
    kept = served_bench.keep(pdf(SIZE))
    acknowledgement_id, link = served_bench.offer(kept)
    start = served_bench.fetch(link, Range="bytes=0-99999").content
    eventually(lambda: len(_ends(served_bench, acknowledgement_id)) == 1)
    assert served_bench.state(acknowledgement_id) == "prepared"
    assert start + served_bench.fetch(link, Range="bytes=100000-").content == kept.content
    eventually(lambda: served_bench.state(acknowledgement_id) == "downloaded")


@pytest.mark.parametrize("asked", ["bytes=0-99", "bytes=-100", "bytes=5-5"])
def test_a_part_is_not_the_document(served_bench: Bench, asked: str) -> None:
    kept = served_bench.keep()
    acknowledgement_id, link = served_bench.offer(kept)
    assert served_bench.fetch(link, Range=asked).status_code == 206
    eventually(lambda: _ends(served_bench, acknowledgement_id))
    assert served_bench.state(acknowledgement_id) == "prepared"
    assert served_bench.caller().forward(kept.wanted) == acknowledgement_id


def test_looking_is_not_downloading(bench: Bench) -> None:
    kept = bench.keep()
    acknowledgement_id, link = bench.offer(kept)
    bench.http.head(link)
    bench.http.get(link, headers={"If-None-Match": "*"})
    bench.http.get(link, headers={"If-Match": '"another"'})
    assert bench.state(acknowledgement_id) == "prepared"


def test_a_download_that_was_cut_is_not_one(served_bench: Bench) -> None:
    kept = served_bench.keep(pdf(20_000_000))
    acknowledgement_id, link = served_bench.offer(kept)
    host = link.split("/")[2]
    with connect(link) as line:
        line.sendall(head("GET", link.partition(host)[2], host))
        assert line.recv(1)
    [cut] = eventually(lambda: _ends(served_bench, acknowledgement_id))
    assert cut["event"] == "download cut"
    assert cut["bytes"] < len(kept.content)
    assert served_bench.state(acknowledgement_id) == "prepared"
    served_bench.fetch(link)
    eventually(lambda: served_bench.state(acknowledgement_id) == "downloaded")


def test_a_second_download_changes_nothing_more(bench: Bench) -> None:
    acknowledgement_id, link = bench.offer(bench.keep())
    bench.http.get(link).close()
    first = bench.record(acknowledgement_id).downloaded_at
    bench.http.get(link).close()
    assert bench.state(acknowledgement_id) == "downloaded"
    assert bench.record(acknowledgement_id).downloaded_at == first
