"""Where a caller is: the address of its line, or what our own proxies say of it. What a caller writes never counts."""

import ipaddress
from collections.abc import Iterable
from ipaddress import IPv6Address
from typing import ClassVar

from office_node.errors import OfficeNodeError, Owner
from office_node.network.addresses import Address, lies_in


class AddressRefused(OfficeNodeError):
    """The caller's address is not on the allow list."""

    code = "N415"
    owner: ClassVar[Owner] = "caller"
    hint = "if it should call, add its network to [ingress] allow"


class ForwardingRefused(AddressRefused):
    """A proxy of ours sent the call on without saying, in the way the settings describe, where it came from."""

    code = "N416"
    owner = "operator"
    hint = "every proxy appends the address it was called from to X-Forwarded-For; see [ingress] trusted_proxies"


class Networks:
    """Networks of both families. Ask it for any address with `in`."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = tuple(ipaddress.ip_network(network) for network in networks)

    def __contains__(self, address: Address) -> bool:
        return lies_in(address, self._networks)


class Callers:
    """Tells where a request comes from, through as many of our own proxies as there are."""

    def __init__(self, *, trusted_proxies: int, proxy_networks: Networks) -> None:
        self._trusted_proxies = trusted_proxies
        self._proxies = proxy_networks

    def address(self, peer: str, forwarded_for: str | None) -> Address:
        """Where the caller is. `forwarded_for` is every X-Forwarded-For field of the request, joined by commas.

        Of the header only what our proxies wrote counts, which is its right end: with two proxies the last element
        is the first proxy, as the second saw it, and the one before it is the caller. What stands further left is
        the caller's own invention and is never looked at.

        Raises `ForwardingRefused`.
        """
        nearest = _plain_address(peer.partition("%")[0])  # a link-local peer carries its interface
        if nearest is None:
            raise ForwardingRefused("the line has no address")
        if not self._trusted_proxies or nearest not in self._proxies:
            return nearest
        *_, last = elements = self._elements_that_count(forwarded_for or "")
        for proxy in elements[:-1]:
            if proxy not in self._proxies:
                raise ForwardingRefused(f"X-Forwarded-For from {nearest} names {proxy} where a proxy of ours should be")
        return last

    def _elements_that_count(self, forwarded_for: str) -> list[Address]:
        """The elements that our proxies wrote, from the right; the last of them is the caller."""
        elements = forwarded_for.split(",")[: -self._trusted_proxies - 1 : -1]
        if not forwarded_for or len(elements) < self._trusted_proxies:
            raise ForwardingRefused(f"X-Forwarded-For has fewer than {self._trusted_proxies} elements")
        addresses = [_plain_address(element.strip(" \t")) for element in elements]
        if None in addresses:
            raise ForwardingRefused("X-Forwarded-For holds something else than an address where one counts")
        return [address for address in addresses if address]


def _plain_address(text: str) -> Address | None:
    """The address, an IPv4-mapped one as IPv4; None for anything else: a port, a zone, brackets, a name."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return None if address.scope_id else address.ipv4_mapped or address
    return address
