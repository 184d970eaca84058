"""Counters of calls, on PostgreSQL; on SQLite they lie in a file of their own"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.create_table(
            "rate_counters",
            sa.Column("key", sa.Text, primary_key=True),
            sa.Column("hits", sa.BigInteger, nullable=False),
            sa.Column("ends_at", sa.Double, nullable=False),
            prefixes=["UNLOGGED"],  # a crash empties it, and nothing is lost
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_table("rate_counters")
