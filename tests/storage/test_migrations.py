"""Each migration goes up and down on both databases, rows or no rows; the last one gives what the code needs."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory

import office_node
import office_node.worker  # and with it every table
from office_node.storage import schema
from office_node.storage.database import Database, Records
from office_node.storage.rate_counters import RATE_COUNTERS
from office_node.storage.schema import SchemaDoesNotFit


def _scripts() -> list[Script]:
    """Every migration, the first one first."""
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    return [*ScriptDirectory.from_config(config).walk_revisions()][::-1]


NOTHING_ON_SQLITE = ("0002",)
"""There, the counters of calls lie in a file of their own."""
MIGRATIONS = [(script.revision, str(script.down_revision or "base")) for script in _scripts()]


def test_there_is_one_line_of_migrations_and_it_ends_where_the_program_is() -> None:
    assert [before for _, before in MIGRATIONS] == ["base", *[revision for revision, _ in MIGRATIONS[:-1]]]
    assert MIGRATIONS[-1][0] == schema.head()


@pytest.mark.parametrize(("revision", "before"), MIGRATIONS)
def test_a_migration_taken_back_leaves_what_was_before_and_can_be_made_again(
    empty_database: Database, revision: str, before: str
) -> None:
    if before != "base":
        schema.upgrade(empty_database, before)
    tables_before = _described(empty_database)
    schema.upgrade(empty_database, revision)
    assert schema.current(empty_database) == revision
    tables_after = _described(empty_database)
    assert (tables_after == tables_before) is (empty_database.is_sqlite and revision in NOTHING_ON_SQLITE)

    schema.downgrade(empty_database, before)
    assert schema.current(empty_database) == (None if before == "base" else before)
    assert _described(empty_database) == tables_before
    schema.upgrade(empty_database, revision)
    assert _described(empty_database) == tables_after


@pytest.mark.parametrize(("revision", "before"), MIGRATIONS)
def test_rows_are_there_after_a_migration_and_after_it_is_taken_back(
    empty_database: Database, revision: str, before: str
) -> None:
    schema.upgrade(empty_database, before if before != "base" else revision)
    kept = _fill(empty_database)
    schema.upgrade(empty_database, revision)
    assert _present(empty_database, kept) == kept
    if before == "base":
        schema.downgrade(empty_database, "base")  # also with rows that point at each other
        assert _described(empty_database) == {}
    else:
        schema.downgrade(empty_database, before)
        assert _present(empty_database, kept) == kept


def test_all_the_way_up_at_once_and_down_again_leaves_nothing(empty_database: Database) -> None:
    schema.upgrade(empty_database)
    _fill(empty_database)
    with pytest.raises(RuntimeError, match="documents are sealed"):  # their keys would be lost with their columns
        schema.downgrade(empty_database, "base")
    with empty_database.transaction() as session:
        session.execute(sa.text("UPDATE document_versions SET wrapped_key = NULL"))
    schema.downgrade(empty_database, "base")
    assert _described(empty_database) == {}
    assert schema.current(empty_database) is None


def test_the_last_migration_gives_what_the_records_describe(empty_database: Database) -> None:
    # Were a table's module not imported here, nothing would be compared with it.
    code = "".join(file.read_text() for file in Path(office_node.__file__).parent.rglob("*.py"))
    assert sorted(re.findall(r'__tablename__ = "(\w+)"', code)) == sorted(Records.metadata.tables)
    schema.upgrade(empty_database)
    described = sa.MetaData()
    for table in [*Records.metadata.sorted_tables, *([] if empty_database.is_sqlite else [RATE_COUNTERS])]:
        table.to_metadata(described)
    assert set(_described(empty_database)) == set(described.tables)
    with empty_database.reading() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        assert compare_metadata(context, described) == []


def test_every_index_has_the_condition_that_the_records_describe(
    empty_database: Database, new_database: Callable[..., Database]
) -> None:
    """Alembic does not compare the WHERE of an index."""
    schema.upgrade(empty_database)
    migrated = _conditions(empty_database)
    assert [condition for condition in migrated.values() if condition]
    with empty_database.transaction() as session:
        Records.metadata.drop_all(session.connection())
        Records.metadata.create_all(session.connection())
    assert _conditions(new_database()) == migrated


def test_a_migration_that_fails_leaves_nothing_and_says_why(empty_database: Database) -> None:
    with empty_database.transaction() as session:
        session.execute(sa.text("CREATE TABLE outbox_messages (somebody_else integer)"))
    before = _described(empty_database)
    with pytest.raises(SchemaDoesNotFit, match=r"N202 the database holds tables of somebody else: .*outbox_messages"):
        schema.upgrade(empty_database)
    assert _described(empty_database) == before
    assert schema.current(empty_database) is None


def _described(database: Database) -> dict[str, Any]:
    """Tables with their columns and indexes; alembic's own table left out."""
    with database.reading() as session:
        inspector = sa.inspect(session.connection())
        names = [name for name in inspector.get_table_names() if name != "alembic_version"]
        return {
            name: (
                [{**column, "type": str(column["type"])} for column in inspector.get_columns(name)],
                sorted(str(index | _condition(index)) for index in inspector.get_indexes(name)),
                inspector.get_pk_constraint(name),
                inspector.get_foreign_keys(name),
                sorted(inspector.get_unique_constraints(name), key=str),
            )
            for name in names
        }


def _conditions(database: Database) -> dict[str, str]:
    with database.reading() as session:
        inspector = sa.inspect(session.connection())
        indexes = [index for table in Records.metadata.tables for index in inspector.get_indexes(table)]
    return {str(index["name"]): _condition(index)["dialect_options"] for index in indexes}


def _condition(index: Mapping[str, Any]) -> dict[str, str]:
    """SQLite's comes as an object of its own each time."""
    options = index.get("dialect_options", {})
    return {"dialect_options": "".join(str(value) for name, value in options.items() if name.endswith("_where"))}


def _fill(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Two rows in every table there is, with something in every column; returns them as they are kept."""
    with database.transaction() as session:
        tables = sa.MetaData()
        tables.reflect(session.connection())
        filled = [table for table in tables.sorted_tables if table.name != "alembic_version"]
        for table in filled:
            for number in (1, 2):
                session.execute(table.insert().values({c.name: _value(c, number) for c in table.columns}))
    return {table.name: _rows(database, table.name) for table in filled}


def _present(database: Database, kept: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """What the tables say now, of the columns that there were."""
    return {
        table: [{name: row[name] for name in rows[0]} for row in _rows(database, table)] for table, rows in kept.items()
    }


def _value(column: sa.Column[Any], number: int) -> Any:
    moment = datetime(2026, 3, number, 12, 30, tzinfo=UTC)
    match column.type:
        case sa.DateTime() as kind:
            return moment if kind.timezone else moment.replace(tzinfo=None)
        case sa.Date():
            return date(2026, 3, number)
        case sa.Boolean():
            return bool(number % 2)
        case sa.Integer():
            return number
        case sa.JSON():
            return {"number": number}
        case _:
            return f"{number}"


def _rows(database: Database, table: str) -> list[dict[str, Any]]:
    with database.reading() as session:
        return [dict(row._mapping) for row in session.execute(sa.text(f"SELECT * FROM {table} ORDER BY 1"))]
