"""Follows one rehearsed retrieval through simulated WIPO's ledger and tells each step as it happens."""

import json
import time
from typing import Any

from office_node.rehearsal import remote

_LAST = ("downloaded", "not downloaded")


def forward_and_watch(central_url: str, wanted: dict[str, str], seconds: float) -> bool:
    """Whether the document was asked for, announced and downloaded in time. Raises `CentralAway`."""
    answer = remote.post(central_url, "retrievals", wanted)
    if "requestAckId" not in answer:
        print(_refusal(answer))
        return False
    told = f"forwarded: 201, requestAckId {answer['requestAckId']}, osfAckId {answer['osfAckId']}"
    print(f"{told}, setup {answer['setup']}")
    return _watch(central_url, answer["requestAckId"], time.monotonic() + seconds)


def _watch(central_url: str, acknowledgement_id: str, deadline: float) -> bool:
    told = {"forwarded"}
    while time.monotonic() < deadline:
        entries = remote.get(central_url, "ledger")
        for entry in entries:
            if entry["key"] == acknowledgement_id and entry["effect"] not in told:
                told.add(entry["effect"])
                print(_line(entry))
        if told.intersection(_LAST):
            return "downloaded" in told
        time.sleep(0.1)
    print("not downloaded in time; `office-node outbox list` tells what the node still has to do")
    return False


def _refusal(answer: dict[str, Any]) -> str:
    if answer["status"] is None:
        return f"not forwarded: the office does not answer ({answer['answer']}); start it with `office-node serve`"
    return f"not forwarded: {answer['step']}: the office answered {answer['status']} {json.dumps(answer['answer'])}"


def _line(entry: dict[str, Any]) -> str:
    match entry["effect"]:
        case "notified":
            return f"notified: {entry['notification'].get('requestStatusCategory')}"
        case "downloaded":
            return f"downloaded: {entry['bytes']} bytes, sha256 {entry['sha256']}, through {entry['through']}"
        case _:
            return f"{entry['effect']}: {entry.get('cause', '')}"
