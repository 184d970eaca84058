"""How a database means to find the rows that a piece of code asks for."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from office_node.storage.database import Database


@contextmanager
def plans_of(database: Database) -> Iterator[list[str]]:
    """The plan of every SELECT that runs in the block, in the order they ran, there when the block has ended."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    plans: list[str] = []
    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield plans
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
    with database.reading() as session:
        connection = session.connection()
        if not database.is_sqlite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # the tables of a test are too small to matter
        for statement, parameters in asked:
            plans.append(str(connection.exec_driver_sql(f"{explain} {statement}", parameters).all()))
