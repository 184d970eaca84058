"""One statement of accepting a retrieval fails, whichever: all of it is undone, and the next try does it all."""

import pytest

from tests.faults.failing import fail_at, mend, rows_of
from tests.off_retrievals.bench import Bench, message


@pytest.mark.parametrize("table", ["forwarded_retrievals", "outbox_messages", "timeline"])
def test_row_29_a_retrieval_is_accepted_whole_or_not_at_all(sqlite_bench: Bench, table: str) -> None:
    kept, node = sqlite_bench.keep(), sqlite_bench.node
    before = rows_of(node)
    fail_at(node, table, "INSERT")
    try:
        answer = sqlite_bench.caller().call("POST", "retrievals", json=message(kept.wanted))
        assert answer.status_code in (500, 503)
        assert rows_of(node) | {"used_assertions": 0} == before | {"used_assertions": 0}
    finally:
        mend(node, table)
    acknowledgement_id = sqlite_bench.caller().forward(kept.wanted)
    assert [message.kind for message in sqlite_bench.messages(acknowledgement_id)] == ["prepare_retrieval"]
