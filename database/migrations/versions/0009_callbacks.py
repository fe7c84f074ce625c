"""Callbacks that were promised, and what became of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "callbacks",
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=33), nullable=False),
        sa.Column("line", sa.String(length=33), nullable=False),
        sa.Column("group_id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("why", sa.String(length=64), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("agent", sa.String(length=8), nullable=False),
        sa.Column("promised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_callbacks")),
    )
    op.create_index(op.f("ix_callbacks_closed_at"), "callbacks", ["closed_at"])
    op.create_index(op.f("ix_callbacks_promised_at"), "callbacks", ["promised_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_callbacks_promised_at"), table_name="callbacks")
    op.drop_index(op.f("ix_callbacks_closed_at"), table_name="callbacks")
    op.drop_table("callbacks")
