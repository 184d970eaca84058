"""What the timeline tells of a registration."""

from tests.off_registrations.desk import Desk, paper


def test_a_registration_is_told_from_the_command_to_wipos_yes(one_desk: Desk) -> None:
    view = one_desk.registered(paper())
    history = one_desk.node.timeline.histories.of([one_desk.wanted.number])
    assert [entry.step for entry in history.entries] == [
        "taken into the library",
        "asked for at WIPO",
        "upload to WIPO begun",
        "content sent to WIPO",
        "content accepted by WIPO",
        "WIPO told",
        "done at WIPO",
    ]
    assert {entry.subject for entry in history.entries[1:]} == {view.operation_id}
    assert history.open_matters == []
    assert one_desk.wanted.access_code not in str(history)
    asked = one_desk.node.registrations.withdraw(*one_desk.named)
    one_desk.ended(asked)
    steps = [entry.step for entry in one_desk.node.timeline.histories.of([one_desk.wanted.number]).entries[7:]]
    assert steps == ["withdrawn: no longer served", "asked for at WIPO", "WIPO told", "done at WIPO"]


def test_what_waits_for_wipo_is_open(one_desk: Desk) -> None:
    one_desk.pace(pending_seconds=60)
    asked = one_desk.submit(paper(), content_at="library")
    [matter] = one_desk.node.timeline.histories.of([one_desk.wanted.number]).open_matters
    assert matter.what == f"register {asked.operation_id} waits"
    assert matter.who in ("this node", "WIPO")
