"""Rows: the database, its transactions, its column types and its migrations."""
