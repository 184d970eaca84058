"""A retrieval as simulated WIPO lives it: forwarded to the office, and fetched by itself once the office notifies."""

import hashlib
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

import requests

from office_node.rehearsal.ledger import Ledger
from office_node.rehearsal.operator import Operator, Wanted

_BLOCK_BYTES = 1 << 20
Deliver = Callable[[BinaryIO | None], None]
Fetch = Callable[[BinaryIO], tuple[str, int]]


class Exchange:
    """What simulated WIPO has forwarded, and what became of it; every step that had an effect is in the ledger."""

    def __init__(self, operators: Mapping[str, Operator], ledger: Ledger) -> None:
        self._operators = operators
        """One for each setup that the office accepts."""
        self._ledger = ledger
        self._forwarded: dict[str, tuple[Wanted, Operator, Deliver]] = {}
        self._lock = threading.Lock()

    def forward(
        self, wanted: Wanted, setup: str | None = None, deliver: Deliver = lambda _content: None
    ) -> dict[str, Any]:
        """E1 and E11 on the office; returns what it answered, with both acknowledgement ids if it accepted.

        `setup` holds for the whole exchange; the first that the office accepts if not given. `deliver` gets the
        document, or None when the office cannot supply it.
        """
        try:
            return self._forward(wanted, setup or next(iter(self._operators)), deliver)
        except requests.RequestException as exc:
            return {"step": "call", "status": None, "answer": type(exc).__name__}

    def _forward(self, wanted: Wanted, setup: str, deliver: Deliver) -> dict[str, Any]:
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
            self._forwarded[acknowledgement_id] = (wanted, operator, deliver)
        self._ledger.record("forwarded", acknowledgement_id, {"wipo_acknowledgement_id": wipo_id, "setup": setup})
        return {
            "step": "forward",
            "status": answer.status_code,
            "requestAckId": acknowledgement_id,
            "osfAckId": wipo_id,
            "setup": setup,
        }

    def tell(self, path: str, message: dict[str, Any]) -> int:
        """A call on the office by the first setup, with a token of its own; gives the status it answers."""
        operator = next(iter(self._operators.values())).another()
        with operator.http:
            refusal = operator.take_token()
            return refusal.status_code if refusal is not None else operator.call("POST", path, json=message).status_code

    def notified(self, acknowledgement_ids: list[str], category: str, transit: Path | None = None) -> None:
        """The office notified: fetch what was asked for, in a thread of its own, if it was forwarded from here.

        From the office's link, or where it is if the office sent it through the transit zone (F4).
        """
        with self._lock:
            known = [(one, self._forwarded.pop(one)) for one in acknowledgement_ids if one in self._forwarded]
        for acknowledgement_id, (wanted, operator, deliver) in known:
            if category != "success":
                if category == "error":
                    deliver(None)
                continue
            if transit:
                fetch: Fetch = partial(_read, transit)
                through = "transit"
            else:
                fetch, through = partial(_download, operator.another(), acknowledgement_id, wanted), "link"
            asked_for = (acknowledgement_id, fetch, through, deliver)
            threading.Thread(target=self._fetch, args=asked_for, daemon=True).start()

    def _fetch(self, acknowledgement_id: str, fetch: Fetch, through: str, deliver: Deliver) -> None:
        try:
            with tempfile.TemporaryFile() as content:
                sha256, size = fetch(content)
                content.seek(0)
                deliver(content)
        except (requests.RequestException, OSError, KeyError, ValueError) as exc:
            # Its text may hold the link.
            told = {"cause": type(exc).__name__, "through": through}
            self._ledger.record("not downloaded", acknowledgement_id, told)
            deliver(None)
        else:
            facts = {"sha256": sha256, "bytes": size, "through": through}
            self._ledger.record("downloaded", acknowledgement_id, facts)


def _read(file: Path, target: BinaryIO) -> tuple[str, int]:
    """SHA-256 and size of what lies in the transit zone."""
    with file.open("rb") as content:
        shutil.copyfileobj(content, target, _BLOCK_BYTES)
        content.seek(0)
        return hashlib.file_digest(content, "sha256").hexdigest(), file.stat().st_size


def _download(operator: Operator, acknowledgement_id: str, wanted: Wanted, target: BinaryIO) -> tuple[str, int]:
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
                target.write(block)
                size += len(block)
    return sha256.hexdigest(), size


def _content(answer: requests.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
