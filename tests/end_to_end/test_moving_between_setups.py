"""An office moves from its own authorization server to WIPO's while WIPO calls, as docs/go-live.md says."""

import threading
import time

import requests

from tests.conftest import MakeOffice
from tests.databases import on_sqlite
from tests.end_to_end.load import Load, status_with
from tests.end_to_end.reloading import change, reload
from tests.office import Office, eventually


def own_token(office: Office) -> str:
    """A token of the office's own server."""
    operator = office.stranger()
    answer = operator.ask_token(operator.assertion())
    answer.raise_for_status()
    return str(answer.json()["access_token"])


def wipos_token(office: Office) -> str:
    """A token of simulated WIPO's server."""
    return str(requests.post(f"{office.central_url}/rehearsal/tokens", json={}, timeout=30).json()["access_token"])


@on_sqlite
def test_an_office_moves_to_wipos_server_without_turning_a_call_away(new_office: MakeOffice) -> None:
    office = new_office({"web": {"workers": 3}, "trust": {"accept": ["own"]}})
    office.upgrade()
    office.start_central()
    web = office.start_web()
    old, new = own_token(office), wipos_token(office)
    assert (status_with(office, old), status_with(office, new)) == (200, 401)
    switched = threading.Event()

    def call(_number: int) -> tuple[str, int]:
        if switched.is_set():
            return "WIPO's", status_with(office, wipos_token(office))
        return "own", status_with(office, own_token(office))

    def move() -> None:
        time.sleep(1)
        change(office, "trust", accept=["own", "wipo"])
        reload(office, web)
        time.sleep(1)
        switched.set()  # WIPO switches
        time.sleep(1)
        eventually(lambda: {"own", "wipo"} <= {line.get("trust") for line in office.log_lines()})
        change(office, "trust", accept=["wipo"])
        reload(office, web)
        time.sleep(1)

    load = Load(call)
    load.run_while(move)
    assert set(load.seen) == {("own", 200), ("WIPO's", 200)}, load.seen
    assert (status_with(office, old), status_with(office, wipos_token(office))) == (401, 200)
    assert requests.post(f"{office.url}/oauth2/access_token", data={}, timeout=30).status_code == 404
