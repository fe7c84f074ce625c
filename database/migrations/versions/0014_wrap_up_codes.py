"""Calls by what they came to (处理结果)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("calls", sa.Column("wrap_up_code", sa.String(length=64), nullable=False, server_default=""))
    with op.batch_alter_table("calls") as calls:
        calls.alter_column("wrap_up_code", existing_type=sa.String(length=64), server_default=None)
    op.create_index(op.f("ix_calls_wrap_up_code_entered_at"), "calls", ["wrap_up_code", "entered_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_calls_wrap_up_code_entered_at"), table_name="calls")
    with op.batch_alter_table("calls") as calls:
        calls.drop_column("wrap_up_code")
