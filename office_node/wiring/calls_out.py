"""How the node calls out: one list of destinations, sessions under our rules, our token at WIPO, its client, keys."""

from typing import Any

from office_node import __version__
from office_node.auth.key_ring import KeyRing
from office_node.auth.wipo_jwks import FETCH_SECONDS, KeyTimes, WipoKeys
from office_node.das.access_token import TOKEN_ENDPOINT, AccessTokens
from office_node.das.client import DasClient
from office_node.das.clock_guard import ClockGuard
from office_node.network import destinations
from office_node.network.destinations import Destinations
from office_node.network.egress import Egress
from office_node.settings import Settings
from office_node.settings.sections import WipoAuthorizationServer
from office_node.storage.database import Database
from office_node.storage.peers import Peers


def build_peers(settings: Settings, database: Database) -> Peers:
    """What every process of the node knows of the peers."""
    egress = settings.egress
    return Peers(database, failures=egress.breaker_failures, rest_seconds=egress.breaker_seconds)


def build_egress(settings: Settings, peers: Peers | None = None, **seconds: float) -> Egress:
    """A session that calls where the settings allow it, and with `peers` whom they do not let rest. `seconds` are
    time-outs that stand in place of [wipo]'s.

    Raises `TrustUnusable`, and `DestinationRefused` for an address of the settings that is not written plainly.
    """
    wipo = settings.wipo
    timeouts: dict[str, Any] = {
        "connect_seconds": wipo.connect_seconds,
        "read_seconds": wipo.read_seconds,
        "total_seconds": wipo.total_seconds,
    }
    return Egress(
        Destinations(
            destinations.named_by(settings).values(),
            allow=settings.egress.allow,
            private_networks=settings.egress.private_networks,
            proxy=settings.egress.proxy,
        ),
        user_agent=f"office-node/{__version__} ({settings.office.code})",
        ca_file=wipo.ca_file,
        breaker=peers,
        **(timeouts | seconds),
    )


def build_wipo_client(settings: Settings, egress: Egress, peers: Peers) -> DasClient:
    """The client of WIPO's central service. Raises `KeyUnusable`."""
    wipo = settings.wipo
    tokens = AccessTokens(
        egress,
        token_url=wipo.token_url,
        client_id=wipo.client_id,
        key=KeyRing(wipo.client_key_file).signing,
        scope=wipo.scope,
        clock_guard=ClockGuard(record=lambda seconds: peers.skewed(TOKEN_ENDPOINT, seconds)),
    )
    return DasClient(
        egress,
        tokens,
        wipo.base_url,
        withdraw_by=wipo.withdraw_by,
        status_by=wipo.status_by,
        locate_by=settings.osf.locate_by,
        original_header=settings.osf.original_header,
    )


def build_wipo_keys(settings: Settings, server: WipoAuthorizationServer) -> WipoKeys:
    """The keys of WIPO's authorization server, fetched in a session of their own. Raises as `build_egress`."""
    egress = build_egress(
        settings, connect_seconds=FETCH_SECONDS / 2, read_seconds=FETCH_SECONDS, total_seconds=FETCH_SECONDS
    )
    times = KeyTimes(cache=server.cache_seconds, refetch=server.refetch_seconds, keep=server.keep_hours * 3600)
    return WipoKeys(egress, server.jwks_url, algorithms=server.algorithms, times=times)
