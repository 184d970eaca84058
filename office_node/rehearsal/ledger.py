"""What had an effect at simulated WIPO: the judge of "once and only once"."""

import threading
from datetime import UTC, datetime
from typing import Any


class Ledger:
    """Effects in the order they happened. A repeat changes nothing but its count."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], dict[str, Any]] = {}
        self._lock = threading.Lock()

    def record(self, effect: str, key: str, facts: dict[str, Any]) -> bool:
        """Whether this is the first time that `effect` happens to `key`."""
        with self._lock:
            entry = self._entries.get((effect, key))
            if entry:
                entry["times"] += 1
                return False
            at = datetime.now(UTC).isoformat(timespec="milliseconds")
            self._entries[effect, key] = {"effect": effect, "key": key, "at": at, "times": 1, **facts}
            return True

    def entries(self) -> list[dict[str, Any]]:
        """A copy of everything."""
        with self._lock:
            return [dict(entry) for entry in self._entries.values()]
