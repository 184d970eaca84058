"""A clerk asks what happened to one document, and is told who must act next."""

import json

from office_node.wiring.node import Node
from tests import command_line
from tests.databases import on_sqlite
from tests.library.documents import CODE, DOCUMENT, OTHER_DOCUMENT, add
from tests.office import Office, pdf


def steps(office: Office, asked: str) -> list[str]:
    told = command_line.run(office.settings_file, "timeline", "show", asked, "--json")
    assert told.exit_code == 0, told.output
    return [entry["step"] for entry in json.loads(told.stdout)["entries"]]


def test_what_happened_in_the_library_is_told_by_any_form_of_the_number(office: Office, node: Node) -> None:
    add(node, pdf(1000))
    add(node, pdf(1000))
    add(node, pdf(1000), OTHER_DOCUMENT)
    assert steps(office, "us98/012,357") == ["taken into the library", "new version taken into the library"]
    told = command_line.run(office.settings_file, "timeline", "show", DOCUMENT.number).stdout
    assert "patent US 98/012,357: taken into the library: bytes " in told
    assert told.endswith("nothing is open\n")
    assert CODE not in told


@on_sqlite
def test_nothing_noted_is_told_so(office: Office, node: Node) -> None:
    told = command_line.run(office.settings_file, "timeline", "show", "US 98/999,999")
    assert (told.exit_code, told.stderr[:36]) == (1, "N380 nothing is noted of US 98/999,9")
    assert command_line.run(office.settings_file, "timeline", "export", "US 98/999,999").exit_code == 1
