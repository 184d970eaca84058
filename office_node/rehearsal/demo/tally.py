"""Tells each step of the demo as it ends, and counts how many went well."""

import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

_READY_SECONDS = 30.0
_LAST_LINES = 8


@dataclass
class Tally:
    """A failing step shows what the processes logged last."""

    log_file: Path
    passed: int = 0
    failed: int = 0

    def step(self, what: str, good: bool, seen: str) -> None:
        self.passed, self.failed = self.passed + good, self.failed + (not good)
        print(f"  {'ok    ' if good else 'FAILED'} {what:<62} {seen}", flush=True)
        if not good:
            self._show_log()

    def answer(self, what: str, answer: requests.Response, status: int, seen: str = "", *, also: bool = True) -> None:
        expected = f"{answer.status_code}{'' if answer.status_code == status else f' instead of {status}'}"
        self.step(what, answer.status_code == status and also, f"{expected} {seen}".strip())

    def _show_log(self) -> None:
        lines = self.log_file.read_text(errors="replace").splitlines() if self.log_file.exists() else []
        for line in lines[-_LAST_LINES:]:
            print(f"         | {line}", flush=True)


def wait_for(look: Callable[[], Any]) -> Any:
    """What `look` gives once it gives something; None when time is up."""
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(requests.RequestException, json.JSONDecodeError):
            if found := look():
                return found
        time.sleep(0.05)
    return None
