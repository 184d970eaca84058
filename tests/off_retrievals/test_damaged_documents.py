"""A kept file that is damaged or gone is never served as good, and never announced."""

from collections.abc import Callable
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from office_node.errors import OfficeNodeError
from office_node.library.damage import DocumentDamaged, FileMissing, StoreUnusable
from tests.off_retrievals.bench import Bench, das_codes


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def _lengthen(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"\n")


def _alter(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def _put_a_folder_there(file: Path) -> None:
    file.unlink()
    file.mkdir()


DAMAGES: dict[str, tuple[Callable[[Path], None], type[OfficeNodeError]]] = {
    "cut": (_cut, DocumentDamaged),
    "longer": (_lengthen, DocumentDamaged),
    "one bit changed": (_alter, DocumentDamaged),
    "gone": (Path.unlink, FileMissing),
    "a folder": (_put_a_folder_there, StoreUnusable),
}


def _unavailable(answer: TestResponse) -> bool:
    assert das_codes(answer) == [-1000]
    return (answer.status_code, answer.headers["Retry-After"]) == (503, "30")


@pytest.mark.parametrize("damage", ["cut", "longer", "gone", "a folder"])
def test_a_file_that_is_damaged_after_it_was_prepared_is_not_served(sqlite_bench: Bench, damage: str) -> None:
    kept = sqlite_bench.keep()
    acknowledgement_id, link = sqlite_bench.offer(kept)
    file = sqlite_bench.kept_file(acknowledgement_id)
    DAMAGES[damage][0](file)
    for headers in ({}, {"Range": "bytes=0-9"}):
        answer = sqlite_bench.http.get(link, headers=headers)
        assert _unavailable(answer)
        assert kept.content[:10] not in answer.data
    assert sqlite_bench.state(acknowledgement_id) == "prepared"


def test_downloads_that_fail_take_no_place_from_others(sqlite_bench: Bench) -> None:
    kept = sqlite_bench.keep()
    acknowledgement_id, link = sqlite_bench.offer(kept)
    file = sqlite_bench.kept_file(acknowledgement_id)
    content = file.read_bytes()
    file.unlink()
    for _ in range(sqlite_bench.node.settings.web.max_downloads + 1):
        assert _unavailable(sqlite_bench.http.get(link))
    file.write_bytes(content)
    with sqlite_bench.http.get(link) as download:
        assert download.data == kept.content


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_document_is_not_announced_until_it_is_mended(bench: Bench, damage: str) -> None:
    kept, caller = bench.keep(), bench.caller()
    acknowledgement_id = caller.forward(kept.wanted)
    file, claim = bench.kept_file(acknowledgement_id), bench.claim(acknowledgement_id)
    harm, error = DAMAGES[damage]
    content = file.read_bytes()
    harm(file)
    with pytest.raises(error):
        bench.node.retrievals.prepare(claim)
    assert bench.state(acknowledgement_id) == "received"
    [prepare] = bench.messages(acknowledgement_id)
    assert (prepare.kind, prepare.state) == ("prepare_retrieval", "claimed")
    assert caller.locate(kept.wanted, osfAckId=acknowledgement_id).status_code == 409

    if file.is_dir():
        file.rmdir()
    file.write_bytes(content)
    bench.node.retrievals.prepare(claim)
    assert bench.state(acknowledgement_id) == "prepared"


def test_a_damaged_document_that_nobody_waits_for_any_more_is_not_tried_again(bench: Bench) -> None:
    wanted, caller = bench.keep().wanted, bench.caller()
    acknowledgement_id = caller.forward(wanted)
    bench.kept_file(acknowledgement_id).unlink()
    caller.call("DELETE", "files", query_string={"requestAckId": acknowledgement_id})
    bench.prepare(acknowledgement_id)
    [prepare] = bench.messages(acknowledgement_id)
    assert prepare.state == "settled"
