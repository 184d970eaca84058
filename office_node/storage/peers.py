"""How the peers fare, one row each, shared by every process: whether they answer, and how their clocks differ."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import String, select, update
from sqlalchemy.orm import Mapped, mapped_column

from office_node import clock
from office_node.storage.columns import UtcDateTime
from office_node.storage.database import Database, Records


class PeerRecord(Records):
    """One peer, from its first failure or the first look at its clock on."""

    __tablename__ = "peers"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    """In a row, up to now."""
    open_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Until then nobody calls it."""
    skew_seconds: Mapped[float | None]
    """How much our clock was ahead of its."""
    skew_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


@dataclass(frozen=True, slots=True)
class PeerState:
    """A peer as it was last seen."""

    name: str
    failures: int
    open_until: datetime | None
    skew_seconds: float | None
    skew_at: datetime | None


class Peers:
    """A breaker for each peer: so many failures in a row open it for a while, then one call is let through as a probe.

    With 0 for `failures` it never opens. Every verb raises `DatabaseUnavailable`.
    """

    def __init__(self, database: Database, *, failures: int, rest_seconds: float) -> None:
        self._database = database
        self._most_failures = failures
        self._rest = timedelta(seconds=rest_seconds)

    def look(self, name: str) -> tuple[float, bool]:
        """Seconds until the peer may be called, 0 if it may be now, and then, after a rest, by this caller alone; and
        whether it failed when it was called last."""
        if not self._most_failures:
            return 0, False
        query = select(PeerRecord.failures, PeerRecord.open_until).where(PeerRecord.name == name)
        with self._database.reading() as session:
            known = session.execute(query).first()
        if known is None or known.open_until is None:
            return 0, bool(known and known.failures)
        now = clock.now()
        # A clock that was set back must not close the way for longer than a rest takes.
        if now < known.open_until <= now + self._rest:
            return (known.open_until - now).total_seconds(), True
        return (0 if self._probes(name, known.open_until) else self._rest.total_seconds()), True

    def answered(self, name: str) -> None:
        """It does its work."""
        self._set(name, failures=0, open_until=None)

    def failed(self, name: str) -> bool:
        """The line failed, or the peer did; whether nobody calls it for a while now."""
        if not self._most_failures:
            return False
        self._insert(name)
        with self._database.transaction() as session:
            counted = update(PeerRecord).where(PeerRecord.name == name).values(failures=PeerRecord.failures + 1)
            failures = session.execute(counted.returning(PeerRecord.failures)).scalar_one()
            opens = failures >= self._most_failures
            if opens:
                until = clock.now() + self._rest
                session.execute(update(PeerRecord).where(PeerRecord.name == name).values(open_until=until))
        return opens

    def skewed(self, name: str, seconds: float) -> None:
        """By so much our clock is ahead of its."""
        self._insert(name)
        self._set(name, skew_seconds=seconds, skew_at=clock.now())

    def all(self) -> list[PeerState]:
        """Every peer of which something is known."""
        with self._database.reading() as session:
            return [
                PeerState(row.name, row.failures, row.open_until, row.skew_seconds, row.skew_at)
                for row in session.scalars(select(PeerRecord).order_by(PeerRecord.name))
            ]

    def _probes(self, name: str, open_until: datetime) -> bool:
        """Whether this caller is the one that looks; for the others the rest goes on."""
        with self._database.transaction() as session:
            taken = (
                update(PeerRecord)
                .where(PeerRecord.name == name, PeerRecord.open_until == open_until)
                .values(open_until=clock.now() + self._rest)
            )
            return session.execute(taken.returning(PeerRecord.name)).first() is not None

    def _insert(self, name: str) -> None:
        with self._database.reading() as session:
            if session.scalar(select(PeerRecord.name).where(PeerRecord.name == name)):
                return
        with self._database.transaction() as session:
            self._database.insert_once(session, PeerRecord, {"name": name, "failures": 0})

    def _set(self, name: str, **values: object) -> None:
        with self._database.transaction() as session:
            session.execute(update(PeerRecord).where(PeerRecord.name == name).values(**values))
