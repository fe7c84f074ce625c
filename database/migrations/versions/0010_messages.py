"""Messages that callers left, and what was done about them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "messages",
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("caller", sa.String(length=33), nullable=False),
        sa.Column("line", sa.String(length=33), nullable=False),
        sa.Column("group_id", sa.String(length=40), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(length=60), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_messages")),
    )
    op.create_index(op.f("ix_messages_closed_at"), "messages", ["closed_at"])
    op.create_index(op.f("ix_messages_due_at"), "messages", ["due_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_messages_due_at"), table_name="messages")
    op.drop_index(op.f("ix_messages_closed_at"), table_name="messages")
    op.drop_table("messages")
