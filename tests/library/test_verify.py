"""`library verify` names everything that is not as the catalogue says, and nothing else."""

import json
import os
import re

import pytest

from office_node.library.damage import DocumentDamaged, FileMissing
from office_node.wiring.node import Node
from tests import command_line
from tests.databases import on_sqlite
from tests.library.documents import DOCUMENT, OTHER_DOCUMENT, add, path_of
from tests.office import Office, pdf

STRAY = "0123456789abcdef0123456789abcdef"


def verify(office: Office) -> tuple[int, list[str]]:
    ran = command_line.run(office.settings_file, "library", "verify")
    assert ran.stderr == ""
    return ran.exit_code, [re.sub(r"^N31\d (.*); hint: .+$", r"\1", line) for line in ran.stdout.splitlines()]


def test_a_library_in_order_is_good(office: Office, node: Node) -> None:
    for content in (pdf(1000), pdf(2000)):
        add(node, content)
    add(node, pdf(3000), OTHER_DOCUMENT)
    assert verify(office) == (0, ["every file is what the catalogue says"])


@on_sqlite
def test_an_empty_library_is_good(office: Office) -> None:
    assert verify(office) == (0, ["every file is what the catalogue says"])


def test_a_missing_file_is_named(office: Office, node: Node) -> None:
    _, entry = add(node, pdf(1000))
    path_of(office, entry.current.version_id).unlink()
    assert verify(office) == (1, [f"missing file: {entry.current.version_id} ({DOCUMENT})"])
    with pytest.raises(FileMissing, match="N306"):
        node.library.open(entry.current)


@on_sqlite
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_a_single_flipped_bit_is_named(office: Office, node: Node, place: str) -> None:
    _, entry = add(node, pdf(1_500_000))
    path = path_of(office, entry.current.version_id)
    content = bytearray(path.read_bytes())
    content[{"first": 0, "middle": len(content) // 2, "last": -1}[place]] ^= 1
    path.write_bytes(content)
    assert verify(office) == (1, [f"wrong digest: {entry.current.version_id} ({DOCUMENT})"])
    with pytest.raises(DocumentDamaged, match="N341"):
        node.library.check(entry.current)


@on_sqlite
def test_other_bytes_of_the_same_size_are_named(office: Office, node: Node) -> None:
    _, one = add(node, pdf(1000))
    _, two = add(node, pdf(1000), OTHER_DOCUMENT)
    paths = [path_of(office, entry.current.version_id) for entry in (one, two)]
    contents = [path.read_bytes() for path in paths]
    paths[0].write_bytes(contents[1])
    paths[1].write_bytes(contents[0])
    code, lines = verify(office)
    assert code == 1
    assert sorted(lines) == sorted(
        f"wrong digest: {entry.current.version_id} ({entry.document})" for entry in (one, two)
    )


@on_sqlite
@pytest.mark.parametrize("size", [0, 999], ids=["emptied", "cut off"])
def test_a_shorter_file_is_named_and_never_opened_for_anybody(office: Office, node: Node, size: int) -> None:
    _, entry = add(node, pdf(1000))
    with path_of(office, entry.current.version_id).open("r+b") as file:
        file.truncate(size)
    assert verify(office) == (1, [f"wrong digest: {entry.current.version_id} ({DOCUMENT})"])
    with pytest.raises(DocumentDamaged, match=r"N341|N308"):
        node.library.open(entry.current)


@on_sqlite
def test_an_older_version_is_verified_too(office: Office, node: Node) -> None:
    _, old = add(node, pdf(1000))
    add(node, pdf(1000))
    path_of(office, old.current.version_id).write_bytes(b"other")
    assert verify(office) == (1, [f"wrong digest: {old.current.version_id} ({DOCUMENT})"])


@on_sqlite
def test_a_file_without_row_is_named(office: Office, node: Node) -> None:
    _, entry = add(node, pdf(1000))
    folder = path_of(office, entry.current.version_id).parent
    (folder / STRAY).write_bytes(b"%PDF-")
    (folder / "notes.txt").write_text("what is this?")
    assert verify(office) == (1, [f"file without row: {STRAY}", "file without row: notes.txt"])


@on_sqlite
def test_a_file_that_cannot_be_read_is_named_and_the_others_are_still_looked_at(office: Office, node: Node) -> None:
    _, unreadable = add(node, pdf(1000))
    _, missing = add(node, pdf(1000), OTHER_DOCUMENT)
    path = path_of(office, unreadable.current.version_id)
    path.unlink()
    path.mkdir()  # what cannot be read by any user
    path_of(office, missing.current.version_id).unlink()
    code, lines = verify(office)
    assert code == 1
    assert sorted(lines) == sorted(
        [
            f"unreadable file: {unreadable.current.version_id} ({DOCUMENT})",
            f"missing file: {missing.current.version_id} ({OTHER_DOCUMENT})",
        ]
    )


@on_sqlite
@pytest.mark.parametrize("oddity", ["pipe", "link"])
def test_what_is_no_plain_file_is_named_and_never_waited_for(office: Office, node: Node, oddity: str) -> None:
    _, entry = add(node, pdf(1000))
    path = path_of(office, entry.current.version_id)
    moved = path.rename(path.parent.parent / "moved")
    if oddity == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(moved)
    assert verify(office) == (1, [f"unreadable file: {entry.current.version_id} ({DOCUMENT})"])


@on_sqlite
def test_a_file_where_a_folder_should_be_stops_nothing(office: Office, node: Node) -> None:
    _, entry = add(node, pdf(1000))
    store = path_of(office, entry.current.version_id).parent.parent
    (store / next(name for name in ("00", "11") if not (store / name).exists())).write_text("")
    assert verify(office) == (0, ["every file is what the catalogue says"])


@on_sqlite
def test_everything_wrong_is_named_at_once_and_as_json_too(office: Office, node: Node) -> None:
    _, damaged = add(node, pdf(1000))
    _, missing = add(node, pdf(1000), OTHER_DOCUMENT)
    path_of(office, damaged.current.version_id).write_bytes(b"x")
    path = path_of(office, missing.current.version_id)
    path.rename(path.with_name(STRAY))
    expected = {
        ("wrong digest", damaged.current.version_id, str(DOCUMENT)),
        ("missing file", missing.current.version_id, str(OTHER_DOCUMENT)),
        ("file without row", STRAY, None),
    }
    ran = command_line.run(office.settings_file, "library", "verify", "--json")
    assert ran.exit_code == 1
    told = json.loads(ran.stdout)
    assert {(finding["finding"], finding["file"], finding["document"]) for finding in told} == expected
    assert all(finding["number"].startswith("N31") and finding["hint"] for finding in told)
    assert len(verify(office)[1]) == 3


@on_sqlite
def test_a_document_that_comes_in_meanwhile_is_not_told_as_stray(office: Office, node: Node) -> None:
    _, entry = add(node, pdf(1000))
    path_of(office, entry.current.version_id).unlink()
    findings = node.verification.findings()
    assert next(findings).fault == "missing file"  # the rows are read by now, the names of the files are not
    add(node, pdf(1000), OTHER_DOCUMENT)
    assert [*findings] == []


@on_sqlite
def test_every_byte_is_heard_of_as_it_is_read(node: Node) -> None:
    sizes = [add(node, pdf(3_000_000))[1].current.size, add(node, pdf(10), OTHER_DOCUMENT)[1].current.size]
    heard: list[int] = []
    assert [*node.verification.findings(heard.append)] == []
    assert sum(heard) == sum(sizes) == node.verification.total_bytes()
    assert len(heard) > len(sizes)
