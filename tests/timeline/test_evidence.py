"""One document's evidence convinces somebody who has nothing but the office's public key; a spoilt one does not."""

import json
import random
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from office_node.timeline import evidence
from office_node.timeline.evidence import EvidenceRefused
from office_node.wiring.node import Node
from tests import command_line
from tests.databases import on_sqlite
from tests.office import Office
from tests.timeline.noted import checkpoint, fill

NUMBER = "US 98/012,003"
SPOILT = 300


@pytest.fixture
def exported(office: Office, node: Node) -> Path:
    """Of a document with entries under two checkpoints and one that none covers yet."""
    fill(node, 21)
    checkpoint(node)
    fill(node, 14)
    checkpoint(node)
    fill(node, 7)
    file = office.folder / "evidence.json"
    told = command_line.run(office.settings_file, "timeline", "export", "us98/012,003", "--output", str(file))
    assert told.exit_code == 0, told.output
    assert "checkpoints" in told.stdout
    return file


@pytest.fixture
def key(office: Office) -> Path:
    file = office.folder / "timeline_public.pem"
    command_line.run(office.settings_file, "keys", "export", "timeline", "--output", str(file))
    return file


@on_sqlite
def test_the_evidence_is_checked_without_the_office(exported: Path, key: Path, tmp_path: Path) -> None:
    nothing = tmp_path / "no-settings.toml"
    told = command_line.run(nothing, "timeline", "check-evidence", str(exported), "--key", str(key))
    assert told.exit_code == 0, told.output
    assert "entries are as the office signed them" in told.stdout
    assert "newer ones in it prove nothing" in told.stdout
    said = json.loads(
        command_line.run(nothing, "timeline", "check-evidence", str(exported), "--key", str(key), "--json").stdout
    )
    assert [entry["said"]["n"] for entry in said["proven"] if entry["number"] == NUMBER] == [3, 10, 17, 3, 10]
    assert [entry["said"]["n"] for entry in said["not_covered_yet"] if entry["number"] == NUMBER] == [3]


@on_sqlite
def test_nothing_of_other_documents_is_in_it(exported: Path) -> None:
    content = json.loads(exported.read_text())
    subjects = {given["entry"]["subject"] for given in content["entries"] if given["entry"]["number"] == NUMBER}
    assert all(
        given["entry"]["number"] == NUMBER or given["entry"]["subject"] in subjects for given in content["entries"]
    )


@on_sqlite
def test_spoilt_evidence_is_refused(exported: Path, key: Path, node: Node) -> None:
    good = json.loads(exported.read_text())
    ring = node.timeline.verification._key_of
    proven = len(evidence.check(json.dumps(good), ring)[0])
    rng = random.Random(7)
    for _ in range(SPOILT):
        spoilt = deepcopy(good)
        _spoil(spoilt, rng)
        if spoilt == good:
            continue
        with pytest.raises(EvidenceRefused):
            evidence.check(json.dumps(spoilt), ring)
    assert proven


@on_sqlite
@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"format":"office-node/evidence/1"}', "[" * 100_000])
def test_what_is_no_evidence_is_refused(text: str, node: Node) -> None:
    with pytest.raises(EvidenceRefused, match="N382"):
        evidence.check(text, node.timeline.verification._key_of)


def _spoil(content: dict[str, Any], rng: random.Random) -> None:
    """One letter somewhere in an entry that is proven, in what proves it, or in a checkpoint."""
    covered = [given for given in content["entries"] if given["checkpoint"] is not None]
    given = rng.choice(covered)
    match rng.randrange(4):
        case 0:
            name = rng.choice(["at", "step", "kind", "number", "subject"])
            given["entry"][name] = _changed(given["entry"][name] or "", rng)
        case 1:
            given["before"] = _changed(given["before"], rng)
        case 2:
            at = rng.randrange(len(given["path"]))
            given["path"][at] = _changed(given["path"][at], rng)
        case 3:
            number = rng.choice([*content["checkpoints"]])
            signed = content["checkpoints"][number]
            at = rng.randrange(len(signed) - 1)  # the last letter of base64url has bits that say nothing
            content["checkpoints"][number] = signed[:at] + ("A" if signed[at] != "A" else "B") + signed[at + 1 :]


def _changed(text: str, rng: random.Random) -> str:
    at = rng.randrange(len(text)) if text else 0
    return text[:at] + ("0" if text[at : at + 1] != "0" else "1") + text[at + 1 :]
