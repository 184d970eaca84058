"""Access codes: compared without case, sealed anew each time, opened with the right key for the right document."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from office_node.library.access_codes import AccessCodes, WrongAccessCodeKey

CODES = AccessCodes(b"k" * 32)
NAME = "patent\nUS 98/012,357"
CODE = st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", min_size=4, max_size=4)


@settings(deadline=None)
@given(code=CODE)
def test_a_code_matches_itself_in_any_case(code: str) -> None:
    sealed = CODES.seal(code, NAME)
    for presented in (code, code.upper(), code.lower(), code.swapcase()):
        assert CODES.matches(presented, sealed, NAME)


@settings(deadline=None)
@given(code=CODE, presented=CODE)
def test_a_code_matches_no_other_code(code: str, presented: str) -> None:
    assert CODES.matches(presented, CODES.seal(code, NAME), NAME) == (presented.upper() == code.upper())


@pytest.mark.parametrize(
    "presented",
    ["", "SSA", "SSA11", "\u00dfA1", "\u017f\u017fA1", "SSA1 ", "SSA1\n", "\ud800SA1", "\uff33\uff33A1", "S" * 10**6],
)
def test_what_only_looks_like_the_code_does_not_match(presented: str) -> None:
    assert not CODES.matches(presented, CODES.seal("SSA1", NAME), NAME)


def test_a_code_is_sealed_differently_each_time_and_never_shown() -> None:
    sealed = {CODES.seal("QX7Z", NAME) for _ in range(100)}
    assert len(sealed) == 100
    assert not [text for text in sealed if b"QX7Z" in base64.b64decode(text)]
    assert {len(text) for text in sealed} == {len(CODES.seal("0000", NAME))}


@settings(deadline=None)
@given(flipped=st.integers(min_value=0, max_value=32 * 8 - 1))
def test_a_sealed_code_that_was_changed_by_one_bit_is_not_opened(flipped: int) -> None:
    data = bytearray(base64.b64decode(CODES.seal("QX7Z", NAME)))
    assert len(data) == 32
    data[flipped // 8] ^= 1 << flipped % 8
    with pytest.raises(WrongAccessCodeKey, match="N302"):
        CODES.matches("QX7Z", base64.b64encode(data).decode(), NAME)


@pytest.mark.parametrize(
    "sealed", ["", "QX7Z", "not base64!", "AAAA", "\u00e4" * 8, base64.b64encode(b"x" * 32).decode()]
)
def test_what_was_never_sealed_is_not_opened(sealed: str) -> None:
    with pytest.raises(WrongAccessCodeKey, match="N302 a sealed access code cannot be opened; hint: restore the file"):
        CODES.matches("QX7Z", sealed, NAME)


def test_a_code_is_opened_with_the_key_it_was_sealed_with_and_no_other() -> None:
    with pytest.raises(WrongAccessCodeKey, match="N302"):
        AccessCodes(b"K" * 32).matches("QX7Z", CODES.seal("QX7Z", NAME), NAME)


def test_a_sealed_code_cannot_be_moved_to_another_document() -> None:
    with pytest.raises(WrongAccessCodeKey, match="N302"):
        CODES.matches("QX7Z", CODES.seal("QX7Z", NAME), "design\nUS 98/012,357")
