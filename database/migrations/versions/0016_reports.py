"""Reports: what they add up stands in the call's row, and facts of one kind are found by time.

The columns are empty in the rows that are there: a report fills in those of its own period, so that no upgrade waits
for all calls of the past.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TIMES = ("prompt_ms", "answer_ms", "answer_after_prompt_ms", "held_on_ms")


def upgrade() -> None:
    op.add_column("calls", sa.Column("counts", sa.Boolean(), nullable=True))
    for name in TIMES:
        op.add_column("calls", sa.Column(name, sa.BigInteger(), nullable=True))
    op.create_index(op.f("ix_facts_kind_at"), "facts", ["kind", "at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_facts_kind_at"), table_name="facts")
    with op.batch_alter_table("calls") as calls:
        for name in ("counts", *TIMES):
            calls.drop_column(name)
