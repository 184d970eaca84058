"""What simulated WIPO was told to answer next, place by place."""

import threading
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import Any, Final

from flask import Response, json

from office_node.rehearsal.faults import PLACES
from office_node.rehearsal.refusals import Refused, StoreRefused, das_failure, store_failure

UNSAID: Final = object()
"""No body was scripted; null is one."""


class UnknownScript(Exception):
    """No such place, or a member that no script has; the message says which."""


@dataclass(frozen=True, slots=True)
class Script:
    """One answer. A success, or a script without `status`, lets happen what was asked; another one does not."""

    place: str = "notifications"
    status: int | None = None
    retry_after: int | str | None = None
    hold_seconds: float = 0
    after_effect: bool = False
    """It happens all the same, before the answer."""
    body: Any = UNSAID
    """JSON, or text as it stands."""
    content_type: str | None = None
    hang_up: bool = False
    """Close the connection without an answer; before anything happened, unless `after_effect`."""
    wrapped: bool = False
    """A refusal in DAS's JSON gets the wrapper it had before 2024-03-04 (C-7)."""
    cut_after_bytes: int | None = None
    """Read so many bytes of the request's body, then close the connection."""

    def __post_init__(self) -> None:
        if self.place not in PLACES:
            raise UnknownScript(f"place: {self.place}")

    @property
    def lets_it_happen(self) -> bool:
        succeeds = self.status is None or self.status < 300
        return self.after_effect or (succeeds and not self.hang_up)

    def dressed(self, done: Response | None) -> Response:
        """The scripted answer; `done` is what the place would have said after it happened."""
        answer = self._said(done)
        if self.status is not None:
            answer.status_code = self.status
        if answer.status_code == 204:
            answer.set_data(b"")
        if self.content_type is not None:
            answer.content_type = self.content_type
        if self.retry_after is not None:
            answer.headers["Retry-After"] = str(self.retry_after)
        return answer

    def _said(self, done: Response | None) -> Response:
        if self.body is not UNSAID:
            if isinstance(self.body, str):
                return Response(self.body, mimetype="text/plain")
            return Response(json.dumps(self.body), mimetype="application/json")
        if done is not None and (self.status is None or self.status < 300):
            return _wrapped(done) if self.wrapped else done
        if self.place in ("uploads", "downloads"):
            return store_failure(StoreRefused(self.status or 500, "Scripted", "scripted"))
        return das_failure(Refused(self.status or 500, "scripted"), wrapped=self.wrapped)


def _wrapped(done: Response) -> Response:
    if done.is_json and done.status_code >= 400:
        done.set_data(json.dumps({"error": done.get_json()}))
    return done


class Scripts:
    """A queue for each place."""

    def __init__(self) -> None:
        self._queues: defaultdict[str, deque[Script]] = defaultdict(deque)
        self._lock = threading.Lock()

    def put(self, answers: list[dict[str, Any]]) -> None:
        """One for each of the next requests at its place. Raises `UnknownScript`, and then takes none."""
        try:
            scripts = [Script(**answer) for answer in answers]
        except TypeError as exc:
            raise UnknownScript(str(exc)) from None
        with self._lock:
            for script in scripts:
                self._queues[script.place].append(script)

    def due(self, place: str) -> Script | None:
        """The next one for `place`, spent by this."""
        with self._lock:
            return self._queues[place].popleft() if self._queues[place] else None
