"""requests' session under our rules: connections are judged as they are made, one TLS context, no redirect followed."""

import ssl
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

from office_node.network import deadline
from office_node.network.destinations import Destinations


def new(destinations: Destinations, context: ssl.SSLContext, *, user_agent: str, pool_size: int) -> requests.Session:
    """A session that connects to what `destinations` allows; threads may share it."""
    session = _Session()
    session.trust_env = False
    session.headers["User-Agent"] = user_agent
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # nobody's cookie is kept
    adapter = _Adapter(destinations, context, pool_size)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class _Session(requests.Session):
    """Reads no redirect: only to see where one leads, requests would read its body, however long that is."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class _Adapter(HTTPAdapter):
    """One shared TLS context (making one costs 28 ms), certificates and names always verified, addresses judged."""

    def __init__(self, destinations: Destinations, context: ssl.SSLContext, pool_size: int) -> None:
        self._destinations = destinations
        self._context = context
        super().__init__(pool_connections=8, pool_maxsize=pool_size, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
        rules: dict[str, Any] = {
            "num_pools": connections,
            "maxsize": maxsize,
            "block": block,
            "ssl_context": self._context,
        }
        self.poolmanager = urllib3.PoolManager(**rules)
        self.poolmanager.pool_classes_by_scheme = deadline.pools(self._destinations.addresses)
        if proxy := self._destinations.proxy:
            self._through_proxy = urllib3.ProxyManager(proxy, **rules)
            self._through_proxy.pool_classes_by_scheme = deadline.pools(self._destinations.proxy_addresses)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> urllib3.ProxyManager:
        """The one made at the start, whose connections are under our rules."""
        return self._through_proxy

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave the decision to the context alone, whatever `verify` says."""
        # requests would name certifi here, and urllib3 would add it to the shared context at each connection.
        conn.cert_reqs = "CERT_REQUIRED"
        conn.ca_certs = conn.ca_cert_dir = None
