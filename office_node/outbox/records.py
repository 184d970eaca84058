"""The outbox's table. Rows are never deleted: a settled one keeps its effect from being asked for twice."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from office_node.storage.columns import UtcDateTime
from office_node.storage.database import Records


class MessageState(StrEnum):
    """due -> claimed -> settled, or back to due, or parked for a human; parked -> due by `outbox retry`.

    UNCERTAIN is in no row: it is how a message reads that is due, and of which `uncertain_since` tells that a call may
    have had its effect. So an older program, which knows nothing of it, goes on with the row.
    """

    DUE = "due"
    CLAIMED = "claimed"
    SETTLED = "settled"
    PARKED = "parked"
    UNCERTAIN = "uncertain"


OPEN = text("state IN ('due', 'claimed')")
"""Literal, as in the index: a planner proves nothing of bound values, and would read every settled row."""


class OutboxRecord(Records):
    """One thing to do. `payload` never holds a secret."""

    __tablename__ = "outbox_messages"
    __table_args__ = (Index("ix_outbox_open", "kind", "due_at", sqlite_where=OPEN, postgresql_where=OPEN),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    effect_key: Mapped[str] = mapped_column(String(200), unique=True)
    """Names the effect for ever: a second message with the same effect is not written."""
    acknowledgement_id: Mapped[str | None] = mapped_column(String(100), index=True)
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(10))
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When it may be claimed. A claim moves this to its lease's end, so a dead worker's message falls due again."""
    fencing: Mapped[int]
    """Raised by every claim. Whoever holds an older number has lost the message."""
    attempts: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    first_tried_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    woken: Mapped[bool]
    """Whether what it may wait for came while it was claimed: it is not put back to wait, but due at once."""
    uncertain_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Since when a call for it may have had its effect at the peer, unheard; empty while every outcome is known."""
    first_cause: Mapped[str | None] = mapped_column(String(500))
    last_cause: Mapped[str | None] = mapped_column(String(500))
