"""Reports over HTTP: for who may read them, told in names, refused in words."""

from __future__ import annotations

from io import BytesIO
from urllib.parse import quote

import pytest
from openpyxl import load_workbook

from ledger.store import add_facts
from telephony.model import GroupId
from tests.support.web_harness import Hall
from tests.unit.ledger.calls import told

pytestmark = pytest.mark.unit


async def filled(hall: Hall) -> None:
    async with hall.people.database.transaction() as session:
        facts = [*told(101), *told(102, number="12315", group="market"), *told(103, number="12315", wait=None)]
        await add_facts(session, facts)


async def test_a_month_by_number_is_told_in_names(hall: Hall) -> None:
    await filled(hall)
    boss = await hall.session("supervisor")
    answer = await hall.ask("GET", "/api/reports?month=2026-10&by=number", token=boss)
    assert answer.status == 200
    told_ = answer.body
    assert [(line["key"], line["name"], line["calls"]) for line in told_["lines"]] == [
        ("12315", hall.house.table.numbers["12315"].name, 2),
        ("12345", "政务服务便民热线", 1),
    ]
    heads = [column["head"] for column in told_["columns"]]
    assert told_["whole"]["values"][heads.index("接通率")] == pytest.approx(2 / 3)
    assert (told_["title"], told_["compared_with"]) == ("2026年10月 话务报表（按号码）", "2026年9月")


async def test_days_as_a_workbook_named_by_what_it_is(hall: Hall) -> None:
    await filled(hall)
    token = await hall.session("auditor")
    answer = await hall.ask("GET", "/api/reports/export?since=2026-10-10&until=2026-10-10&by=group", token=token)
    assert answer.status == 200
    assert quote("话务报表-2026-10-10-按技能组.xlsx") in answer.headers["Content-Disposition"]
    page = load_workbook(BytesIO(answer.raw))["按技能组"]
    assert page["B3"].value == hall.house.table.groups[GroupId("general")].name


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "month"),
        ("month=2026-13", "不是月份"),
        ("month=2026-10&since=2026-10-01", "month"),
        ("since=2026-10-01", "until"),
        ("since=2026-10-02&until=2026-10-01", "请对调"),
        ("since=2020-01-01&until=2026-10-01", "请分段"),
        ("since=9999-12-31&until=9999-12-31", "不是日期"),
        ("since=0001-01-01&until=0001-01-01", "不是日期"),
        ("month=2026-10&by=moon", "half-hour"),
    ],
)
async def test_what_is_no_period_is_refused_in_words(hall: Hall, query: str, words: str) -> None:
    boss = await hall.session("supervisor")
    for path in ("/api/reports", "/api/reports/export"):
        answer = await hall.ask("GET", f"{path}?{query}", token=boss)
        assert (answer.status, words in answer.body["error"]) == (400, True), answer.body


async def test_agents_see_no_reports(hall: Hall) -> None:
    token = await hall.session("agent")
    assert (await hall.ask("GET", "/api/reports?month=2026-10", token=token)).status == 403
