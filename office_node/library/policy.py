"""What the office may keep, where, and for how long (protocol.md 8.5). Pure: it decides, others obey."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final

from office_node.document_id import DocumentKind
from office_node.errors import OfficeNodeError
from office_node.library.classification import Classification

MOST_IN_TRANSIT: Final = timedelta(days=7)
"""Nothing that is not kept lies here longer (protocol.md 6.6)."""


class Place(StrEnum):
    """Where a document may be kept."""

    LIBRARY = "library"
    TRANSIT = "transit"
    """Only on its way to the office's systems."""
    NOWHERE = "nowhere"
    """It may not even be fetched."""


class MayNotBeKept(OfficeNodeError):
    """The storage policy does not let this document into the library."""

    code = "N346"
    owner = "office"
    hint = "`office-node library policy` tells which rule decided; the rules stand in [[storage_policy.rules]]"


class MayNotBeFetched(OfficeNodeError):
    """The storage policy does not let this document come here at all."""

    code = "N347"
    owner = "office"
    hint = "`office-node library policy` tells which rule decided; the rules stand in [[storage_policy.rules]]"


@dataclass(frozen=True, slots=True)
class Rule:
    """What it fits, and what then counts. Nothing named fits everything."""

    place: Place
    max_age: timedelta
    kinds: Collection[DocumentKind] = ()
    numbers: str = "*"
    """A pattern with `*` and `?` over the number in normal form."""
    classes: Collection[Classification] = ()

    def fits(self, kind: DocumentKind, number: str, classification: Classification) -> bool:
        return (
            (not self.kinds or kind in self.kinds)
            and (not self.classes or classification in self.classes)
            and fnmatchcase(number, self.numbers)
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """What counts for one document."""

    place: Place
    max_age: timedelta
    """How long it may lie here on its way; at most `MOST_IN_TRANSIT`."""
    rule: int | None
    """Which rule decided, from 1; None: no rule fits."""


class StoragePolicy:
    """The first rule that fits decides; what none fits is in transit only."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)

    def decide(self, kind: DocumentKind, number: str, classification: Classification) -> Decision:
        """For a document by its number in normal form."""
        for place, rule in enumerate(self._rules, start=1):
            if rule.fits(kind, number, classification):
                return Decision(rule.place, min(rule.max_age, MOST_IN_TRANSIT), place)
        return Decision(Place.TRANSIT, MOST_IN_TRANSIT, None)

    def insist_on_library(self, kind: DocumentKind, number: str, classification: Classification) -> None:
        """Raises `MayNotBeKept`."""
        decision = self.decide(kind, number, classification)
        if decision.place is not Place.LIBRARY:
            what = f"the {kind} {number}, {classification.label}, may be kept {_WHERE[decision.place]}"
            raise MayNotBeKept(f"{what} (rule {decision.rule or 'of none that fits'})")

    def insist_on_fetching(self, kind: DocumentKind, number: str, classification: Classification) -> Decision:
        """What counts for it. Raises `MayNotBeFetched`."""
        decision = self.decide(kind, number, classification)
        if decision.place is Place.NOWHERE:
            raise MayNotBeFetched(f"the {kind} {number}, {classification.label}, may be kept nowhere here")
        return decision


_WHERE = {Place.LIBRARY: "in the library", Place.TRANSIT: "in transit only", Place.NOWHERE: "nowhere here"}
