"""Agents' calls (外呼), one row each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outbound_calls",
        sa.Column("call_id", sa.String(64), nullable=False),
        sa.Column("agent", sa.String(8), nullable=False),
        sa.Column("number", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("why", sa.String(64), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_outbound_calls")),
    )
    op.create_index(op.f("ix_outbound_calls_asked_at"), "outbound_calls", ["asked_at"])
    op.create_index(op.f("ix_outbound_calls_closed_at"), "outbound_calls", ["closed_at"])


def downgrade() -> None:
    op.drop_table("outbound_calls")
