"""Searching calls: by the end of the caller's number, agent, group, rating and where they were transferred to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ENDS = {
    "postgresql": "UPDATE calls SET caller_end = right(caller, 4)",
    "sqlite": "UPDATE calls SET caller_end = substr(caller, -4)",
}
TARGETS = {
    "postgresql": "INSERT INTO call_transfers (call_id, target, entered_at) "
    "SELECT DISTINCT calls.call_id, one->>'target', calls.entered_at "
    "FROM calls, json_array_elements(calls.transfers) AS one WHERE one->>'target' <> ''",
    "sqlite": "INSERT INTO call_transfers (call_id, target, entered_at) "
    "SELECT DISTINCT calls.call_id, json_extract(one.value, '$.target'), calls.entered_at "
    "FROM calls, json_each(calls.transfers) AS one WHERE json_extract(one.value, '$.target') <> ''",
}
INDEXES = ("caller_end", "agent", "group_id", "rating_level")


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    op.add_column("calls", sa.Column("caller_end", sa.String(length=4), nullable=False, server_default=""))
    op.execute(ENDS[dialect])
    with op.batch_alter_table("calls") as calls:
        calls.alter_column("caller_end", existing_type=sa.String(length=4), server_default=None)
    for column in INDEXES:
        op.create_index(op.f(f"ix_calls_{column}_entered_at"), "calls", [column, "entered_at"])
    op.create_table(
        "call_transfers",
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("target", sa.String(length=64), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("call_id", "target", name=op.f("pk_call_transfers")),
    )
    op.create_index(op.f("ix_call_transfers_target_entered_at"), "call_transfers", ["target", "entered_at"])
    op.execute(TARGETS[dialect])


def downgrade() -> None:
    op.drop_table("call_transfers")
    for column in INDEXES:
        op.drop_index(op.f(f"ix_calls_{column}_entered_at"), table_name="calls")
    with op.batch_alter_table("calls") as calls:
        calls.drop_column("caller_end")
