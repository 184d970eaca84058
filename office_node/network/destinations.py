"""Where the node may call: a list of hosts, and for each the addresses that its name may lead to.

A URL is not taken apart as some library would but held against one plain form, and what is not of it is refused before
any lookup: parsers differ in the rest, and that is what tricks live on (reliability.md 3, 12).
"""

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, NamedTuple

from office_node.errors import Owner, PeerUnavailable
from office_node.network import addresses
from office_node.network.addresses import Address
from office_node.settings import Settings

Resolve = Callable[..., list[tuple[Any, ...]]]
"""Called as `socket.getaddrinfo`, and answers as it does."""

_PORTS = {"http": 80, "https": 443}
# No user, no empty port, nothing between host and path; no blank, control character, backslash or letter past ASCII.
_PLAIN_URL = re.compile(
    r"(https?)://([A-Za-z0-9.-]+|\[[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\])(?::([1-9][0-9]{0,4}))?(?:/[\x21-\x5b\x5d-\x7e]*)?",
    re.ASCII | re.IGNORECASE,
)
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)*(?=[a-z]){_LABEL}", re.ASCII)  # RFC 1123 2.1
_ALLOW = "if the node shall call it, add it to [egress] allow; it is done for https on port 443 alone"
_PRIVATE = "if it lies in the office's own network, add that network to [egress] private_networks"


class DestinationRefused(PeerUnavailable):
    """The node may not call there. The message waits: the settings or the name's addresses have to change, not it."""

    code = "N606"
    owner: ClassVar[Owner] = "operator"
    hint = _ALLOW

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint, needs_rest=True)


class Destination(NamedTuple):
    """What a connection is made to: host is a name in small letters or a literal address, without brackets."""

    scheme: str
    host: str
    port: int

    @property
    def literal(self) -> Address | None:
        """The address, if the host is one."""
        return None if _NAME.fullmatch(self.host) else addresses.reached(self.host)

    @property
    def is_on_this_machine(self) -> bool:
        """Whether it says so itself."""
        return self.literal.is_loopback if self.literal else self.host == "localhost"


def read(url: str) -> Destination:
    """Where this URL leads to. Raises `DestinationRefused` unless it is written plainly."""
    plain = _PLAIN_URL.fullmatch(url)
    if not plain:
        raise _not_plain()
    scheme = plain[1].lower()
    port = int(plain[3] or _PORTS[scheme])
    if port > 65535:
        raise _not_plain()
    return Destination(scheme, _host(plain[2]), port)


def named_by(settings: Settings) -> dict[str, str]:
    """The addresses that other sections name, by the place where each stands."""
    named = {"[wipo] base_url": settings.wipo.base_url, "[wipo] token_url": settings.wipo.token_url}
    if settings.wipo_authorization_server:
        named["[wipo_authorization_server] jwks_url"] = settings.wipo_authorization_server.jwks_url
    return named


class Destinations:
    """The hosts that may be called. One for a process; threads may share it.

    `named` are URLs whose scheme, host and port are allowed as they stand; a literal address among them may be
    private, and `localhost` leads to this machine alone. `allow` are hosts and *.domains, for https on port 443.
    `private_networks` are where their names may lead to beside public addresses. Raises `DestinationRefused` when
    one of `named` or `proxy` is not written plainly.
    """

    def __init__(
        self,
        named: Iterable[str],
        *,
        allow: Iterable[str] = (),
        private_networks: Iterable[str] = (),
        proxy: str | None = None,
        resolve: Resolve = socket.getaddrinfo,
    ) -> None:
        self._named = frozenset(read(url) for url in named)
        allow = tuple(allow)
        self._hosts = frozenset(host for host in allow if not host.startswith("*."))
        self._domains = tuple(pattern[1:] for pattern in allow if pattern.startswith("*."))
        self._private = tuple(ipaddress.ip_network(network) for network in private_networks)
        self.proxy = proxy
        self._proxy = read(proxy) if proxy else None
        self._resolve = resolve

    def judge(self, url: str) -> Destination:
        """Where this URL leads to, if the node may call there. Raises `DestinationRefused`; looks nothing up."""
        return self._allowed(read(url))

    def proxies_for(self, destination: Destination) -> dict[str, str]:
        """The proxy to take, as requests wants it told; what lies on this machine needs none."""
        return {} if self.proxy is None or destination.is_on_this_machine else {"https": self.proxy}

    def addresses(self, scheme: str, host: str, port: int) -> list[str]:
        """The addresses to connect to: each was judged, and the name must not be looked up again.

        Raises `DestinationRefused`, or `OSError` when the name is not known.
        """
        destination = self._allowed(Destination(scheme, _host(host), port))
        return self._look_up(destination, self._loopback if destination.is_on_this_machine else self._good)

    def proxy_addresses(self, scheme: str, host: str, port: int) -> list[str]:
        """The addresses of the proxy that is to lead to this destination; raises as `addresses`.

        The destination is judged by its name alone: to look it up is the proxy's part.
        """
        self._allowed(Destination(scheme, _host(host), port))
        assert self._proxy, "asked for only where there is one"  # noqa: S101  for the type alone
        return self._look_up(self._proxy, addresses.may_be_a_proxy)

    def _allowed(self, destination: Destination) -> Destination:
        if destination not in self._named and not self._is_listed(destination):
            raise DestinationRefused(f"{destination.host} is not among the hosts that the node may call this way")
        return destination

    def _is_listed(self, destination: Destination) -> bool:
        if (destination.scheme, destination.port) != ("https", 443):
            return False
        return destination.host in self._hosts or destination.host.endswith(self._domains)

    def _look_up(self, destination: Destination, is_good: Callable[[Address], bool]) -> list[str]:
        if destination.literal:  # the settings name it, so it is meant
            return [destination.host]
        answers = self._resolve(destination.host, destination.port, type=socket.SOCK_STREAM)
        found = [str(answer[4][0]) for answer in answers if answer[0] in (socket.AF_INET, socket.AF_INET6)]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "no address")
        good = [address for address in found if is_good(addresses.reached(address))]
        if not good:
            what = f"{destination.host} leads to {found[0]}, which is no address that the node may call"
            raise DestinationRefused(what, hint=_PRIVATE)
        return good

    def _good(self, address: Address) -> bool:
        return addresses.is_public(address) or addresses.lies_in(address, self._private)

    def _loopback(self, address: Address) -> bool:
        return address.is_loopback


def _host(text: str) -> str:
    """The host as it is compared and looked up. Raises `DestinationRefused` for what is neither name nor address."""
    host = text.lower()
    if _NAME.fullmatch(host):
        return host
    try:
        # Four decimal numbers without leading zeros, or IPv6: of `127.1`, `0x7f.1` or `2130706433` only a resolver
        # would make an address.
        return str(ipaddress.ip_address(host.removeprefix("[").removesuffix("]")))
    except ValueError:
        raise _not_plain() from None


def _not_plain() -> DestinationRefused:
    # What was given is not quoted: a password or a signature may stand in it.
    return DestinationRefused(
        "an address is not written plainly, so nobody can be sure where it leads to",
        hint="write https://HOST/PATH: no user, no dot behind the host, no letters but a to z (xn-- for others),"
        " addresses as 192.0.2.1 or [2001:db8::1]",
    )
