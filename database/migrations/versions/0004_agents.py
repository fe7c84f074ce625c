"""Agents: reasons to pause, supervisors, phones that answer by themselves, the whisper, and PINs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("routing_groups", sa.Column("whisper", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("routing_agents", sa.Column("supervisor", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("routing_seats", sa.Column("auto_answer", sa.Boolean(), server_default=sa.false(), nullable=False))
    reasons = op.create_table(
        "routing_pause_reasons",
        sa.Column("key", sa.String(length=1), nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_routing_pause_reasons")),
    )
    op.bulk_insert(reasons, [{"key": "1", "name": "小休"}])
    op.create_table(
        "agent_pins",
        sa.Column("agent_id", sa.String(length=8), nullable=False),
        sa.Column("hash", sa.String(length=200), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint("agent_id", name=op.f("pk_agent_pins")),
    )


def downgrade() -> None:
    op.drop_table("agent_pins")
    op.drop_table("routing_pause_reasons")
    op.drop_column("routing_seats", "auto_answer")
    op.drop_column("routing_agents", "supervisor")
    op.drop_column("routing_groups", "whisper")
