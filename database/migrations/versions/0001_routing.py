"""The routing table: editable rows, and published versions that nothing may change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "routing_agents",
        sa.Column("id", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_routing_agents")),
    )
    op.create_table(
        "routing_calendar_years",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_routing_calendar_years")),
    )
    op.create_table(
        "routing_groups",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("ring_seconds", sa.Integer(), nullable=False),
        sa.Column("wrap_up_seconds", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_routing_groups")),
    )
    op.create_table(
        "routing_holidays",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_routing_holidays")),
    )
    op.create_table(
        "routing_rating_keys",
        sa.Column("key", sa.String(length=1), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.CheckConstraint("level BETWEEN 1 AND 5", name=op.f("ck_routing_rating_keys_level")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_routing_rating_keys")),
    )
    op.create_table(
        "routing_schedules",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_routing_schedules")),
    )
    op.create_table(
        "routing_seats",
        sa.Column("id", sa.String(length=8), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_routing_seats")),
    )
    op.create_table(
        "routing_settings",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_routing_settings")),
    )
    op.create_table(
        "routing_trunks",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("number", sa.String(length=33), nullable=False),
        sa.Column("host", sa.String(length=254), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_routing_trunks")),
    )
    op.create_table(
        "routing_versions",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("author", sa.String(length=60), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("snapshot", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_routing_versions")),
    )
    op.create_table(
        "routing_agent_groups",
        sa.Column("agent_id", sa.String(length=8), nullable=False),
        sa.Column("group_id", sa.String(length=40), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agent_id"],
            ["routing_agents.id"],
            name=op.f("fk_routing_agent_groups_agent_id_routing_agents"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["routing_groups.id"], name=op.f("fk_routing_agent_groups_group_id_routing_groups")
        ),
        sa.PrimaryKeyConstraint("agent_id", "group_id", name=op.f("pk_routing_agent_groups")),
    )
    op.create_table(
        "routing_numbers",
        sa.Column("number", sa.String(length=33), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("mode", sa.String(length=20), nullable=False),
        sa.Column("group_id", sa.String(length=40), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("prompt", sa.String(length=60), nullable=False),
        sa.Column("prompt_after", sa.String(length=60), nullable=False),
        sa.Column("schedule_id", sa.String(length=40), nullable=True),
        sa.Column("overflow_group_id", sa.String(length=40), nullable=True),
        sa.Column("overflow_seconds", sa.Integer(), nullable=False),
        sa.Column("trunk_id", sa.String(length=40), nullable=True),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["routing_groups.id"], name=op.f("fk_routing_numbers_group_id_routing_groups")
        ),
        sa.ForeignKeyConstraint(
            ["overflow_group_id"],
            ["routing_groups.id"],
            name=op.f("fk_routing_numbers_overflow_group_id_routing_groups"),
        ),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["routing_schedules.id"], name=op.f("fk_routing_numbers_schedule_id_routing_schedules")
        ),
        sa.ForeignKeyConstraint(
            ["trunk_id"], ["routing_trunks.id"], name=op.f("fk_routing_numbers_trunk_id_routing_trunks")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_routing_numbers")),
    )
    op.create_table(
        "routing_periods",
        sa.Column("schedule_id", sa.String(length=40), nullable=False),
        sa.Column("on_holidays", sa.Boolean(), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("days", sa.String(length=7), nullable=False),
        sa.Column("opens", sa.Time(), nullable=False),
        sa.Column("closes", sa.Time(), nullable=False),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["routing_schedules.id"],
            name=op.f("fk_routing_periods_schedule_id_routing_schedules"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("schedule_id", "on_holidays", "place", name=op.f("pk_routing_periods")),
    )
    _protect_versions()


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER routing_versions_fixed ON routing_versions")
        op.execute("DROP FUNCTION routing_versions_fixed()")
    for table in (
        "routing_periods",
        "routing_numbers",
        "routing_agent_groups",
        "routing_versions",
        "routing_trunks",
        "routing_settings",
        "routing_seats",
        "routing_schedules",
        "routing_rating_keys",
        "routing_holidays",
        "routing_groups",
        "routing_calendar_years",
        "routing_agents",
    ):
        op.drop_table(table)


def _protect_versions() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION routing_versions_fixed() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'a published version is never changed'; END $$"
        )
        op.execute(
            "CREATE TRIGGER routing_versions_fixed BEFORE UPDATE OR DELETE ON routing_versions "
            "FOR EACH ROW EXECUTE FUNCTION routing_versions_fixed()"
        )
        return
    for action in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER routing_versions_no_{action.lower()} BEFORE {action} ON routing_versions "
            "BEGIN SELECT RAISE(ABORT, 'a published version is never changed'); END"
        )
