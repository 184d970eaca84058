"""Which state may follow which: one rule for every row that moves through states."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import TypeVar

S = TypeVar("S", bound=StrEnum)


class ImpossibleMove(AssertionError):
    """A bug: nothing may move in this way."""


def move(moves: Mapping[S, Collection[S]], present: S, new: S) -> S:
    """`new`, if it may follow `present`. Raises `ImpossibleMove`."""
    if new not in moves[present]:
        raise ImpossibleMove(f"{present} -> {new}")
    return new
