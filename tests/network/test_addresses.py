"""To which addresses a name may lead."""

import socket
from typing import Any

import pytest

from office_node.network.destinations import DestinationRefused, Destinations

ALLOW = ("files.example.net",)
PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]
NOT_PUBLIC = [
    *["10.0.0.1", "172.16.0.1", "192.168.1.1", "127.0.0.1", "127.8.8.8", "169.254.169.254", "100.64.0.1", "0.0.0.0"],
    *["192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1"],
    *["255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd12::1", "ff02::1"],
    *["2001:db8::1", "3fff::1", "100::1", "2001::1", "2001:0:7f00:1::1", "2002:7f00:1::1", "2002:808:808::1"],
    *["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::7f00:1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1"],
    *["4000::1", "5f00::1"],
]


def answering(*addresses: str) -> Any:
    def resolve(*_: Any, **__: Any) -> list[tuple[Any, ...]]:
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))
            for address in addresses
        ]

    return resolve


def found(destinations: Destinations, host: str = "files.example.net") -> list[str]:
    return destinations.addresses("https", host, 443)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_name_may_lead_to_a_public_address(address: str) -> None:
    assert found(Destinations((), allow=ALLOW, resolve=answering(address))) == [address]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_a_name_may_lead_to_no_other_address(address: str) -> None:
    with pytest.raises(DestinationRefused, match=r"N606 files\.example\.net leads to ") as refused:
        found(Destinations((), allow=ALLOW, resolve=answering(address)))
    assert "[egress] private_networks" in refused.value.next_step


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "fd12::9"])
def test_a_name_may_lead_into_a_network_of_the_office(address: str) -> None:
    networks = ["10.1.0.0/16", "fd12::/64"]
    listed = Destinations((), allow=ALLOW, private_networks=networks, resolve=answering(address, "10.2.0.1"))
    assert found(listed) == [address]


def test_of_several_addresses_only_the_good_ones_are_tried() -> None:
    resolve = answering("10.0.0.1", "8.8.8.8", "::1", "2606:4700::1111")
    assert found(Destinations((), allow=ALLOW, resolve=resolve)) == ["8.8.8.8", "2606:4700::1111"]


def test_a_literal_that_a_section_names_is_not_looked_up_and_may_be_private() -> None:
    listed = Destinations(["https://10.9.9.9:8443/jwks"], resolve=answering())
    assert listed.addresses("https", "10.9.9.9", 8443) == ["10.9.9.9"]


def test_localhost_leads_to_this_machine_alone() -> None:
    listed = Destinations(["http://localhost:8190"], resolve=answering("8.8.8.8", "127.0.0.1", "::1", "10.0.0.1"))
    assert listed.addresses("http", "localhost", 8190) == ["127.0.0.1", "::1"]


def test_a_name_without_addresses_is_the_lines_fault() -> None:
    with pytest.raises(OSError, match="no address"):
        found(Destinations((), allow=ALLOW, resolve=answering()))
