"""-7, -12 and -14 (protocol.md 5.2): a document that may not be handed out, without a word on what was expected."""

from typing import Any

import pytest

from office_node.rehearsal.operator import Wanted
from tests.off_retrievals.bench import Bench, das_codes, message
from tests.office import eventually

RIGHT_DATE, RIGHT_CODE = "1987-06-05", "Q7ZX"
WRONG_DATE, WRONG_CODE = "1999-03-21", "W9PK"

MISMATCHES: dict[str, tuple[dict[str, Any], list[int]]] = {
    "a number nobody filed": ({"documentNumber": "US 99/999,999"}, [-7]),
    "a number in no known form": ({"documentNumber": "US 98012357"}, [-7]),
    "a number that is a number": ({"documentNumber": 98012357}, [-7]),
    "an office nobody knows": ({"documentNumber": "QQ 1"}, [-7]),
    "another kind": ({"documentKindCategory": "design"}, [-7]),
    "a kind without numbers at that office": ({"documentKindCategory": "utility model"}, [-7]),
    "another number, date and code": (
        {"documentNumber": "US 99/999,999", "documentDate": WRONG_DATE, "dasAccessCode": WRONG_CODE},
        [-7],
    ),
    "another date": ({"documentDate": WRONG_DATE}, [-12]),
    "another code": ({"dasAccessCode": WRONG_CODE}, [-14]),
    "another code as a number": ({"dasAccessCode": 9999}, [-14]),
    "another date and another code": ({"documentDate": WRONG_DATE, "dasAccessCode": WRONG_CODE}, [-12, -14]),
}
SECRETS = (RIGHT_DATE, RIGHT_CODE, WRONG_DATE, WRONG_CODE, "9999")


@pytest.mark.parametrize("mismatch", MISMATCHES)
def test_what_does_not_match_is_refused_by_its_number_and_nothing_is_told(bench: Bench, mismatch: str) -> None:
    members, codes = MISMATCHES[mismatch]
    wanted = bench.keep(filed=RIGHT_DATE, access_code=RIGHT_CODE).wanted
    before = bench.row_counts()
    answer = bench.caller().call("POST", "retrievals", json=message(wanted, **members))
    assert answer.status_code == 400
    assert das_codes(answer) == codes
    assert answer.get_json()["code"] == "INVALID_INPUT_DATA"
    assert not [secret for secret in SECRETS if secret.lower() in answer.text.lower()]
    # Of a document that is here the timeline tells; nothing else is written, and of a strange one nothing at all.
    noted = sum(step == "WIPO asked for it and was refused" for step in _steps(bench, wanted.number))
    assert bench.row_counts() == {**before, "timeline": before["timeline"] + noted}


def _steps(bench: Bench, number: str) -> list[str]:
    return [entry.step for entry in bench.node.timeline.histories.of([number]).entries]


def test_no_log_line_tells_what_was_expected_or_sent(served: Bench) -> None:
    wanted = served.keep(filed=RIGHT_DATE, access_code=RIGHT_CODE).wanted
    wrong = Wanted(wanted.kind, wanted.number, WRONG_DATE, WRONG_CODE)
    assert das_codes(served.call("POST", "retrievals", json=message(wrong))) == [-12, -14]
    assert served.call("POST", "retrievals", json=message(wanted)).status_code == 201

    eventually(lambda: [line for line in served.office.log_lines() if line.get("das_codes") == [-12, -14]])
    log = served.office.log_file.read_text()
    assert not [secret for secret in (RIGHT_CODE, WRONG_CODE, RIGHT_DATE, WRONG_DATE) if secret in log]
