"""How the node calls out: one session under our rules, our token at WIPO, WIPO's client."""

from office_node import __version__
from office_node.auth import keys
from office_node.das.access_token import AccessTokens
from office_node.das.client import DasClient
from office_node.network.egress import Egress
from office_node.settings import Settings


def build_wipo_client(settings: Settings) -> DasClient:
    """The client of WIPO's central service. Raises `KeyUnusable` and `TrustUnusable`."""
    wipo = settings.wipo
    egress = Egress(
        connect_seconds=wipo.connect_seconds,
        read_seconds=wipo.read_seconds,
        total_seconds=wipo.total_seconds,
        user_agent=f"office-node/{__version__} ({settings.office.code})",
        ca_file=wipo.ca_file,
    )
    tokens = AccessTokens(
        egress,
        token_url=wipo.token_url,
        client_id=wipo.client_id,
        key=keys.load_private_key(wipo.client_key_file),
        scope=wipo.scope,
    )
    return DasClient(egress, tokens, wipo.base_url)
