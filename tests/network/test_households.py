"""Whose requests are counted together."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask.testing import FlaskClient

from office_node.app import create_app
from office_node.wiring.node import build_node
from tests.conftest import MakeOffice
from tests.databases import on_sqlite
from tests.network.lines import OPEN_PATH
from tests.office import Office


@contextmanager
def application(office: Office) -> Iterator[FlaskClient]:
    node = build_node(office.settings())
    yield create_app(node).test_client()
    node.database.close()


def ask_from(http: FlaskClient, address: str) -> int:
    return http.get(OPEN_PATH, environ_overrides={"REMOTE_ADDR": address}).status_code


@on_sqlite
@pytest.mark.parametrize(
    ("addresses", "served"),
    [
        ([f"2001:db8::{number}" for number in range(1, 7)], 3),  # one /64
        ([f"2001:db8:0:{number}::1" for number in range(1, 7)], 6),
        ([f"192.0.2.{number}" for number in range(1, 7)], 6),
        (["192.0.2.1", "::ffff:192.0.2.1"] * 3, 3),
    ],
    ids=["one IPv6 network", "several", "IPv4", "one address in two spellings"],
)
def test_an_ipv6_caller_gains_nothing_by_changing_its_address(
    new_office: MakeOffice, addresses: list[str], served: int
) -> None:
    office = new_office({"ingress": {"rate_per_address": "3/minute", "allow": ["2001:db8::/32", "192.0.2.0/24"]}})
    office.upgrade()
    with application(office) as http:
        assert [ask_from(http, address) for address in addresses].count(200) == served
