"""Whether the node can do its work now: each thing it needs, looked at, with its cause when it is not well."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from office_node import clock
from office_node.auth import keys
from office_node.auth.key_ring import KeyRing
from office_node.das.access_token import TOKEN_ENDPOINT
from office_node.das.clock_guard import REFUSE_SECONDS, ClockWrong
from office_node.errors import OfficeNodeError
from office_node.headroom import Headroom
from office_node.settings import Settings
from office_node.storage import schema
from office_node.storage.database import Database
from office_node.storage.peers import Peers
from office_node.storage.workers import workers


class NoWorker(OfficeNodeError):
    """No worker was heard of within a minute: nothing is delivered."""

    code = "N716"
    hint = "start `office-node serve` or `office-node worker`; if one runs, its log tells what holds it"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing the node needs."""

    what: str
    is_well: bool
    code: str | None = None
    reason: str | None = None
    hint: str | None = None


class Readiness:
    """Looks; never raises."""

    def __init__(self, settings: Settings, database: Database, headroom: Headroom, peers: Peers) -> None:
        self._settings = settings
        self._looks: dict[str, Callable[[], None]] = {
            "database": lambda: schema.check(database),
            "disk": headroom.insist,
            "keys": self._keys,
            "worker": lambda: _worker(database),
            "clock": lambda: _clock(peers),
        }

    def checks(self) -> Iterator[Check]:
        """Each of them in turn."""
        for what, look in self._looks.items():
            try:
                look()
            except OfficeNodeError as exc:
                yield Check(what, False, exc.code, exc.message, exc.next_step)
            else:
                yield Check(what, True)

    def _keys(self) -> None:
        KeyRing(self._settings.wipo.client_key_file).signing()
        keys.load_secret(self._settings.library.access_code_key_file)
        keys.load_secret(self._settings.off.download_link_key_file)


def _worker(database: Database) -> None:
    known = workers(database)
    if any(worker.lives for worker in known):
        return
    if not known:
        raise NoWorker("no worker is known")
    silent = (clock.now() - known[0].beat_at).total_seconds()
    raise NoWorker(f"the last worker, on {known[0].host}, was heard of {silent:.0f} s ago")


def _clock(peers: Peers) -> None:
    for peer in peers.all():
        ahead = peer.skew_seconds
        if peer.name == TOKEN_ENDPOINT and ahead is not None and abs(ahead) >= REFUSE_SECONDS:
            raise ClockWrong(f"our clock was {ahead:+.0f} s from WIPO's when it was measured last")
