"""Ways in which a kept file may be spoilt behind the library's back."""

import random
from collections.abc import Callable
from pathlib import Path


def flip(paths: list[Path], rng: random.Random) -> int:
    """One bit of one file."""
    content = bytearray(paths[0].read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    paths[0].write_bytes(content)
    return 1


def truncate(paths: list[Path], rng: random.Random) -> int:
    """One file, anywhere."""
    with paths[0].open("r+b") as file:
        file.truncate(rng.randrange(paths[0].stat().st_size))
    return 1


def swap(paths: list[Path], _rng: random.Random) -> int:
    """Two files, each in the other's place."""
    one, other = paths[0].read_bytes(), paths[1].read_bytes()
    paths[0].write_bytes(other)
    paths[1].write_bytes(one)
    return 2


DAMAGES: list[Callable[[list[Path], random.Random], int]] = [flip, truncate, swap]


def damage(paths: list[Path], count: int, rng: random.Random) -> set[str]:
    """Spoil so many of the files; returns their names."""
    left, spoilt = list(paths), set[str]()
    while len(spoilt) < count:
        ways = DAMAGES if count - len(spoilt) > 1 else DAMAGES[:2]
        done = rng.choice(ways)(left, rng)
        spoilt |= {path.name for path in left[:done]}
        left = left[done:]
    return spoilt
