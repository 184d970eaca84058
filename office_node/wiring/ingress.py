"""Who may reach the node, from where and how often."""

from office_node.network.callers import Callers, Networks
from office_node.network.ingress import Ingress
from office_node.network.rate_limits import RateLimit
from office_node.settings import Settings
from office_node.storage.rate_counters import RateCounters


def build_ingress(settings: Settings, counters: RateCounters) -> Ingress:
    """The gate before every view."""
    ingress, server = settings.ingress, settings.authorization_server
    return Ingress(
        allow=Networks(ingress.allow),
        callers=Callers(
            trusted_proxies=ingress.trusted_proxies,
            proxy_networks=Networks(ingress.proxy_networks),
        ),
        per_address=RateLimit(counters, ingress.rate_per_address, "address"),
        per_client=RateLimit(counters, ingress.rate_per_client, "client"),
        client_networks={
            client.client_id: Networks(client.networks)
            for client in (server.clients if server else ())
            if client.networks
        },
    )
