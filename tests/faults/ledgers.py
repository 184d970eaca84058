"""Simulated WIPO's ledger as a judge: each effect happened, once, with these facts."""

from collections import defaultdict
from typing import Any

Entry = dict[str, Any]


class Ledger:
    """Entries by effect and key."""

    def __init__(self, entries: list[Entry]) -> None:
        self._by_key: dict[tuple[str, str], Entry] = {(one["effect"], one["key"]): one for one in entries}
        self._keys: defaultdict[str, list[str]] = defaultdict(list)
        for effect, key in self._by_key:
            self._keys[effect].append(key)

    def expect(self, effect: str, key: str, **facts: Any) -> list[str]:
        """It happened, with these facts; a harmless repeat may have come."""
        entry = self._by_key.get((effect, key))
        if entry is None:
            return [f"lost: {effect} {key}"]
        return [
            f"{effect} {key}: {name} is {entry.get(name)}, not {value}"
            for name, value in facts.items()
            if entry.get(name) != value
        ]

    def expect_once(self, effect: str, key: str, **facts: Any) -> list[str]:
        """It was asked for once and no more."""
        found = self.expect(effect, key, **facts)
        times = self._by_key[effect, key]["times"] if not found else 1
        again = [f"{effect} {key}: {times} times"] if times != 1 else []
        return [*found, *again, *self._others(effect, key)]

    def expect_one_about(self, effect: str, document: str) -> list[str]:
        """One such change of the document, whatever else its key says."""
        about = [key for key in self._keys[effect] if key == document or key.startswith(f"{document} ")]
        return [] if len(about) == 1 else [f"{effect} {document}: {len(about)} effects"]

    def _others(self, effect: str, key: str) -> list[str]:
        """A second effect under the same name, as the ledger numbers them."""
        return [f"twice: {effect} {other}" for other in self._keys[effect] if other.startswith(f"{key} #")]
