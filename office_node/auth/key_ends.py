"""Warnings before a certificate ends: 60, 30, 14 and 7 days before, then daily, and daily once it has ended."""

import math
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from office_node import clock
from office_node.auth.key_inventory import inventory
from office_node.settings import Settings

log = structlog.get_logger()

ENDED, ENDS_SOON = "N105", "N107"
WARNINGS: Final = {
    ENDED: ("A certificate has ended.", "put a new one in its place; `office-node keys list` tells how"),
    ENDS_SOON: ("A certificate ends within 60 days.", "put a new one in its place in time; `office-node keys list`"),
}
FIRST_WARNING_DAYS = 60
_WARNINGS_DAYS = (7, 14, 30, FIRST_WARNING_DAYS)  # reliability.md 1


def threshold(ends: datetime, now: datetime) -> int | None:
    """The warning that is due, by its number of days before the end; 0 and less after it. None: none is due yet."""
    days = math.ceil((ends - now).total_seconds() / 86_400)
    if days < _WARNINGS_DAYS[0]:
        return days
    return next((before for before in _WARNINGS_DAYS if days <= before), None)


class KeyEnds:
    """Tells the log of certificates that end, once a key and threshold."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._told: set[tuple[Path, datetime, int]] = set()

    def warn(self) -> int:
        """Tell what is due; returns how many lines that took."""
        now, told = clock.now(), 0
        for held in inventory(self._settings):
            if not held.watched:
                continue
            ends = held.watched.not_valid_after_utc
            due = threshold(ends, now)
            if due is None or (held.file, ends, due) in self._told:
                continue
            self._told.add((held.file, ends, due))
            told += 1
            about = {"use": held.use, "file": str(held.file), "days_left": (ends - now).days, "hint": held.renewal}
            if now >= ends:
                log.error("certificate has ended", code=ENDED, **about)
            else:
                log.warning("certificate ends", code=ENDS_SOON, **about)
        return told
