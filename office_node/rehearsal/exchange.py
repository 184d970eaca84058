"""A retrieval as simulated WIPO lives it: forwarded to the office, and fetched by itself once the office notifies."""

import hashlib
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import requests

from office_node.rehearsal.ledger import Ledger
from office_node.rehearsal.operator import Operator, Wanted

_BLOCK_BYTES = 1 << 20


class Exchange:
    """What simulated WIPO has forwarded, and what became of it; every step that had an effect is in the ledger."""

    def __init__(self, operators: Mapping[str, Operator], ledger: Ledger) -> None:
        self._operators = operators
        """One for each setup that the office accepts."""
        self._ledger = ledger
        self._forwarded: dict[str, tuple[Wanted, Operator]] = {}
        self._lock = threading.Lock()

    def forward(self, wanted: Wanted, setup: str | None = None) -> dict[str, Any]:
        """E1 and E11 on the office; returns what it answered, with both acknowledgement ids if it accepted.

        `setup` holds for the whole exchange; the first that the office accepts if not given.
        """
        try:
            return self._forward(wanted, setup or next(iter(self._operators)))
        except requests.RequestException as exc:
            return {"step": "call", "status": None, "answer": type(exc).__name__}

    def _forward(self, wanted: Wanted, setup: str) -> dict[str, Any]:
        wipo_id = f"A1-{uuid4().hex[:12]}"
        operator = self._operators[setup]
        with self._lock:
            refusal = operator.take_token()
            if refusal is not None:
                return {"step": "token", "status": refusal.status_code, "answer": _content(refusal)}
            answer = operator.forward(wanted, wipo_acknowledgement_id=wipo_id)
            said = _content(answer)
            if answer.status_code != requests.codes.created:
                return {"step": "forward", "status": answer.status_code, "answer": said}
            acknowledgement_id = str(said.get("requestAckId"))
            self._forwarded[acknowledgement_id] = (wanted, operator)
        self._ledger.record("forwarded", acknowledgement_id, {"wipo_acknowledgement_id": wipo_id, "setup": setup})
        return {
            "step": "forward",
            "status": answer.status_code,
            "requestAckId": acknowledgement_id,
            "osfAckId": wipo_id,
            "setup": setup,
        }

    def notified(self, acknowledgement_ids: list[str], category: str, transit: Path | None = None) -> None:
        """The office notified: fetch what was asked for, in a thread of its own, if it was forwarded from here.

        From the office's link, or where it is if the office sent it through the transit zone (F4).
        """
        with self._lock:
            known = [(one, self._forwarded.pop(one)) for one in acknowledgement_ids if one in self._forwarded]
        for acknowledgement_id, (wanted, operator) in known if category == "success" else []:
            if transit:
                fetch, through = partial(_read, transit), "transit"
            else:
                fetch, through = partial(_download, operator.another(), acknowledgement_id, wanted), "link"
            asked_for = (acknowledgement_id, fetch, through)
            threading.Thread(target=self._fetch, args=asked_for, daemon=True).start()

    def _fetch(self, acknowledgement_id: str, fetch: Callable[[], tuple[str, int]], through: str) -> None:
        try:
            sha256, size = fetch()
        except (requests.RequestException, OSError, KeyError, ValueError) as exc:
            # Its text may hold the link.
            told = {"cause": type(exc).__name__, "through": through}
            self._ledger.record("not downloaded", acknowledgement_id, told)
        else:
            facts = {"sha256": sha256, "bytes": size, "through": through}
            self._ledger.record("downloaded", acknowledgement_id, facts)


def _read(file: Path) -> tuple[str, int]:
    """SHA-256 and size of what lies in the transit zone."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest(), file.stat().st_size


def _download(operator: Operator, acknowledgement_id: str, wanted: Wanted) -> tuple[str, int]:
    """E1, E14 and E15; returns SHA-256 and size. The notification may come when the token of E11 is long dead."""
    with operator.http:
        refusal = operator.take_token()
        if refusal is not None:
            refusal.raise_for_status()
        located = operator.locate(wanted, acknowledgement_id)
        located.raise_for_status()
        with operator.fetch(located.json()["fileDownloadUrl"]) as answer:
            answer.raise_for_status()
            sha256, size = hashlib.sha256(), 0
            for block in answer.iter_content(_BLOCK_BYTES):
                sha256.update(block)
                size += len(block)
    return sha256.hexdigest(), size


def _content(answer: requests.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
