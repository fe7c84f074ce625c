"""Users: when a one-time password ends, room for encrypted second factors, and what waits for a second person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("users") as users:
        users.add_column(sa.Column("one_time_until", sa.DateTime(timezone=True), nullable=True))
        users.alter_column("totp_secret", existing_type=sa.String(length=64), type_=sa.String(length=200))
    users_now = sa.table(
        "users", sa.column("must_change", sa.Boolean()), sa.column("one_time_until", sa.DateTime(timezone=True))
    )
    until = datetime.now(UTC) + timedelta(hours=72)
    op.execute(users_now.update().where(users_now.c.must_change).values(one_time_until=until))
    op.create_table(
        "approvals",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("asker", sa.String(length=60), nullable=False),
        sa.Column("asked_by", sa.String(length=60), nullable=False),
        sa.Column("reason", sa.String(length=100), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("decided_by", sa.String(length=60), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approvals")),
    )
    op.create_index(op.f("ix_approvals_state"), "approvals", ["state"])


def downgrade() -> None:
    op.drop_index(op.f("ix_approvals_state"), table_name="approvals")
    op.drop_table("approvals")
    with op.batch_alter_table("users") as users:
        users.alter_column("totp_secret", existing_type=sa.String(length=200), type_=sa.String(length=64))
        users.drop_column("one_time_until")
