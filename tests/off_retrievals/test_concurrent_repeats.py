"""The same request many times at the same instant, on two web processes: one effect, one answer."""

import threading
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select

from office_node.off_retrievals.records import ForwardedRetrievalRecord
from tests.off_retrievals.bench import Bench, Kept, message

AT_ONCE = 10


def _forward_at_once(bench: Bench, kept: Kept) -> set[str]:
    together = threading.Barrier(AT_ONCE)

    def forward(_: int) -> str:
        together.wait()
        answer = bench.call("POST", "retrievals", json=message(kept.wanted, osfAckId="A1"))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["requestAckId"])

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return set(pool.map(forward, range(AT_ONCE)))


def _rows(bench: Bench, kept: Kept) -> list[str]:
    with bench.node.database.reading() as session:
        found = session.scalars(
            select(ForwardedRetrievalRecord.acknowledgement_id).where(
                ForwardedRetrievalRecord.number == kept.wanted.number
            )
        )
        return list(found)


def test_row_16_ten_repeats_at_the_same_instant_are_one_request(served_bench: Bench) -> None:
    for _ in range(5):
        kept = served_bench.keep()
        [acknowledgement_id] = _forward_at_once(served_bench, kept)
        assert _rows(served_bench, kept) == [acknowledgement_id]
        assert [entry.kind for entry in served_bench.messages(acknowledgement_id)] == ["prepare_retrieval"]


def test_repeats_while_the_document_is_prepared_stay_one_request_with_one_notification(served_bench: Bench) -> None:
    kept = served_bench.keep()
    [acknowledgement_id] = _forward_at_once(served_bench, kept)
    claim = served_bench.claim(acknowledgement_id)
    with ThreadPoolExecutor(1) as worker:
        prepared = worker.submit(served_bench.node.retrievals.prepare, claim)
        assert _forward_at_once(served_bench, kept) == {acknowledgement_id}
        prepared.result()
    kinds = [entry.kind for entry in served_bench.messages(acknowledgement_id)]
    assert kinds == ["prepare_retrieval", "notify_wipo"]


def test_ten_different_requests_at_the_same_instant_are_ten(served_bench: Bench) -> None:
    kept = served_bench.keep()
    together = threading.Barrier(AT_ONCE)

    def forward(number: int) -> str:
        together.wait()
        answer = served_bench.call("POST", "retrievals", json=message(kept.wanted, osfAckId=f"A{number}"))
        return str(answer.json()["requestAckId"])

    with ThreadPoolExecutor(AT_ONCE) as pool:
        given = set(pool.map(forward, range(AT_ONCE)))
    assert len(given) == AT_ONCE
    assert set(_rows(served_bench, kept)) == given
