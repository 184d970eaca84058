"""WIPO's keys roll over, and its key server falls, while WIPO calls: none of its good tokens is turned away."""

import time
from typing import Any

import requests

from tests.conftest import MakeOffice
from tests.databases import on_sqlite
from tests.end_to_end.load import Load, status_with
from tests.office import Office


def tell(office: Office, what: str, **message: Any) -> Any:
    """What simulated WIPO answers to whoever plays with it."""
    answer = requests.post(f"{office.central_url}/rehearsal/{what}", json=message, timeout=30)
    answer.raise_for_status()
    return answer.json()


def fetches(office: Office) -> int:
    """How often the node came for the key set."""
    visits: dict[str, int] = requests.get(f"{office.central_url}/rehearsal/visits", timeout=30).json()
    return visits["jwks"]


@on_sqlite
def test_row_19_wipos_keys_roll_over_and_its_key_server_falls_under_load(
    new_office: MakeOffice,
) -> None:
    office = new_office({"web": {"workers": 3}})
    office.upgrade()
    office.start_central()
    office.start_web()
    first = tell(office, "tokens")["access_token"]

    def send(number: int) -> tuple[str, int]:
        if number % 4:
            return "new", status_with(office, tell(office, "tokens")["access_token"])
        return "old", status_with(office, first)

    def roll_over_and_fall() -> None:
        for _ in range(3):
            time.sleep(1.5)
            tell(office, "keys/rotate")
        time.sleep(1.5)
        tell(office, "faults", jwks="down")
        time.sleep(2)

    load = Load(send)
    load.run_while(roll_over_and_fall)
    assert set(load.seen) == {("new", 200), ("old", 200)}, load.seen
    assert load.seen.total() > 80
    assert fetches(office) <= 4 * 3, "one for each worker at the beginning, and one at each rotation"
