"""Urgent orders; the outbox holds messages to departments too, whose names are longer than a centre's number."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "orders",
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("department", sa.String(length=40), nullable=False),
        sa.Column("raised_by", sa.String(length=60), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("over_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_orders")),
    )
    for column in ("call_id", "over_at", "raised_at"):
        op.create_index(op.f(f"ix_orders_{column}"), "orders", [column])
    with op.batch_alter_table("outbox") as outbox:
        outbox.alter_column("target", existing_type=sa.String(length=8), type_=sa.String(length=64))


def downgrade() -> None:
    op.execute("DELETE FROM outbox WHERE length(target) > 8")
    with op.batch_alter_table("outbox") as outbox:
        outbox.alter_column("target", existing_type=sa.String(length=64), type_=sa.String(length=8))
    op.drop_table("orders")
