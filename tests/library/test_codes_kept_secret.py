"""Nobody reads an access code off the database, the folder, a backup or the command line."""

import secrets
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

from sqlalchemy import text

from office_node.storage.database import Database, Records
from office_node.wiring.node import Node
from tests import command_line
from tests.databases import on_postgresql, on_sqlite
from tests.library.documents import CODE, DOCUMENT, add, arguments, state
from tests.office import Office, pdf

CODES = (CODE, "KW8J")


def _shows_codes(content: bytes) -> bool:
    """Whether a search finds each code: four letters may stand in a key by chance, but not those of both."""
    return all(code.encode() in content.upper() for code in CODES)


def _add_documents(node: Node) -> None:
    """A document for each code, and one for each as another hand may write it."""
    for at, code in enumerate([*CODES, *map(str.lower, CODES)]):
        add(node, pdf(1000), replace(DOCUMENT, number=f"{DOCUMENT.number[:-1]}{at}"), code)


@on_sqlite
def test_no_byte_of_the_database_or_the_library_shows_a_code(office: Office, node: Node) -> None:
    _add_documents(node)
    folder = Path(node.settings.database.url.removeprefix("sqlite:///")).parent
    contents = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert {"office.db", "office.db-wal"} <= {path.name for path in contents}
    number = DOCUMENT.number[:-1].encode()
    assert [path.name for path, content in contents.items() if number in content]  # the search does see rows
    assert not _shows_codes(b"\n".join(contents.values())), "each code may be in a file of its own"
    node.database.close()  # which folds the WAL into the file
    assert number in (folder / "office.db").read_bytes()
    assert not _shows_codes((folder / "office.db").read_bytes())


@on_postgresql
def test_no_row_or_file_of_postgresql_shows_a_code(node: Node) -> None:
    _add_documents(node)
    rows = "\n".join(_every_row(node.database)).encode()
    on_disk = b"".join(_table_files(node.database))
    number = DOCUMENT.number[:-1].encode()
    assert number in rows
    assert number in on_disk
    assert not _shows_codes(rows)
    assert not _shows_codes(on_disk)


def test_no_output_of_the_command_line_shows_a_code(office: Office, node: Node) -> None:
    file = office.folder / "document.pdf"
    file.write_bytes(pdf(1000))
    runs = [
        (0, arguments(file)),
        (0, [*arguments(file), "--json"]),
        (1, arguments(file, code="QX7Y")),
        (1, arguments(file, date="2023-11-03")),
        (1, arguments(file, code=f"{CODE}Q")),
        (1, arguments(file, number="US 1")),
        (2, arguments(file, date="yesterday")),
        (0, ["library", "find"]),
        (0, ["library", "find", "--json"]),
        (0, ["library", "verify", "--json"]),
    ]
    for expected, verb in runs:
        ran = command_line.run(office.settings_file, *verb)
        assert ran.exit_code == expected, ran.output
        said = (ran.stdout + ran.stderr).upper()
        assert not [code for code in (CODE, "QX7Y") if code in said]


def test_with_another_key_codes_cannot_be_compared_and_nothing_changes(office: Office, node: Node) -> None:
    file = office.folder / "document.pdf"
    file.write_bytes(content := pdf(1000))
    add(node, content)
    before = state(office, node)
    key_file = office.settings().library.access_code_key_file
    key_file.write_bytes(b64encode(secrets.token_bytes(32)))
    for new in (content, pdf(1000)):
        file.write_bytes(new)
        ran = command_line.run(office.settings_file, *arguments(file))
        assert (ran.exit_code, ran.stdout) == (1, "")
        assert ran.stderr.startswith(
            "N302 a sealed access code cannot be opened; hint: restore the file that [library] "
        )
        assert len(ran.stderr.splitlines()) == 1
    assert state(office, node) == before
    assert command_line.run(office.settings_file, "library", "find").exit_code == 0


def _every_row(database: Database) -> list[str]:
    with database.reading() as session:
        tables = [*Records.metadata.tables]
        return [str(row) for table in tables for row in session.scalars(text(f"SELECT t::text FROM {table} t"))]


def _table_files(database: Database) -> list[bytes]:
    with database.transaction() as session:
        session.execute(text("CHECKPOINT"))
        folder = Path(session.scalars(text("SELECT current_setting('data_directory')")).one())
        names = [session.scalars(text(f"SELECT pg_relation_filepath('{t}')")).one() for t in Records.metadata.tables]
        return [(folder / name).read_bytes() for name in names]
