"""A document's own bound for WIPO's transit zone, and whether it is served, as the library's verbs tell them."""

import json

from office_node.document_id import DocumentKind
from office_node.wiring.node import Node
from tests import command_line
from tests.databases import on_sqlite
from tests.office import WANTED, Office, pdf

DOCUMENT = ("--kind", WANTED.kind, "--number", WANTED.number)


def add(office: Office, *options: str) -> str:
    file = office.folder / "document.pdf"
    if not file.exists():
        file.write_bytes(pdf(1_000))
    names = (*DOCUMENT, "--date", WANTED.date, "--access-code", WANTED.access_code)
    ran = command_line.run(office.settings_file, "library", "add", str(file), *names, *options)
    assert ran.exit_code == 0, ran.output
    return ran.stdout


def found(office: Office, *options: str) -> str:
    return command_line.run(office.settings_file, "library", "find", *options).stdout


def test_a_bound_is_given_with_the_document_and_changed_later(office: Office, node: Node) -> None:
    assert "transit" not in add(office)
    assert add(office, "--big-document-bytes", "0").rstrip().endswith(", always through the transit zone")
    assert "always through the transit zone" in add(office)
    for given, shown, kept in (("5", ", through the transit zone above 5 bytes", 5), ("default", "", None)):
        ran = command_line.run(office.settings_file, "library", "change", *DOCUMENT, "--big-document-bytes", given)
        assert ran.exit_code == 0
        assert ran.stdout.startswith("changed: patent US 98/012,357 of 2023-11-02, version 1, ")
        assert ran.stdout.partition(", confidential")[2].rstrip() == shown
        assert json.loads(found(office, "--json"))[0]["big_document_bytes"] == kept
        entry = node.library.find(DocumentKind.PATENT, "US 98/012,357")
        assert entry
        assert entry.big_document_bytes == kept


def test_a_withdrawn_document_is_shown_as_such(office: Office) -> None:
    add(office)
    assert json.loads(found(office, "--json"))[0]["withdrawn_at"] is None
    assert command_line.run(office.settings_file, "registrations", "withdraw", "--yes", *DOCUMENT).exit_code == 0
    assert ", withdrawn 20" in found(office)
    assert json.loads(found(office, "--json"))[0]["withdrawn_at"]


@on_sqlite
def test_an_unknown_document_and_a_wrong_bound_change_nothing(office: Office) -> None:
    ran = command_line.run(office.settings_file, "library", "change", *DOCUMENT, "--big-document-bytes", "5")
    assert (ran.exit_code, ran.stderr[:4]) == (1, "N309")
    for bound in ("-1", "many", "9" * 30):
        ran = command_line.run(office.settings_file, "library", "change", *DOCUMENT, "--big-document-bytes", bound)
        assert ran.exit_code == 2
