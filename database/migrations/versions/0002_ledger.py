"""The ledger: facts, one row per call, and how far each journal has been drained."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calls",
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("caller", sa.String(length=64), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("group_id", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.String(length=64), nullable=False),
        sa.Column("seat", sa.String(length=64), nullable=False),
        sa.Column("answered_by", sa.String(length=64), nullable=False),
        sa.Column("mode", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.Column("rating_level", sa.Integer(), nullable=True),
        sa.Column("talk_ms", sa.BigInteger(), nullable=True),
        sa.Column("waited_ms", sa.BigInteger(), nullable=True),
        sa.Column("end_cause", sa.String(length=64), nullable=False),
        sa.Column("ended_by", sa.String(length=64), nullable=False),
        sa.Column("transfers", sa.JSON(), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_calls")),
    )
    op.create_index(op.f("ix_calls_caller"), "calls", ["caller"])
    op.create_index(op.f("ix_calls_entered_at"), "calls", ["entered_at"])
    op.create_index(op.f("ix_calls_number_entered_at"), "calls", ["number", "entered_at"])
    op.create_table(
        "facts",
        sa.Column("id", sa.String(length=96), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facts")),
    )
    op.create_index(op.f("ix_facts_at"), "facts", ["at"])
    op.create_index(op.f("ix_facts_call_id"), "facts", ["call_id"])
    op.create_table(
        "journal_cursors",
        sa.Column("node", sa.String(length=12), nullable=False),
        sa.Column("segment", sa.String(length=64), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("node", name=op.f("pk_journal_cursors")),
    )


def downgrade() -> None:
    op.drop_table("journal_cursors")
    op.drop_index(op.f("ix_facts_call_id"), table_name="facts")
    op.drop_index(op.f("ix_facts_at"), table_name="facts")
    op.drop_table("facts")
    op.drop_index(op.f("ix_calls_number_entered_at"), table_name="calls")
    op.drop_index(op.f("ix_calls_entered_at"), table_name="calls")
    op.drop_index(op.f("ix_calls_caller"), table_name="calls")
    op.drop_table("calls")
