"""The documents say what the program does: their commands exist, their links lead somewhere, codes are told apart."""

import importlib
import pkgutil
import re
from pathlib import Path

import click
import pytest

import office_node
from office_node.cli import main
from office_node.errors import OfficeNodeError
from tests.office import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("keys/*.md")])


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    named = re.findall(r"(?:^|`)make ([a-z]+)", document.read_text(), re.MULTILINE)
    assert set(named) <= _targets()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_verb_that_is_named_exists(document: Path) -> None:
    for words in re.findall(r"office-node ((?:[a-z][a-z-]* ?){1,2})", document.read_text()):
        _find(words.split())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_to_a_file(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
        assert (document.parent / target).exists(), target


def test_every_python_file_that_is_named_exists() -> None:
    for document in (ROOT / "docs" / "architecture.md", ROOT / "docs" / "life-of-a-retrieval.md"):
        for named in re.findall(r"`((?:[a-z_]+/)*[a-z_]+\.py)", document.read_text()):
            assert (ROOT / "office_node" / named).exists(), named


def test_what_lands_a_change_runs_lint_the_readmes_test_command_and_its_demo() -> None:
    readme = (ROOT / "README.md").read_text()
    for command in ("make test", "make demo"):
        assert command in readme
    run = (ROOT / ".ci" / "run").read_text().splitlines()
    assert [line for line in run if line.startswith("make ")] == ["make lint", "make test", "make demo"]


def test_every_failure_has_a_code_of_its_own_and_a_next_step() -> None:
    for module in pkgutil.walk_packages(office_node.__path__, "office_node."):
        if not module.name.endswith(("__main__", "migrations.env")):
            importlib.import_module(module.name)
    failures = _subclasses(OfficeNodeError)
    assert len(failures) > 40
    codes = [failure.code for failure in failures]
    assert sorted(code for code in set(codes) if codes.count(code) > 1) == []
    assert all(re.fullmatch(r"N\d{3}", code) for code in codes)
    assert [failure for failure in failures if not failure.hint or not failure.__doc__] == []


def _subclasses(base: type[OfficeNodeError]) -> list[type[OfficeNodeError]]:
    found = []
    for direct in base.__subclasses__():
        found += [direct, *_subclasses(direct)]
    return found


def _find(words: list[str]) -> None:
    noun = main.get_command(click.Context(main), words[0])
    assert noun is not None, words
    if isinstance(noun, click.Group) and len(words) > 1:
        assert noun.get_command(click.Context(noun), words[1]) is not None, words


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_no_place_was_left_to_be_filled(document: Path) -> None:
    assert re.findall(r"@[A-Z]{2,}@|TODO|TBD", document.read_text()) == []
