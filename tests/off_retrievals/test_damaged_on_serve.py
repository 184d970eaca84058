"""A hundred damages that came after WIPO was told: each is refused when it is fetched, and out of service then."""

import random
from typing import Any

import pytest

from tests.databases import on_sqlite
from tests.library.damaging import damage
from tests.off_retrievals.bench import TWO_CLIENTS, das_codes
from tests.off_retrievals.conftest import MakeBench

DOCUMENTS, DAMAGED = 104, 100


@on_sqlite
@pytest.mark.parametrize("encrypt", [["confidential", "highly_confidential"], []], ids=["sealed", "plain"])
def test_row_32_a_hundred_damages_are_refused_on_serve(new_bench: MakeBench, encrypt: list[str]) -> None:
    overrides: dict[str, dict[str, Any]] = {**TWO_CLIENTS, "library": {"encrypt": encrypt}}
    bench = new_bench(overrides)
    kept = [bench.keep() for _ in range(DOCUMENTS)]
    offered = [bench.offer(one) for one in kept]
    files = [bench.kept_file(acknowledgement_id) for acknowledgement_id, _ in offered]
    spoilt = damage(files, DAMAGED, random.Random(17))
    refused = 0
    for one, file, (_, link) in zip(kept, files, offered, strict=True):
        with bench.http.get(link) as answer:
            if file.name in spoilt:
                assert (answer.status_code, das_codes(answer)) == (503, [-1000])
                assert one.content[:64] not in answer.data
                refused += 1
            else:
                assert answer.data == one.content
    assert refused == DAMAGED
    spoilt_links = [link for file, (_, link) in zip(files, offered, strict=True) if file.name in spoilt]
    assert {bench.http.get(link).status_code for link in spoilt_links} == {503}
