"""The timeline and its checkpoints"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "timeline",
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("step", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(20)),
        sa.Column("number", sa.String(100)),
        sa.Column("subject", sa.String(100)),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
    )
    op.create_index("ix_timeline_document", "timeline", ["number", "kind"])
    op.create_index("ix_timeline_subject", "timeline", ["subject"])
    op.create_table(
        "timeline_checkpoints",
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("signed", sa.Text, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("timeline_checkpoints")
    op.drop_table("timeline")
