"""This office's own requests as office of second filing, and what comes for them"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("documents", sa.Column("is_collected", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "requests",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("open_key", sa.String(64), unique=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("number", sa.String(100), nullable=False),
        sa.Column("date", sa.Date, nullable=False),
        sa.Column("classification", sa.String(20), nullable=False),
        sa.Column("application_category", sa.String(100)),
        sa.Column("application_number", sa.String(100)),
        sa.Column("application_filing_date", sa.Date),
        sa.Column("sealed_access_code", sa.String(200)),
        sa.Column("acknowledgement_id", sa.String(100)),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("first_sent_at", _MOMENT),
        sa.Column("acknowledged_at", _MOMENT),
        sa.Column("available_at", _MOMENT),
        sa.Column("keep_until", _MOMENT),
        sa.Column("handed_over_as", sa.String(200)),
        sa.Column("version_id", sa.String(32)),
        sa.Column("ended_at", _MOMENT),
        sa.Column("ended_because", sa.String(500)),
        sa.Column("error_code", sa.Integer),
    )
    op.create_index("ix_requests_document", "requests", ["kind", "number"])
    op.create_index("ix_requests_keep_until", "requests", ["keep_until"])
    op.create_index("ix_requests_acknowledgement_id", "requests", ["acknowledgement_id"])
    unended = sa.text("state NOT IN ('collected', 'refused', 'expired')")
    op.create_index("ix_requests_unended", "requests", ["created_at"], sqlite_where=unended, postgresql_where=unended)
    op.create_table(
        "coming_files",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("request_id", sa.String(32), sa.ForeignKey("requests.id"), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("wrapped_key", sa.String(1000), nullable=False),
        sa.Column("storage_kid", sa.String(43), nullable=False),
        sa.Column("etag", sa.String(202)),
        sa.Column("size", sa.BigInteger),
        sa.Column("stated_sha256", sa.String(64)),
        sa.Column("is_whole", sa.Boolean, nullable=False),
    )
    op.create_index("ix_coming_files_request_id", "coming_files", ["request_id"])


def downgrade() -> None:
    op.drop_table("coming_files")
    op.drop_table("requests")
    # The older program would serve another office's document as its own.
    op.execute("UPDATE documents SET withdrawn_at = catalogued_at WHERE is_collected AND withdrawn_at IS NULL")
    op.drop_column("documents", "is_collected")
