"""`office-node health`: what the node needs, each with its cause, and an exit code for whoever watches."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine

from office_node import clock
from office_node.das.access_token import TOKEN_ENDPOINT
from office_node.storage.workers import Heartbeat
from office_node.wiring.node import Node
from tests import command_line
from tests.conftest import MakeOffice
from tests.databases import on_sqlite
from tests.office import Office


def health(office: Office) -> tuple[int, dict[str, str]]:
    ran = command_line.run(office.settings_file, "health", "--json")
    return ran.exit_code, {check["what"]: check["code"] or "well" for check in json.loads(ran.stdout)}


def test_a_node_with_a_worker_is_well(office: Office, node: Node) -> None:
    Heartbeat(node.database).beat()
    ran = command_line.run(office.settings_file, "health")
    assert ran.exit_code == 0
    assert ran.stdout == "database: well\ndisk: well\nkeys: well\nworker: well\nclock: well\n"


def _no_worker(_office: Office, node: Node) -> None:
    with time_machine.travel(clock.now() - timedelta(seconds=90), tick=False):
        Heartbeat(node.database).beat()


def _lost_key(office: Office, _node: Node) -> None:
    office.settings().off.download_link_key_file.unlink()


def _clock_off(_office: Office, node: Node) -> None:
    node.peers.skewed(TOKEN_ENDPOINT, -45.0)


@on_sqlite
@pytest.mark.parametrize(
    ("ail", "what", "code"),
    [(_no_worker, "worker", "N716"), (_lost_key, "keys", "N101"), (_clock_off, "clock", "N614")],
)
def test_what_ails_it_is_named(
    office: Office, node: Node, ail: Callable[[Office, Node], None], what: str, code: str
) -> None:
    if what != "worker":
        Heartbeat(node.database).beat()
    ail(office, node)
    exit_code, found = health(office)
    assert exit_code == 1
    assert found.pop(what) == code
    assert set(found.values()) == {"well"}


@on_sqlite
def test_without_a_database_everything_else_is_still_looked_at(new_office: MakeOffice) -> None:
    office = new_office(overrides={"database": {"url": "postgresql://nobody@127.0.0.1:1/none"}})
    exit_code, found = health(office)
    assert exit_code == 1
    assert (found["database"], found["worker"], found["keys"]) == ("N201", "N201", "well")


@on_sqlite
def test_a_disk_with_too_little_room_is_named(new_office: MakeOffice) -> None:
    office = new_office(overrides={"library": {"headroom_megabytes": 1_000_000}})
    office.upgrade()
    ran = command_line.run(office.settings_file, "health")
    assert ran.exit_code == 1
    assert "disk: N205 " in ran.stdout
    assert "hint: make room on that disk" in ran.stdout
