"""The draft as rows of plain data with a revision each, instead of a database table for every kind of row."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

FIRST_EDIT = 1


def upgrade() -> None:
    draft = op.create_table(
        "routing_draft",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name=op.f("pk_routing_draft")),
    )
    op.create_index(op.f("ix_routing_draft_revision"), "routing_draft", ["revision"])
    history = op.create_table(
        "routing_draft_history",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", "revision", name=op.f("pk_routing_draft_history")),
    )
    rows = list(_former_rows())
    if rows:
        op.bulk_insert(draft, rows)
        op.bulk_insert(history, [{name: value for name, value in row.items() if name != "place"} for row in rows])
    for table in (
        "routing_periods", "routing_numbers", "routing_agent_groups", "routing_trunks", "routing_settings",
        "routing_seats", "routing_schedules", "routing_rating_keys", "routing_holidays", "routing_groups",
        "routing_calendar_years", "routing_agents", "routing_pause_reasons",
    ):  # fmt: skip
        op.drop_table(table)


def downgrade() -> None:
    raise NotImplementedError("restore the backup made before the upgrade: the former tables cannot hold the draft")


def _former_rows() -> Any:
    places: dict[str, int] = {}
    now = datetime.now(UTC)
    for kind, key, body in _former():
        place = places[kind] = places.get(kind, -1) + 1
        yield {
            "kind": kind, "key": key, "place": place, "revision": FIRST_EDIT,
            "body": json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")),
            "changed_at": now, "changed_by": "系统",
        }  # fmt: skip


def _former() -> Any:
    heads = _all("routing_settings", "key", key=sa.String, value=sa.String)
    if not heads:
        return  # nobody has put a table here; 0004 put its one reason to pause all the same
    for row in heads:
        yield "settings", row["key"], {"value": row["value"]}
    for row in _all(
        "routing_groups",
        "place",
        id=sa.String,
        name=sa.String,
        ring_seconds=sa.Integer,
        wrap_up_seconds=sa.Integer,
        whisper=sa.Boolean,
    ):
        yield "groups", row.pop("id"), row
    yield from _schedules()
    for row in _all("routing_holidays", "day", day=sa.Date, kind=sa.String, name=sa.String):
        yield "holidays", row.pop("day"), row
    for row in _all("routing_calendar_years", "year", year=sa.Integer):
        yield "known_years", str(row["year"]), {}
    for row in _all(
        "routing_numbers", "place", number=sa.String, name=sa.String, mode=sa.String, group_id=sa.String,
        first_day=sa.Date, last_day=sa.Date, prompt=sa.String, prompt_after=sa.String, schedule_id=sa.String,
        overflow_group_id=sa.String, overflow_seconds=sa.Integer, trunk_id=sa.String, note=sa.String,
    ):  # fmt: skip
        row["group"] = row.pop("group_id")
        row["schedule"] = row.pop("schedule_id") or ""
        row["overflow_group"] = row.pop("overflow_group_id")
        row["trunk"] = row.pop("trunk_id") or ""
        yield "numbers", row.pop("number"), row
    for row in _all(
        "routing_trunks", "place", id=sa.String, role=sa.String, number=sa.String, host=sa.String, port=sa.Integer,
        name=sa.String,
    ):  # fmt: skip
        yield "trunks", row.pop("id"), row
    groups: dict[str, list[str]] = {}
    for row in _all("routing_agent_groups", "place", agent_id=sa.String, group_id=sa.String):
        groups.setdefault(row["agent_id"], []).append(row["group_id"])
    for row in _all("routing_agents", "id", id=sa.String, name=sa.String, supervisor=sa.Boolean):
        agent = row.pop("id")
        yield "agents", agent, {**row, "groups": groups.get(agent, [])}
    seats = _all("routing_seats", "id", id=sa.String, auto_answer=sa.Boolean)
    yield from (("seats", row["id"], {}) for row in seats)
    yield from (("auto_answer", row["id"], {}) for row in seats if row["auto_answer"])
    for row in _all("routing_pause_reasons", "key", key=sa.String, name=sa.String):
        yield "pause_reasons", row["key"], {"value": row["name"]}
    for row in _all("routing_rating_keys", "key", key=sa.String, level=sa.Integer):
        yield "rating_keys", row["key"], {"value": row["level"]}


def _schedules() -> Any:
    periods: dict[tuple[str, bool], list[dict[str, Any]]] = {}
    for row in _all(
        "routing_periods", "place", schedule_id=sa.String, on_holidays=sa.Boolean, days=sa.String, opens=sa.Time,
        closes=sa.Time,
    ):  # fmt: skip
        periods.setdefault((row["schedule_id"], row["on_holidays"]), []).append(
            {"days": [int(day) for day in row["days"]], "start": row["opens"], "end": row["closes"]}
        )
    for row in _all("routing_schedules", "place", id=sa.String, name=sa.String):
        one = row["id"]
        both = {"periods": periods.get((one, False), []), "holiday_periods": periods.get((one, True), [])}
        yield "schedules", one, {"name": row["name"], **both}


def _all(table: str, order: str, **columns: Any) -> list[dict[str, Any]]:
    """The rows with the columns' own types, days and times as ISO text."""
    lightly = sa.table(table, *(sa.column(name, kind()) for name, kind in columns.items()), sa.column("place"))
    found = op.get_bind().execute(
        sa.select(*(lightly.c[name] for name in columns)).order_by(
            lightly.c[order] if order in lightly.c else sa.column(order)
        )
    )
    return [
        {name: value.isoformat() if isinstance(value, (date, time)) else value for name, value in row.items()}
        for row in found.mappings()
    ]
