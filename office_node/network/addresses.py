"""Which IP addresses the node may connect to, wherever a name leads."""

import ipaddress
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_UNICAST = ipaddress.IPv6Network("2000::/3")  # RFC 4291 2.4; Python calls all that is not listed global
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052 2.1
_NEVER = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # Teredo and the like: an IPv4 address may stand within (RFC 4380)
        "2002::/16",  # 6to4: an IPv4 address stands within (RFC 3056, given up by RFC 7526)
        "3fff::/20",  # documentation (RFC 9637)
    )
)


def reached(text: str) -> Address:
    """The address that is reached by this literal: the IPv4 one where an IPv6 literal only stands for it.

    Raises `ValueError`.
    """
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address


def is_public(address: Address) -> bool:
    """Whether it is a global unicast address: no private, local, shared, reserved, multicast or tunnelled one."""
    if isinstance(address, ipaddress.IPv6Address):
        return address.is_global and address in _UNICAST and not lies_in(address, _NEVER)
    return address.is_global and not address.is_multicast and not address.is_reserved


def lies_in(address: Address, networks: Iterable[Network]) -> bool:
    """Whether it lies in one of them."""
    return any(address in network for network in networks)  # of another version: False


def may_be_a_proxy(address: Address) -> bool:
    """Whether a proxy that the settings name may stand there: in public or with the office, nowhere special."""
    special = address.is_link_local or address.is_multicast or address.is_unspecified
    return not special and (address.is_loopback or not address.is_reserved)  # ::1 counts as reserved
