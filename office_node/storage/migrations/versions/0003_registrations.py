"""Registrations at WIPO, uploads to its store, withdrawn documents"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    # Plainly, not by alembic's copy of a table: SQLite would refuse to drop the original, to which others point.
    for table, column in _new_columns():
        op.add_column(table, column)
    _index_unended("state NOT IN ('refused', 'expired', 'withdrawn')")
    _create_uploads()
    _create_registrations()


def _new_columns() -> tuple[tuple[str, "sa.Column[Any]"], ...]:
    return (
        ("documents", sa.Column("withdrawn_at", _MOMENT)),
        ("documents", sa.Column("big_document_bytes", sa.BigInteger)),
        ("document_versions", sa.Column("inspected_at", _MOMENT)),
        ("forwarded_retrievals", sa.Column("upload_id", sa.String(32))),
        ("outbox_messages", sa.Column("woken", sa.Boolean, nullable=False, server_default=sa.false())),
    )


def _index_unended(condition: str) -> None:
    name, unended = "ix_forwarded_retrievals_unended", sa.text(condition)
    op.drop_index(name, "forwarded_retrievals")
    op.create_index(name, "forwarded_retrievals", ["received_at"], sqlite_where=unended, postgresql_where=unended)


def _create_uploads() -> None:
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("version_id", sa.String(32), sa.ForeignKey("document_versions.id"), nullable=False),
        sa.Column("reference", sa.String(100), nullable=False),
        sa.Column("subject", sa.String(100), nullable=False),
        sa.Column("then_kind", sa.String(40), nullable=False),
        sa.Column("then_effect_key", sa.String(200), nullable=False),
        sa.Column("then_payload", sa.JSON, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("file_id", sa.String(100)),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("began_at", _MOMENT, nullable=False),
        sa.Column("sent_at", _MOMENT),
        sa.Column("ended_at", _MOMENT),
        sa.Column("reason", sa.String(500)),
    )


def _create_registrations() -> None:
    op.create_table(
        "registrations",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("open_key", sa.String(130), unique=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("number", sa.String(100), nullable=False),
        sa.Column("date", sa.Date, nullable=False),
        sa.Column("content_at", sa.String(8), nullable=False),
        sa.Column("version_id", sa.String(32), sa.ForeignKey("document_versions.id"), nullable=False),
        sa.Column("file_reference", sa.String(100)),
        sa.Column("application_category", sa.String(100)),
        sa.Column("application_number", sa.String(100)),
        sa.Column("application_filing_date", sa.Date),
        sa.Column("email", sa.String(200)),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("file_id", sa.String(100)),
        sa.Column("wipo_acknowledgement_id", sa.String(200)),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("registered_at", _MOMENT),
        sa.Column("ended_at", _MOMENT),
        sa.Column("ended_because", sa.String(500)),
    )
    op.create_index("ix_registrations_document", "registrations", ["kind", "number"])
    op.create_index("ix_registrations_created_at", "registrations", ["created_at"])
    op.create_table(
        "registration_operations",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("registration_id", sa.String(32), sa.ForeignKey("registrations.id")),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("number", sa.String(100), nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("verb", sa.String(12), nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("upload_id", sa.String(32)),
        sa.Column("hand_back_to", sa.String(300)),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("first_sent_at", _MOMENT),
        sa.Column("wipo_acknowledgement_id", sa.String(200)),
        sa.Column("result", sa.JSON),
        sa.Column("reason", sa.String(500)),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT),
        sa.UniqueConstraint("kind", "number", "turn"),
    )
    waiting = sa.text("state = 'waiting'")
    op.create_index(
        "ix_registration_operations_waiting",
        "registration_operations",
        ["kind", "number", "turn"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )


def downgrade() -> None:
    # The older program knows neither state, and would serve what was withdrawn: such requests end.
    op.execute(
        "UPDATE forwarded_retrievals SET state = 'refused', open_key = NULL, ended_at = COALESCE(ended_at, received_at)"
        " WHERE state IN ('uploading', 'withdrawn')"
    )
    _index_unended("state NOT IN ('refused', 'expired')")
    for table in ("registration_operations", "registrations", "uploads"):
        op.drop_table(table)
    for table, column in _new_columns():
        op.drop_column(table, str(column.name))
