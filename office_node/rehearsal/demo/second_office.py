"""A second office asks WIPO for documents: by notification, by polling, in transit only, and from the first office."""

import hashlib
import json
import secrets
from pathlib import Path
from typing import Any, Final

import requests

from office_node.rehearsal import remote
from office_node.rehearsal.demo.stage import Stage
from office_node.rehearsal.demo.tally import Tally, wait_for
from office_node.rehearsal.papers import pdf

_CODE: Final = "AB21"
_DATE: Final = "2023-11-02"
_NOTHING_THERE: Final = 404  # what a node without an authorization server of its own answers at its root
_FROM_FIRST_OFFICE: Final = "US 98/100,002"
"""Which the first office has registered with its content in its own library."""


def prepare(stage: Stage, tally: Tally) -> None:
    second = stage.second
    for arguments in (("keys", "generate"), ("config", "check"), ("db", "upgrade")):
        done = second.run(*arguments)
        seen = done.stdout.strip().rpartition("\n")[2]
        tally.step(f"office-node {' '.join(arguments)}", done.returncode == 0, seen.rpartition(": ")[2][-40:])


def start(stage: Stage, tally: Tally) -> None:
    process = stage.second.start("serve")
    answers = wait_for(lambda: requests.get(f"{stage.second.office_url}/", timeout=5).status_code == _NOTHING_THERE)
    alive = bool(answers) and process.poll() is None
    tally.step("office-node serve", alive, f"the second office's node at {stage.second.office_url.split('/')[2]}")


def by_notification(stage: Stage, tally: Tally) -> None:
    """Flow F2, figure A."""
    content = _deposited(stage, "EP 16000312", "a foreign document")
    told = _collected(stage, tally, "EP 16000312")
    _compare(tally, "what WIPO has is what was handed over", told, content)
    told_to = [entry["status"] for entry in stage.ledger() if entry["effect"] == "told"]
    tally.step("WIPO notified the office", told_to[:1] == [204], f"it answered {told_to[:1]}")
    kept = stage.second.run("library", "find", "--number", "EP 16000312")
    tally.step("office-node library find", kept.returncode == 0, kept.stdout.partition(", sha256")[0])


def by_polling(stage: Stage, tally: Tally) -> None:
    """Figure B: WIPO says nothing, and is asked."""
    remote.post(stage.central_url, "pace", {"notifications": 0})
    content = _deposited(stage, "EP 16000313", "another one")
    told = _collected(stage, tally, "EP 16000313")
    _compare(tally, "heard of by polling, and handed over", told, content)
    remote.post(stage.central_url, "pace", {"notifications": 1})


def in_transit_only(stage: Stage, tally: Tally) -> None:
    """A document of the receiving office IB: the office's systems take it, and no byte is left."""
    number, marker = "PCT/IB2021/057271", secrets.token_hex(16)
    policy = stage.second.run("library", "policy", "--kind", "patent", "--number", number)
    tally.step("office-node library policy", "in transit only" in policy.stdout, policy.stdout.strip()[-40:])
    content = _deposited(stage, number, marker)
    told = _collected(stage, tally, number)
    _compare(tally, "handed over, and not kept in the library", told, content)
    folder = _folder(stage) / "collected"
    for file in told.get("files", []):
        (folder / file["file"]).unlink()
    gone = wait_for(lambda: not _holding(stage.second.folder, marker))
    tally.step("taken by the office's systems: no byte is left", bool(gone), f"{stage.second.folder.name}/ searched")


def from_the_first_office(stage: Stage, tally: Tally) -> None:
    """Flow F3 from end to end: the second office asks WIPO, WIPO the first office, and its bytes come here."""
    content = (stage.folder / "library.pdf").read_bytes()
    told = _collected(stage, tally, _FROM_FIRST_OFFICE)
    _compare(tally, "the second office holds the first office's bytes", told, content)
    shown = stage.second.run("timeline", "show", _FROM_FIRST_OFFICE)
    tally.step("office-node timeline show", shown.returncode == 0, f"{len(shown.stdout.splitlines())} lines")


def _collected(stage: Stage, tally: Tally, number: str) -> dict[str, Any]:
    """Ask, and wait until it is handed over; gives what its JSON says."""
    named = ("--kind", "patent", "--number", number, "--date", _DATE)
    asked = stage.second.run("retrievals", "ask", *named, "--json", typed=_CODE)
    request_id = json.loads(asked.stdout)["request"] if asked.returncode == 0 else ""
    tally.step(f"office-node retrievals ask {number}", bool(request_id), asked.stderr.strip() or request_id[:12])
    found = wait_for(lambda: [*_folder(stage).glob(f"collected/*-{request_id[:12]}.json")])
    told: dict[str, Any] = json.loads(found[0].read_text()) if found else {}
    return told


def _compare(tally: Tally, what: str, told: dict[str, Any], content: bytes) -> None:
    expected = hashlib.sha256(content).hexdigest()
    got = next((file["sha256"] for file in told.get("files", []) if file["role"] == "document"), "nothing came")
    tally.step(what, got == expected, f"sha256 {got[:16]}...")


def _deposited(stage: Stage, number: str, title: str) -> bytes:
    """A document of an office that is not here, at WIPO."""
    content = b"".join(pdf([title], 20_000))
    named = {"kind": "patent", "number": number, "date": _DATE, "access_code": _CODE}
    url = f"{stage.central_url}/rehearsal/documents"
    headers = {"Content-Type": "application/pdf"}
    requests.post(url, params=named, data=content, headers=headers, timeout=30).raise_for_status()
    return content


def _folder(stage: Stage) -> Path:
    return stage.second.folder / "var" / "osf"


def _holding(folder: Path, marker: str) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and marker.encode() in path.read_bytes()]
