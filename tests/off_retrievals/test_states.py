"""The states of a forwarded retrieval: which move may follow which, and what WIPO reads of each."""

from itertools import product

import pytest

from office_node.moves import ImpossibleMove, move
from office_node.off_retrievals import states
from office_node.off_retrievals.states import RetrievalState

ALLOWED = {
    ("received", "prepared"),
    ("received", "refused"),
    ("received", "uploading"),
    ("received", "withdrawn"),
    ("received", "expired"),
    ("uploading", "prepared"),
    ("uploading", "refused"),
    ("uploading", "withdrawn"),
    ("uploading", "expired"),
    ("prepared", "notified"),
    ("prepared", "downloaded"),
    ("prepared", "refused"),
    ("prepared", "withdrawn"),
    ("prepared", "expired"),
    ("notified", "downloaded"),
    ("notified", "withdrawn"),
    ("notified", "expired"),
    ("downloaded", "withdrawn"),
    ("downloaded", "expired"),
}
PAIRS = list(product(RetrievalState, RetrievalState))


@pytest.mark.parametrize(("present", "new"), [pair for pair in PAIRS if pair in ALLOWED])
def test_a_request_moves_forward(present: RetrievalState, new: RetrievalState) -> None:
    assert move(states.MOVES, present, new) is new


@pytest.mark.parametrize(("present", "new"), [pair for pair in PAIRS if pair not in ALLOWED])
def test_every_other_move_is_a_bug(present: RetrievalState, new: RetrievalState) -> None:
    with pytest.raises(ImpossibleMove):
        move(states.MOVES, present, new)


def test_every_state_is_told_in_a_word_of_wipo() -> None:
    assert states.ON_THE_WIRE == {
        "received": "pending",
        "uploading": "pending",
        "prepared": "success",
        "notified": "success",
        "downloaded": "success",
        "refused": "error",
        "withdrawn": "error",
        "expired": "error",
    }


def test_what_is_a_success_is_served_and_what_is_an_error_has_ended() -> None:
    by_word = {
        word: {state for state, told in states.ON_THE_WIRE.items() if told == word} for word in ("success", "error")
    }
    assert set(states.SERVED) == by_word["success"]
    assert set(states.ENDED) == by_word["error"]
