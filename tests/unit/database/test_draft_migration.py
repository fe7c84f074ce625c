"""A database from before the draft was rows keeps everything that people had typed into it."""

from __future__ import annotations

from datetime import date, time

import pytest
import sqlalchemy as sa
from alembic import command

from database.connection import open_database
from database.schema import _config, upgrade
from routing.model import Agent, DayKind, Group, Holiday, LegacyNumber, MergeMode, Period, Schedule, Table, Trunk
from routing.service import load_draft
from telephony.model import GroupId

pytestmark = pytest.mark.unit

FORMER = (
    "INSERT INTO routing_settings VALUES ('area_code', '0663'), ('greeting', 'hello'), ('default_group', 'general')",
    "INSERT INTO routing_groups VALUES ('night', 0, '夜班', 30, 0, false), ('general', 1, '综合受理', 20, 10, true)",
    "INSERT INTO routing_schedules VALUES ('office', 0, '上班')",
    "INSERT INTO routing_periods VALUES ('office', false, 0, '12', '08:30:00', '12:00:00')",
    "INSERT INTO routing_periods VALUES ('office', true, 0, '7', '20:00:00', '01:00:00')",
    "INSERT INTO routing_holidays VALUES ('2028-02-29', 'holiday', '闰日')",
    "INSERT INTO routing_calendar_years VALUES (2028)",
    "INSERT INTO routing_trunks VALUES ('pstn', 0, 'pstn', '', '127.0.0.1', 5060, '运营商')",
    """INSERT INTO routing_numbers VALUES
    ('12315', 0, '市场', 'dual', 'night', '2028-02-29', NULL, 'p', 'q', 'office', 'general', 15, NULL, '备注')""",
    "INSERT INTO routing_agents VALUES ('1001', '座席1001', true)",
    "INSERT INTO routing_agent_groups VALUES ('1001', 'general', 1), ('1001', 'night', 0)",
    "INSERT INTO routing_seats VALUES ('8001', false), ('8002', true)",
    "INSERT INTO routing_rating_keys VALUES ('5', 5)",
)


async def test_what_people_typed_before_is_the_draft_now(database_url: str) -> None:
    database = open_database(database_url)
    try:
        async with database.engine.begin() as connection:
            await connection.run_sync(lambda each: command.upgrade(_config(each), "0004"))
            for statement in FORMER:
                await connection.execute(sa.text(statement))
        await upgrade(database_url)
        general, night = GroupId("general"), GroupId("night")
        assert (await load_draft(database)).table == Table(
            area_code="0663",
            greeting="hello",
            default_group=general,
            groups=(Group(night, "夜班", 30, 0, whisper=False), Group(general, "综合受理", whisper=True)),
            schedules=(
                Schedule(
                    "office",
                    "上班",
                    (Period(frozenset({1, 2}), time(8, 30), time(12)),),
                    (Period(frozenset({7}), time(20), time(1)),),
                ),
            ),
            holidays=(Holiday(date(2028, 2, 29), DayKind.HOLIDAY, "闰日"),),
            known_years=(2028,),
            numbers=(
                LegacyNumber(
                    *("12315", "市场", MergeMode.DUAL, night, date(2028, 2, 29), None, "p", "q"),
                    *("office", general, 15, "", "备注"),
                ),
            ),
            trunks=(Trunk("pstn", "pstn", "", "127.0.0.1", 5060, "运营商"),),
            agents=(Agent("1001", "座席1001", (night, general), supervisor=True),),
            seats=("8001", "8002"),
            auto_answer=("8002",),
            pause_reasons={"1": "小休"},
            rating_keys={"5": 5},
        )  # fmt: skip
    finally:
        await database.close()
