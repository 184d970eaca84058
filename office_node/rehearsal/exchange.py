"""A retrieval as simulated WIPO lives it: forwarded to the office, and fetched by itself once the office notifies."""

import hashlib
import shutil
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

import requests

from office_node.rehearsal.hostility import Fate, Hostility
from office_node.rehearsal.ledger import Ledger
from office_node.rehearsal.operator import Operator, Wanted
from office_node.rehearsal.pace import Pace

_BLOCK_BYTES = 1 << 20
_TRIES, _PAUSE_SECONDS = 40, 0.5
_TRIES_OF_A_BUSY_OFFICE = 4
Deliver = Callable[[BinaryIO | None], None]
Fetch = Callable[[BinaryIO], tuple[str, int]]


class Exchange:
    """What simulated WIPO has forwarded, and what became of it; every step that had an effect is in the ledger."""

    def __init__(self, operators: Mapping[str, Operator], ledger: Ledger, hostility: Hostility, pace: Pace) -> None:
        self._operators = operators
        """One for each setup that the office accepts."""
        self._pace = pace
        self._ledger = ledger
        self._hostility = hostility
        self._forwarded: dict[str, tuple[Wanted, str, Deliver]] = {}
        self._early: dict[str, tuple[str, Path | None]] = {}
        """Notifications under ids whose answers may still be on their way to us."""
        self._under_way = 0
        self._idle: defaultdict[str, list[Operator]] = defaultdict(list)
        self._lock = threading.Lock()

    def forward(
        self,
        wanted: Wanted,
        setup: str | None = None,
        deliver: Deliver = lambda _content: None,
        *,
        is_patient: bool = False,
    ) -> dict[str, Any]:
        """E1 and E11 on the office; returns what it answered, with both acknowledgement ids if it accepted.

        `setup` holds for the whole exchange; the first that the office accepts if not given. `deliver` gets the
        document, or None when the office cannot supply it. With `is_patient` an office that does not answer, or fails,
        is asked again with the same id, as WIPO would.
        """
        wipo_id = f"A1-{uuid4().hex[:12]}"
        for _ in range(_TRIES):
            try:
                said = self._forward(wanted, wipo_id, setup or next(iter(self._operators)), deliver)
            except requests.RequestException as exc:
                said = {"step": "call", "status": None, "answer": type(exc).__name__}
            if not is_patient or (said["status"] is not None and said["status"] < requests.codes.server_error):
                break
            time.sleep(_PAUSE_SECONDS)
        return said

    def _forward(self, wanted: Wanted, wipo_id: str, setup: str, deliver: Deliver) -> dict[str, Any]:
        with self._calling(setup) as operator:
            refusal = operator.keep_token(self._pace.token_seconds)
            if refusal is not None:
                return {"step": "token", "status": refusal.status_code, "answer": _content(refusal)}
            if self._hostility.next("forwarding")[0] is Fate.TWICE:  # the answer to the first is not listened to
                operator.forward(wanted, wipo_acknowledgement_id=wipo_id)
            answer = operator.forward(wanted, wipo_acknowledgement_id=wipo_id)
            said = _content(answer)
            if answer.status_code != requests.codes.created:
                return {"step": "forward", "status": answer.status_code, "answer": said}
            acknowledgement_id = str(said.get("requestAckId"))
            with self._lock:
                self._forwarded[acknowledgement_id] = (wanted, setup, deliver)
                early = self._early.pop(acknowledgement_id, None)
        self._ledger.record("forwarded", acknowledgement_id, {"wipo_acknowledgement_id": wipo_id, "setup": setup})
        if early:
            self.notified([acknowledgement_id], *early)
        return {
            "step": "forward",
            "status": answer.status_code,
            "requestAckId": acknowledgement_id,
            "osfAckId": wipo_id,
            "setup": setup,
        }

    @contextmanager
    def _calling(self, setup: str) -> Iterator[Operator]:
        """An operator for a call whose answer names the id under which the office notifies."""
        with self._lock:
            self._under_way += 1
        try:
            with self._lent(setup) as operator:
                yield operator
        finally:
            with self._lock:
                self._under_way -= 1
                if not self._under_way:
                    self._early.clear()

    @contextmanager
    def _lent(self, setup: str) -> Iterator[Operator]:
        """An operator for one thread, with the connections and the token that an earlier call may have left."""
        with self._lock:
            operator = self._idle[setup].pop() if self._idle[setup] else self._operators[setup].another()
        try:
            yield operator
        finally:
            with self._lock:
                self._idle[setup].append(operator)

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
            if not known and self._under_way:
                self._early |= dict.fromkeys(acknowledgement_ids, (category, transit))
        for acknowledgement_id, (wanted, setup, deliver) in known:
            if category != "success":
                if category == "error":
                    deliver(None)
                continue
            if transit:
                fetch: Fetch = partial(_read, transit)
                through = "transit"
            else:
                fetch, through = partial(self._download, setup, acknowledgement_id, wanted), "link"
            asked_for = (acknowledgement_id, fetch, through, deliver)
            threading.Thread(target=self._fetch, args=asked_for, daemon=True).start()

    def _fetch(self, acknowledgement_id: str, fetch: Fetch, through: str, deliver: Deliver) -> None:
        try:
            with tempfile.TemporaryFile() as content:
                sha256, size = _patiently(fetch, content)
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

    def _download(self, setup: str, acknowledgement_id: str, wanted: Wanted, target: BinaryIO) -> tuple[str, int]:
        """E1, E14 and E15; returns SHA-256 and size. The notification may come when the token of E11 is long dead."""
        with self._lent(setup) as operator:
            refusal = operator.keep_token(self._pace.token_seconds)
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


def _patiently(fetch: Fetch, target: BinaryIO) -> tuple[str, int]:
    """The same again while the line fails, and a few times while the office is busy."""
    for tried in range(1, _TRIES + 1):
        target.seek(0)
        target.truncate()
        try:
            return fetch(target)
        except requests.HTTPError as exc:
            if exc.response.status_code != requests.codes.service_unavailable or tried >= _TRIES_OF_A_BUSY_OFFICE:
                raise
        except requests.RequestException:
            if tried == _TRIES:
                raise
        time.sleep(_PAUSE_SECONDS)
    raise AssertionError  # the last try returns or raises


def _read(file: Path, target: BinaryIO) -> tuple[str, int]:
    """SHA-256 and size of what lies in the transit zone."""
    with file.open("rb") as content:
        shutil.copyfileobj(content, target, _BLOCK_BYTES)
        content.seek(0)
        return hashlib.file_digest(content, "sha256").hexdigest(), file.stat().st_size


def _content(answer: requests.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
