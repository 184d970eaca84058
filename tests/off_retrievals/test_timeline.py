"""What the timeline tells of a retrieval that WIPO forwarded."""

from tests.off_retrievals.bench import Bench, message


def test_a_retrieval_is_told_from_wipos_request_to_the_last_byte(bench: Bench) -> None:
    kept, caller = bench.keep(), bench.caller()
    acknowledgement_id, link = bench.offer(kept)
    with bench.http.get(link) as download:
        assert download.data == kept.content
    history = bench.node.timeline.histories.of([kept.wanted.number])
    assert [entry.step for entry in history.entries] == [
        "taken into the library",
        "WIPO asked for it",
        "read whole and found good, ready for WIPO",
        "WIPO given its location",
        "sent to WIPO whole",
    ]
    assert {entry.subject for entry in history.entries[1:]} == {acknowledgement_id}
    assert [entry.step for entry in bench.node.timeline.histories.of([acknowledgement_id]).entries] == [
        entry.step for entry in history.entries[1:]
    ]
    caller.call("DELETE", "files", query_string={"requestAckId": acknowledgement_id})
    assert bench.node.timeline.histories.of([acknowledgement_id]).entries[-1].step == "WIPO's request ended"


def test_a_wrong_access_code_is_told_and_never_quoted(bench: Bench) -> None:
    kept = bench.keep()
    wrong = type(kept.wanted)(kept.wanted.kind, kept.wanted.number, kept.wanted.date, "ZZ99")
    bench.caller().call("POST", "retrievals", json=message(wrong))
    refused = bench.node.timeline.histories.of([kept.wanted.number]).entries[-1]
    assert (refused.step, refused.said["codes"]) == ("WIPO asked for it and was refused", "-14")
    assert "ZZ99" not in str(refused)


def test_what_is_open_says_who_must_act_next(bench: Bench) -> None:
    wanted = bench.keep().wanted
    acknowledgement_id = bench.caller().forward(wanted)
    [matter] = bench.node.timeline.histories.of([wanted.number]).open_matters
    assert (matter.who, matter.what) == ("this node", f"WIPO's request {acknowledgement_id} is received")
    assert "due at " in matter.next_step

    claim = bench.claim(acknowledgement_id)
    bench.node.outbox.park(claim, RuntimeError("the disk is away"))
    [matter] = bench.node.timeline.histories.of([wanted.number]).open_matters
    assert (matter.who, matter.next_step) == (
        "the administrator",
        f"`office-node outbox retry {claim.message_id}` once this is mended: the disk is away",
    )
    steps = [entry.step for entry in bench.node.timeline.histories.of([wanted.number]).entries]
    assert steps[-1] == "stopped trying: waits for an administrator"
