"""Documents sealed under keys of their own, their class, and when each was last read against its digest"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_MOMENT = sa.DateTime(timezone=True)
_INDEXED = ("storage_kid", "checked_at")


def upgrade() -> None:
    for table, column in _new_columns():
        op.add_column(table, column)
    for name in _INDEXED:
        op.create_index(f"ix_document_versions_{name}", "document_versions", [name])


def _new_columns() -> "tuple[tuple[str, sa.Column[Any]], ...]":
    return (
        ("documents", sa.Column("classification", sa.String(20), nullable=False, server_default="confidential")),
        ("document_versions", sa.Column("wrapped_key", sa.String(1000))),
        ("document_versions", sa.Column("storage_kid", sa.String(43))),
        ("document_versions", sa.Column("checked_at", _MOMENT)),
        ("document_versions", sa.Column("quarantined_at", _MOMENT)),
        ("document_versions", sa.Column("damage", sa.String(200))),
    )


def downgrade() -> None:
    # The older program would take a sealed file for a damaged one.
    sealed = op.get_bind().execute(sa.text("SELECT COUNT(*) FROM document_versions WHERE wrapped_key IS NOT NULL"))
    if sealed.scalar_one():
        raise RuntimeError("documents are sealed: the older program could not read them")
    for name in _INDEXED:
        op.drop_index(f"ix_document_versions_{name}", "document_versions")
    for table, column in _new_columns():
        op.drop_column(table, str(column.name))
