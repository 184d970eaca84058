"""What may only be in transit: never in the library, gone once its time is over, whatever it is doing then."""

import secrets
import signal
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine

from office_node import clock
from office_node.library.policy import MayNotBeFetched
from office_node.osf_retrievals.service import Asked
from office_node.osf_retrievals.states import RequestState
from tests.databases import on_sqlite
from tests.office import eventually
from tests.osf_retrievals.conftest import MakeDesk
from tests.osf_retrievals.desk import Desk, paper

OF_IB = "PCT/IB2021/{:06}"
THREE_DAYS = timedelta(days=3)


@pytest.fixture
def ib_desk(new_desk: MakeDesk) -> Callable[..., Desk]:
    """A desk with a document of the receiving office IB."""

    def new(*processes: str, **overrides: dict[str, object]) -> Desk:
        desk = new_desk(*processes, **overrides)
        return desk.with_another_document(OF_IB)

    return new


def found_in(folder: Path, marker: str) -> list[str]:
    """Every file with the marker in it."""
    told = subprocess.run(["grep", "-rlaF", marker, str(folder)], capture_output=True, text=True, check=False)
    return sorted(told.stdout.splitlines())


def outdated(desk: Desk, after: timedelta = THREE_DAYS) -> int:
    with time_machine.travel(clock.now() + after + timedelta(minutes=1), tick=True):
        return desk.node.second_filing.endings.delete_outdated()


@on_sqlite
def test_it_never_touches_the_library_and_leaves_no_byte_behind(ib_desk: Callable[..., Desk]) -> None:
    desk = ib_desk("serve")
    marker = secrets.token_hex(16)
    content = desk.deposit(paper(marker))
    asked = desk.ask()
    told, files = desk.collected(asked)
    assert files == {"document": content}
    assert (told["kept_in_library"], told["take_it_before"] is not None) == (False, True)
    assert desk.node.library.find(desk.document.kind, desk.document.number) is None
    name = desk.view(asked).handed_over_as
    assert found_in(desk.office.folder, marker) == [str(desk.folder / "collected" / f"{name}.pdf")]
    [matter] = desk.history().open_matters
    assert matter.who == "the office's systems"

    eventually(lambda: "WIPO's copy cleared" in desk.steps())
    assert outdated(desk) == 1
    assert found_in(desk.office.folder, marker) == []
    assert desk.lies_in("collected") == []
    assert desk.steps()[-1] == "copy deleted"
    assert desk.history().entries[-1].said == {"files": 2, "taken_before": False}
    assert desk.history().open_matters == []
    assert outdated(desk) == 0


@on_sqlite
def test_what_the_offices_systems_took_in_time_is_said_to_be_taken(ib_desk: Callable[..., Desk]) -> None:
    desk = ib_desk("serve")
    desk.deposit(paper())
    asked = desk.ask()
    desk.collected(asked)
    for path in (desk.folder / "collected").iterdir():
        path.unlink()
    eventually(lambda: "WIPO's copy cleared" in desk.steps())
    assert outdated(desk) == 1
    assert desk.history().entries[-1].said == {"files": 0, "taken_before": True}


@on_sqlite
@pytest.mark.parametrize("point", ["collecting: half of the bytes are here", "collecting: checked, not handed over"])
def test_it_is_gone_when_its_time_is_over_while_the_node_is_down(ib_desk: Callable[..., Desk], point: str) -> None:
    desk = ib_desk()
    desk.deposit(paper(filler_bytes=1_000_000))
    asked = desk.ask()
    killed = desk.office.start("worker", OFFICE_NODE_CRASH_AT=point)
    assert killed.wait(timeout=30) == -signal.SIGKILL
    assert len(desk.lies_in("collecting")) == 1
    assert outdated(desk) == 1
    assert desk.lies_in("collecting") == []
    assert desk.lies_in("collected") == []
    view = desk.view(asked)
    assert (view.state, view.keep_until) == (RequestState.EXPIRED, None)
    assert desk.steps()[-2:] == ["the request to WIPO ended by age", "copy deleted"]
    desk.office.start("worker")  # which finds the message of the dead one, and nothing to do
    eventually(lambda: not [one for one in desk.node.outbox.messages() if one.acknowledgement_id == asked.request_id])
    assert desk.lies_in("collecting") == []


@on_sqlite
def test_it_is_gone_when_its_time_is_over_while_it_is_handed_over(ib_desk: Callable[..., Desk]) -> None:
    desk = ib_desk()
    desk.deposit(paper())
    asked = desk.ask()
    killed = desk.office.start("worker", OFFICE_NODE_CRASH_AT="collecting: handed over, not recorded")
    assert killed.wait(timeout=30) == -signal.SIGKILL
    assert len(desk.lies_in("collected")) == 2
    with (desk.folder / "collected" / desk.lies_in("collected")[1]).open("rb") as in_use:
        assert outdated(desk) == 1
        assert in_use.read()  # whoever has it open reads on; nobody else finds it
    assert desk.lies_in("collected") == []
    assert desk.view(asked).state == RequestState.EXPIRED


@on_sqlite
def test_it_is_gone_when_its_time_is_over_while_it_comes(ib_desk: Callable[..., Desk]) -> None:
    """The worker lives three days ahead of the moment at which the document became available."""
    desk = ib_desk()
    desk.pace(cut_download_bytes=200_000)
    desk.deposit(paper(filler_bytes=3_000_000))
    asked = desk.ask()
    killed = desk.office.start("worker", OFFICE_NODE_CRASH_AT="collecting: half of the bytes are here")
    killed.wait(timeout=30)
    [message] = [one for one in desk.node.outbox.messages() if one.acknowledgement_id == asked.request_id]
    with time_machine.travel(clock.now() + THREE_DAYS + timedelta(minutes=1), tick=True):
        [claim] = desk.node.outbox.claim(message.kind, 1)
        desk.node.second_filing.collecting.collect(claim)
        assert desk.lies_in("collecting") == []
        assert desk.lies_in("collected") == []
        desk.node.second_filing.endings.delete_outdated()
    assert desk.view(asked).state == RequestState.EXPIRED
    assert desk.steps()[-2:] == ["copy deleted", "the request to WIPO ended by age"]


@on_sqlite
def test_what_may_be_kept_nowhere_is_not_asked_for(new_desk: MakeDesk) -> None:
    desk = new_desk(storage_policy={"rules": [{"place": "nowhere", "numbers": "EP*"}]})
    with pytest.raises(MayNotBeFetched, match="N347"):
        desk.ask()
    assert desk.node.second_filing.requests.all() == []


@on_sqlite
def test_everything_that_is_not_kept_ends_after_seven_days(new_desk: MakeDesk) -> None:
    desk = new_desk(storage_policy={"rules": [{"place": "transit"}]})
    desk.deposit(paper())
    asked = desk.ask()
    killed = desk.office.start("worker", OFFICE_NODE_CRASH_AT="collecting: checked, not handed over")
    killed.wait(timeout=30)
    assert outdated(desk, timedelta(days=6)) == 0
    assert outdated(desk, timedelta(days=7)) == 1
    assert desk.lies_in("collecting") == []
    assert desk.view(asked).state == RequestState.EXPIRED


@on_sqlite
def test_a_request_that_wipo_never_answers_ends_by_age(new_desk: MakeDesk) -> None:
    desk = new_desk(osf={"request_days": 5})
    asked: Asked = desk.ask()
    endings = desk.node.second_filing.endings
    with time_machine.travel(clock.now() + timedelta(days=4), tick=False):
        assert endings.end_old() == 0
    with time_machine.travel(clock.now() + timedelta(days=5, minutes=1), tick=False):
        assert endings.end_old() == 1
        assert endings.end_old() == 0
    view = desk.view(asked)
    assert (view.state, view.reason) == (RequestState.EXPIRED, "no answer of WIPO's within 5 days")
    assert desk.ask().is_new
