"""Documents in a bucket, as WIPO fetches them."""

from pathlib import Path

import pytest
import requests

from tests.buckets import Buckets
from tests.databases import on_sqlite
from tests.off_retrievals.bench import TWO_CLIENTS
from tests.off_retrievals.conftest import MakeBench


@on_sqlite
@pytest.mark.parametrize("encrypt", [["confidential", "highly_confidential"], []], ids=["sealed", "plain"])
def test_wipo_is_sent_to_the_bucket_only_for_what_lies_there_plain(
    new_bench: MakeBench, buckets: Buckets, tmp_path: Path, encrypt: list[str]
) -> None:
    bench = new_bench(
        {**TWO_CLIENTS, "s3": {**buckets.new(tmp_path), "presign": True}, "library": {"encrypt": encrypt}}
    )
    kept = bench.keep()
    acknowledgement_id = bench.caller().forward(kept.wanted)
    bench.prepare(acknowledgement_id)
    link = bench.caller().link(kept.wanted, acknowledgement_id)
    if encrypt:
        assert not link.startswith(buckets.url)
        with bench.http.get(link, headers={"Range": "bytes=10-19"}) as part:
            assert (part.status_code, part.data) == (206, kept.content[10:20])
    else:
        assert link.startswith(buckets.url)
        answer = requests.get(link, timeout=10)
        assert (answer.content, answer.headers["Content-Type"]) == (kept.content, "application/pdf")
