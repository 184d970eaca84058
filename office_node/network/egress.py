"""The one session through which the node calls out.

requests has no timeout, believes the environment's proxies and follows thirty redirects unless told otherwise;
here it has a timeout, believes nothing and follows nothing. It connects to what `Destinations` allows and nowhere else,
by the office's proxy if there is one. TLS 1.2 is the floor (protocol.md 2.7).
"""

import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

from office_node import clock
from office_node.errors import PeerUnavailable
from office_node.network import deadline, trust
from office_node.network.destinations import Destinations

_MOST_ANSWER_BYTES = 1_048_576
_BLOCK_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Answer:
    """What a peer said, read whole: never more than 1 MiB, never later than the deadline."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON; None if it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def retry_after_seconds(self) -> float | None:
        """Retry-After in seconds, given as seconds or as a date (RFC 9110 10.2.3)."""
        value = self.headers.get("Retry-After", "").strip()
        if value.isascii() and value.isdigit() and len(value) < 8:
            return float(value)
        try:
            return max(0.0, (parsedate_to_datetime(value) - clock.now()).total_seconds())
        except (ValueError, TypeError):
            return None


class Egress:
    """Calls out. One for a process; threads may share it.

    Raises `TrustUnusable` when `ca_file` cannot be used; it stands in place of the public CAs.
    """

    def __init__(
        self,
        destinations: Destinations,
        *,
        connect_seconds: float,
        read_seconds: float,
        total_seconds: float,
        user_agent: str,
        ca_file: Path | None = None,
        pool_size: int = 32,
    ) -> None:
        self._destinations = destinations
        self._timeout = (connect_seconds, read_seconds)
        self._total_seconds = total_seconds
        self._session = _Session()
        self._session.trust_env = False
        self._session.headers["User-Agent"] = user_agent
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # nobody's cookie is kept
        adapter = _Adapter(destinations, trust.tls_context(ca_file), pool_size)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def call(self, method: str, url: str, *, peer: str, **request: Any) -> Answer:
        """The peer's answer, whatever its status. Raises `PeerUnavailable` when the line fails or time is up.

        Raises `DestinationRefused`, which is one, where the node may not call, and `HandshakeFailed` where TLS fails.
        `peer` is how the error names the other side: the URL may hold a secret and is never told. `total_seconds`
        bound all from the connection to the last byte; the system's name lookup, and a peer's further addresses when
        the first cannot be connected to (`connect_seconds` each), may come on top.
        """
        proxies = self._destinations.proxies_for(self._destinations.judge(url))
        ends_at = time.monotonic() + self._total_seconds
        try:
            with (
                deadline.bounded(ends_at),
                self._session.request(
                    method, url, timeout=self._timeout, allow_redirects=False, stream=True, proxies=proxies, **request
                ) as response,
            ):
                return Answer(response.status_code, response.headers, _read(response, ends_at, peer))
        except (requests.Timeout, urllib3.exceptions.TimeoutError) as exc:
            raise PeerUnavailable(f"{peer} did not answer in time", at_least_seconds=60) from exc
        except requests.exceptions.SSLError as exc:
            raise trust.handshake_failed(peer, _innermost(exc)) from exc
        except requests.exceptions.ProxyError as exc:
            what = f"{peer} cannot be reached through the proxy: {_innermost(exc)}"
            raise PeerUnavailable(what, hint="check [egress] proxy, and what the proxy lets through") from exc
        except (requests.RequestException, urllib3.exceptions.HTTPError) as exc:
            raise PeerUnavailable(f"{peer} cannot be reached: {_cause(exc)}") from exc


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


def _read(response: requests.Response, ends_at: float, peer: str) -> bytes:
    body = bytearray()
    # read1 gives what has come; iter_content would wait for a whole block, past the deadline if bytes drip.
    while block := response.raw.read1(_BLOCK_BYTES, decode_content=True):
        body += block
        if len(body) > _MOST_ANSWER_BYTES:
            raise PeerUnavailable(f"{peer} sent more than {_MOST_ANSWER_BYTES} bytes")
        if time.monotonic() > ends_at:
            raise PeerUnavailable(f"{peer} did not finish its answer in time", at_least_seconds=60)
    return bytes(body)


def _cause(exc: BaseException) -> str:
    """The innermost reason, without the URL that the outer ones repeat."""
    return type(_innermost(exc)).__name__


def _innermost(exc: BaseException) -> BaseException:
    for inner in (getattr(exc, "original_error", None), getattr(exc, "reason", None), *exc.args[:1]):
        if isinstance(inner, BaseException):
            return _innermost(inner)
    return exc
