"""docs/watched-folder.md says what the node does."""

import json
import re
from typing import Any

import pytest

from office_node.intake.request import IntakeRequest
from office_node.intake.results import NotTaken
from office_node.intake.service import REFUSED_BY
from tests.conftest import MakeOffice
from tests.intake.dropping import AT_ONCE, EVERYTHING, Bench, bench_of
from tests.office import ROOT, eventually

TEXT = (ROOT / "docs" / "watched-folder.md").read_text()
REGISTRATION, CORRECTION, RESULT = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL))


def test_the_examples_work_as_they_stand(new_office: MakeOffice) -> None:
    office = new_office(overrides=AT_ONCE)
    office.upgrade()
    office.start_central()
    with bench_of(office) as bench:
        bench.drop("2023-4711", REGISTRATION)
        _through(bench)
        assert bench.result("done", "2023-4711").keys() == RESULT.keys()
        bench.drop("B", CORRECTION, None)
        _through(bench)
        assert bench.result("done", "B")["date"] == CORRECTION["new_date"]


def test_every_code_of_a_refusal_is_explained() -> None:
    explained = re.findall(r"^\| (N\d{3}) \|", TEXT, re.MULTILINE)
    assert explained == sorted({*REFUSED_BY, NotTaken.code})


def test_every_key_is_explained() -> None:
    table = TEXT.partition("| key |")[2].partition("\n\n")[0]
    rows = [line.split("|")[1] for line in table.splitlines()[2:]]
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(
        field.alias or name for name, field in IntakeRequest.model_fields.items()
    )


@pytest.mark.parametrize("member", ["outcome", "reasons", "what_to_do", "kept_as", "name", "fileId", "code"])
def test_every_member_of_a_result_is_named(member: Any) -> None:
    assert f"`{member}`" in TEXT


def _through(bench: Bench) -> None:
    bench.take_in()

    def is_done() -> bool:
        bench.work(*EVERYTHING)
        return not bench.node.outbox.messages()

    eventually(is_done)
