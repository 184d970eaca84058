"""Catalogue, replay store, forwarded retrievals, outbox"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "documents",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("number", sa.String(100), nullable=False),
        sa.Column("date", sa.Date, nullable=False),
        sa.Column("sealed_access_code", sa.String(100), nullable=False),
        sa.Column("current_version", sa.Integer, nullable=False),
        sa.Column("catalogued_at", _MOMENT, nullable=False),
        sa.UniqueConstraint("kind", "number"),
    )
    op.create_table(
        "document_versions",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("document_id", sa.String(32), sa.ForeignKey("documents.id"), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("file_format", sa.String(8), nullable=False),
        sa.Column("stored_at", _MOMENT, nullable=False),
        sa.UniqueConstraint("document_id", "version"),
    )
    op.create_table(
        "used_assertions",
        sa.Column("replay_key", sa.String(64), primary_key=True),
        sa.Column("kept_until", _MOMENT, nullable=False),
    )
    op.create_index("ix_used_assertions_kept_until", "used_assertions", ["kept_until"])
    _create_forwarded_retrievals()
    _create_outbox()


def _create_forwarded_retrievals() -> None:
    op.create_table(
        "forwarded_retrievals",
        sa.Column("acknowledgement_id", sa.String(36), primary_key=True),
        sa.Column("wipo_acknowledgement_id", sa.String(100)),
        sa.Column("client_id", sa.String(200), nullable=False),
        sa.Column("open_key", sa.String(64), unique=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("number", sa.String(100), nullable=False),
        sa.Column("date", sa.Date, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("version_id", sa.String(32)),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.Column("prepared_at", _MOMENT),
        sa.Column("notified_at", _MOMENT),
        sa.Column("downloaded_at", _MOMENT),
        sa.Column("ended_at", _MOMENT),
        sa.Column("ended_because", sa.String(200)),
    )
    op.create_index(
        "ix_forwarded_retrievals_wipo_acknowledgement_id", "forwarded_retrievals", ["wipo_acknowledgement_id"]
    )
    op.create_index("ix_forwarded_retrievals_document", "forwarded_retrievals", ["kind", "number"])
    op.create_index("ix_forwarded_retrievals_caller", "forwarded_retrievals", ["client_id", "received_at"])
    unended = sa.text("state NOT IN ('refused', 'expired')")
    op.create_index(
        "ix_forwarded_retrievals_unended",
        "forwarded_retrievals",
        ["received_at"],
        sqlite_where=unended,
        postgresql_where=unended,
    )


def _create_outbox() -> None:
    op.create_table(
        "outbox_messages",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("effect_key", sa.String(200), nullable=False, unique=True),
        sa.Column("acknowledgement_id", sa.String(100)),
        sa.Column("payload", sa.JSON, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("fencing", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("first_tried_at", _MOMENT),
        sa.Column("settled_at", _MOMENT),
        sa.Column("first_cause", sa.String(500)),
        sa.Column("last_cause", sa.String(500)),
    )
    op.create_index("ix_outbox_messages_acknowledgement_id", "outbox_messages", ["acknowledgement_id"])
    still_open = sa.text("state IN ('due', 'claimed')")
    op.create_index(
        "ix_outbox_open",
        "outbox_messages",
        ["kind", "due_at"],
        sqlite_where=still_open,
        postgresql_where=still_open,
    )


def downgrade() -> None:
    for table in ("outbox_messages", "forwarded_retrievals", "used_assertions", "document_versions", "documents"):
        op.drop_table(table)
