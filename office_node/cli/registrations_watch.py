"""Many operations under watch: who has ended since the last look, who waits for a human now."""

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from office_node.off_registrations.overview import OperationView, Overview

_AT_ONCE = 1_000


@dataclass(slots=True)
class Watched:
    """A row whose operation has not ended, as far as we know."""

    place: int
    line: int
    document: str
    operation_id: str
    last: "OperationView | None" = None

    @property
    def is_parked(self) -> bool:
        return bool(self.last and self.last.is_parked)


class Watch:
    """Looks at a part of them at a time, in turns; never again at one that has ended."""

    def __init__(self, overview: "Overview") -> None:
        self._overview = overview
        self._rows: deque[Watched] = deque()
        self._parked = 0

    def add(self, row: Watched) -> None:
        self._rows.append(row)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def parked(self) -> int:
        return self._parked

    @property
    def is_worth_it(self) -> bool:
        """Whether anything may still end without a human."""
        return len(self._rows) > self._parked

    @property
    def turns(self) -> int:
        """How many looks it takes to see all of them."""
        return -(-len(self._rows) // _AT_ONCE)

    def rows(self) -> list[Watched]:
        """All that have not ended."""
        return [*self._rows]

    def look(self) -> "list[tuple[Watched, OperationView]]":
        """Those that have ended, each once, and those that have come to wait for a human."""
        looked = [self._rows.popleft() for _ in range(min(_AT_ONCE, len(self._rows)))]
        news = []
        try:
            views = {
                view.operation_id: view for view in self._overview.operations([row.operation_id for row in looked])
            }
        except BaseException:
            self._rows.extendleft(reversed(looked))
            raise
        for row in looked:
            was_parked, view = row.is_parked, views.get(row.operation_id, row.last)
            row.last = view
            if view and (view.has_ended or view.is_parked > was_parked):
                news.append((row, view))
            if view and view.has_ended:
                self._parked -= was_parked
            else:
                self._parked += row.is_parked - was_parked
                self._rows.append(row)
        return news
