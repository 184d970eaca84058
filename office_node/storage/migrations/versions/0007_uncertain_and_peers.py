"""Messages of uncertain outcome, how the peers fare, which workers live, and files between their name and their row"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("outbox_messages", sa.Column("uncertain_since", _MOMENT))
    op.create_table(
        "peers",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("open_until", _MOMENT),
        sa.Column("skew_seconds", sa.Double),
        sa.Column("skew_at", _MOMENT),
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("started_at", _MOMENT, nullable=False),
        sa.Column("beat_at", _MOMENT, nullable=False),
    )

    op.create_table(
        "keepings",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("since", _MOMENT, nullable=False),
        sa.Column("is_left_behind", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    reach = op.create_table("schema_reach", sa.Column("oldest", sa.String(4), primary_key=True))
    op.bulk_insert(reach, [{"oldest": revision}])


def downgrade() -> None:
    op.drop_table("schema_reach")
    op.drop_table("keepings")
    op.drop_table("workers")
    op.drop_table("peers")
    op.drop_column("outbox_messages", "uncertain_since")
