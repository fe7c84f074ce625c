"""Departments' feeds: subscriptions, and the chain of records of each. Reports find calls not measured yet at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    unmeasured = sa.text("counts IS NULL")
    op.create_index(
        "ix_calls_unmeasured", "calls", ["entered_at"], sqlite_where=unmeasured, postgresql_where=unmeasured
    )
    op.create_table(
        "feed_subscriptions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("what", sa.String(length=200), nullable=False),
        sa.Column("numbers", sa.Text(), nullable=False),
        sa.Column("groups", sa.Text(), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("client", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed_subscriptions")),
    )
    op.create_table(
        "feed_records",
        sa.Column("subscription", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("full", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("subscription", "seq", name=op.f("pk_feed_records")),
    )
    op.create_index(op.f("ix_feed_records_subscription_key"), "feed_records", ["subscription", "key"], unique=True)


def downgrade() -> None:
    op.drop_table("feed_records")
    op.drop_table("feed_subscriptions")
    op.drop_index("ix_calls_unmeasured", table_name="calls")
