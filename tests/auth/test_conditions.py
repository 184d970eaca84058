"""auth-checks.md numbers its conditions from 1 to 104, and the name of a test here says which of them it asks.

These tests read the others, and fail when a number has none: for a kind of client, for a setup, or over processes.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
TOKEN_ENDPOINT = {*range(1, 66), *range(97, 105)}
"""Tables (a) and (c)."""
BEARER_CHECK = {*range(66, 97)}
"""Table (b)."""
OF_WIPOS_SETUP_ALONE = {66, *range(89, 95), 96}
"""Tokens of WIPO's own shape, and a key set that has to be fetched."""
WITHOUT_A_CLIENT = {64}
"""The keys that the office publishes are the same for everybody."""
ONE_KIND_OF_CLIENT = {"caller": {"strict", "compat"}, "strict": {"strict"}, "compat": {"compat"}}
"""Fixtures that hand a test a client; a test may also name `strict-office` or `compat-office` itself."""


@dataclass(frozen=True)
class Asked:
    """A numbered test: where it stands, the kinds of client it asks for, and whether it also asks processes."""

    number: int
    file: str
    profiles: frozenset[str]
    over_processes: bool


def asked_in(folder: Path) -> Iterator[Asked]:
    """Every numbered test of a folder."""
    shared = _fixtures(folder / "conftest.py")
    for file in sorted(folder.glob("test_*.py")):
        fixtures = {**shared, **_fixtures(file)}
        for function in _functions(file):
            if match := re.match(r"test_(\d{3})_", function.name):
                given = _given(function, fixtures)
                named = {kind for kind in ("strict", "compat") if f"{kind}-office" in ast.unparse(function)}
                profiles = named.union(*(ONE_KIND_OF_CLIENT.get(name, set()) for name in given))
                # So the parameters of such a fixture are called: tests/auth/conftest.py.
                processes = any("over processes" in _decorators(fixtures[name]) for name in given & fixtures.keys())
                yield Asked(int(match[1]), file.name, frozenset(profiles), processes)


def _fixtures(file: Path) -> dict[str, ast.FunctionDef]:
    return {function.name: function for function in _functions(file) if "fixture" in _decorators(function)}


def _functions(file: Path) -> list[ast.FunctionDef]:
    return [node for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef)]


def _decorators(function: ast.FunctionDef) -> str:
    return " ".join(map(ast.unparse, function.decorator_list))


def _given(function: ast.FunctionDef, fixtures: dict[str, ast.FunctionDef]) -> set[str]:
    """What a test asks for, and what that asks for in turn."""
    found: set[str] = set()
    waiting = [function]
    while waiting:
        new = {argument.arg for argument in waiting.pop().args.args} - found
        found |= new
        waiting += [fixtures[name] for name in new & fixtures.keys()]
    return found


@pytest.fixture(scope="module")
def asked() -> list[Asked]:
    return list(asked_in(FOLDER))


def test_every_number_has_its_test(asked: list[Asked]) -> None:
    assert set(range(1, 105)) == TOKEN_ENDPOINT | BEARER_CHECK
    assert {test.number for test in asked} == TOKEN_ENDPOINT | BEARER_CHECK


@pytest.mark.parametrize("kind", ["strict", "compat"])
def test_every_condition_of_the_token_endpoint_is_asked_over_processes_of_both_kinds_of_client(
    asked: list[Asked], kind: str
) -> None:
    of_this_kind = {test.number for test in asked if test.over_processes and kind in test.profiles}
    assert TOKEN_ENDPOINT - WITHOUT_A_CLIENT - of_this_kind == set()
    assert {test.number for test in asked if test.over_processes} >= WITHOUT_A_CLIENT


def test_every_condition_of_our_own_tokens_is_asked_over_processes(asked: list[Asked]) -> None:
    own = {test.number for test in asked if test.over_processes and not is_wipos(test)}
    assert BEARER_CHECK - OF_WIPOS_SETUP_ALONE - own == set()


def test_every_condition_of_wipos_tokens_is_asked_over_processes(asked: list[Asked]) -> None:
    wipos = [test for test in asked if is_wipos(test)]
    assert BEARER_CHECK - {test.number for test in wipos} == set()
    assert BEARER_CHECK - {test.number for test in wipos if test.over_processes} == set()


def is_wipos(test: Asked) -> bool:
    return test.file.startswith("test_wipo_")


def test_a_number_that_only_a_comment_or_another_kind_of_client_has_is_missed(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "@fixture(params=['sqlite over processes'])\ndef server(): ...\n@fixture\ndef caller(strict): ...\n"
    )
    (tmp_path / "test_some.py").write_text(
        "# test_001_x\ndef test_002_x(server, caller): ...\n@fixture\ndef compat(server): ...\n"
        "def test_003_x(compat): ...\ndef test_004_x(): 'compat-office'\ndef helper_005_x(server): ...\n"
    )
    both, compat = frozenset({"strict", "compat"}), frozenset({"compat"})
    assert list(asked_in(tmp_path)) == [
        Asked(2, "test_some.py", both, True),
        Asked(3, "test_some.py", compat, True),
        Asked(4, "test_some.py", compat, False),
    ]
