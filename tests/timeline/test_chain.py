"""Digests and trees, without any database."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from office_node.timeline import chain
from office_node.timeline.chain import BEFORE_THE_FIRST, Entry
from office_node.timeline.said import read_said, write_said

DIGESTS = st.lists(st.binary(min_size=32, max_size=32).map(bytes.hex), min_size=1, max_size=70)
SAID = st.dictionaries(st.text(max_size=9), st.one_of(st.text(max_size=9), st.integers(), st.booleans(), st.none()))
ENTRY = Entry(1, "2026-11-26T10:00:00.000000+00:00", "step", "patent", "US 98/012,357", None, {"n": 1})


def rfc9162_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 9162 2.1.1, as it is written there."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + rfc9162_root(leaves[:split]) + rfc9162_root(leaves[split:])).digest()


@given(DIGESTS)
def test_the_root_is_that_of_rfc_9162(digests: list[str]) -> None:
    assert chain.root(digests) == rfc9162_root([bytes.fromhex(one) for one in digests]).hex()


@given(DIGESTS, st.data())
def test_a_path_leads_from_its_entry_to_the_root_and_from_no_other(digests: list[str], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(digests) - 1))
    path = chain.path(digests, index)
    assert len(path) <= 7
    assert chain.root_by(digests[index], path) == chain.root(digests)
    other = data.draw(st.binary(min_size=32, max_size=32).map(bytes.hex))
    if other != digests[index]:
        assert chain.root_by(other, path) != chain.root(digests)


@pytest.mark.parametrize("step", ["", "<", "x" + "0" * 64, "<" + "0" * 63, "<" + "0" * 66, "<zz"])
def test_what_is_no_path_is_refused(step: str) -> None:
    with pytest.raises(ValueError, match=r"no path|hexadecimal"):
        chain.root_by("0" * 64, [step])


def test_a_digest_depends_on_all_that_an_entry_says_and_on_what_was_before() -> None:
    digest = chain.digest(BEFORE_THE_FIRST, ENTRY)
    changes: list[dict[str, Any]] = [
        {"sequence": 2},
        {"at": "2026-11-26T10:00:00.000001+00:00"},
        {"step": "steps"},
        {"kind": None},
        {"number": "US 98/012,358"},
        {"subject": "a"},
        {"said": {"n": 2}},
        {"said": {"n": True}},
    ]
    others = [replace(ENTRY, **change) for change in changes]
    digests = [chain.digest(BEFORE_THE_FIRST, other) for other in others]
    assert len({digest, *digests, chain.digest("1" * 64, ENTRY)}) == len(others) + 2


@given(SAID)
def test_what_is_said_is_read_as_it_was_written(said: chain.Said) -> None:
    assert read_said(write_said(said)) == said


@pytest.mark.parametrize("text", ["", "[]", "{", '{"n": 1}', '{"b":1,"a":1}', '{"a":1,"a":1}', "null"])
def test_a_text_that_was_not_written_here_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read_said(text)
