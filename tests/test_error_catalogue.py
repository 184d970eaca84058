"""Every code in the program stands in the catalogue, once, with its cause, its owner and a next step; and every ERROR
line has one."""

import ast
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from office_node.error_catalogue import Entry, entries, reference
from tests import command_line
from tests.office import ROOT, SHIPPED_SETTINGS

PROGRAM = sorted((ROOT / "office_node").rglob("*.py"))
PAGE = ROOT / "docs" / "error-catalogue.md"
BEGINNING = "<!-- From here on printed by `office-node errors reference`; a test keeps it so. -->\n\n"


def test_every_code_in_the_program_stands_in_the_catalogue_and_every_one_of_it_in_the_program() -> None:
    written = {code for file in PROGRAM for code in re.findall(r'"(N\d{3})"', file.read_text())}
    assert {entry.code for entry in entries()} == written


def test_no_code_stands_for_two_things() -> None:
    assert [code for code, times in Counter(entry.code for entry in entries()).items() if times > 1] == []


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.code)
def test_each_tells_its_cause_whose_turn_it_is_and_what_to_do(entry: Entry) -> None:
    assert entry.owner in ("office", "operator", "WIPO", "network", "caller")
    assert len(entry.cause) > 8
    assert len(entry.next_step) > 8


def test_the_page_is_what_errors_reference_prints() -> None:
    assert PAGE.read_text().partition(BEGINNING)[2] == reference()
    assert command_line.run(SHIPPED_SETTINGS, "errors", "reference").stdout == reference()


def test_one_code_is_explained() -> None:
    shown = command_line.run(SHIPPED_SETTINGS, "errors", "show", "n342")
    assert shown.exit_code == 0
    assert shown.stdout.startswith("N342: A document's key is wrapped to a storage key that this node does not have")
    assert "\nwhose turn: operator\nwhat to do: restore every file of [library] storage_key_file" in shown.stdout
    listed = json.loads(command_line.run(SHIPPED_SETTINGS, "errors", "list", "--json").stdout)
    assert [entry["code"] for entry in listed] == sorted(entry.code for entry in entries())
    unknown = command_line.run(SHIPPED_SETTINGS, "errors", "show", "N999")
    assert (unknown.exit_code, unknown.stderr[:24]) == (1, "N717 there is no code N9")


@pytest.mark.parametrize("file", PROGRAM, ids=lambda path: path.name)
def test_every_error_line_of_the_log_has_a_code(file: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    uncoded = [
        call.lineno
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in ("error", "exception", "critical")
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "log"
        and not any(keyword.arg in ("code", None) for keyword in call.keywords)
    ]
    assert uncoded == []
