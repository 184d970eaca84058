"""Marks for claims about one of the two databases; without a mark, a test that asks for a database runs on both."""

import pytest

on_sqlite = pytest.mark.parametrize("new_database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("new_database_url", ["postgresql"], indirect=True)

postgresql_in_make_faults = pytest.mark.parametrize(
    "new_database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)], indirect=True
)
"""For what takes seconds each time: on SQLite always, on PostgreSQL with `make faults`."""
