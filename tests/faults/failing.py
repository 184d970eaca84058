"""Triggers of the database's own that let a statement fail; nothing in the program knows of them."""

from sqlalchemy import text

from office_node.storage.database import Records
from office_node.wiring.node import Node


def fail_at(node: Node, table: str, event: str) -> None:
    """From now on such a statement on the table fails."""
    with node.database.transaction() as session:
        if node.database.is_sqlite:
            body = "BEGIN SELECT RAISE(ABORT, 'a trigger of the test'); END"
            session.execute(text(f"CREATE TRIGGER failing BEFORE {event} ON {table} {body}"))
            return
        session.execute(
            text(
                "CREATE OR REPLACE FUNCTION fail() RETURNS trigger AS"
                " $$ BEGIN RAISE EXCEPTION 'a trigger of the test'; END $$ LANGUAGE plpgsql"
            )
        )
        session.execute(text(f"CREATE TRIGGER failing BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION fail()"))


def mend(node: Node, table: str) -> None:
    on = "" if node.database.is_sqlite else f" ON {table}"
    with node.database.transaction() as session:
        session.execute(text(f"DROP TRIGGER IF EXISTS failing{on}"))


def rows_of(node: Node) -> dict[str, int]:
    with node.database.reading() as session:
        return {
            table.name: int(session.scalar(text(f"SELECT count(*) FROM {table.name}")) or 0)
            for table in Records.metadata.sorted_tables
        }
