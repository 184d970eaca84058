"""Copies of the database and of the library's manifest, signed; proven by restoring them into scratch."""
