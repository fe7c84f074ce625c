"""A diff is read by an admin before publishing: it names every change, in words, with what it touches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from routing.diff import as_json, diff, summary
from routing.model import Agent, Holiday, LegacyNumber, MergeMode, Schedule, Table
from routing.model import DayKind as Day
from routing.sample_table import sample_table
from telephony.model import GroupId

pytestmark = pytest.mark.unit

SAMPLE = sample_table()
NEW = LegacyNumber("8768123", "热线", MergeMode.FULL, GroupId("general"), None, None, "p", "q")


def mornings(schedule: Schedule) -> Schedule:
    return replace(schedule, periods=schedule.periods[:1])


def number(which: str, **fields: object) -> Callable[[Table], Table]:
    def edit(table: Table) -> Table:
        rows = tuple(replace(row, **fields) if row.number == which else row for row in table.numbers)  # type: ignore[arg-type]
        return replace(table, numbers=rows)

    return edit


def test_the_change_of_a_merge_mode_is_a_sentence() -> None:
    before = number("12315", mode=MergeMode.FULL, schedule="")(SAMPLE)
    after = number("12315", mode=MergeMode.DUAL)(before)
    assert [str(change) for change in diff(before, after)] == ["12315：由整体并入改为双号并行，影响 3 条规则"]


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (number("12333", note="已核"), "12333：备注由示例，待核改为已核"),
        (number("12333", overflow_seconds=45), "12333：溢出秒数由 20 改为 45，影响 3 条规则"),
        (number("12333", last_day=None), "12333：过渡期最后一天由 2027-06-30 改为（空），影响 3 条规则"),
        (number("12315", group=GroupId("general")), "12315：受理组由市场监管改为综合受理，影响 6 条规则"),
        (lambda t: replace(t, numbers=t.numbers[1:]), "删去 12333（名称 人社，归并方式 整体并入"),
        (lambda t: replace(t, area_code="0754"), "区号：由 0663 改为 0754，影响"),
        (lambda t: replace(t, seats=(*t.seats, "8011")), "新增话机 8011"),
        (lambda t: replace(t, seats=t.seats[1:]), "删去话机 8001"),
        (lambda t: replace(t, known_years=(2026,)), "删去已导入年份 2025，影响"),
        (lambda t: replace(t, rating_keys={**t.rating_keys, "5": 1}), "评价按键 5：满意度由 5 改为 1"),
        (
            lambda t: replace(t, holidays=(*t.holidays, Holiday(date(2027, 1, 1), Day.HOLIDAY, "元旦"))),
            "新增节假日 2027-01-01（类别 节假日，名称 元旦），影响",
        ),
        (
            lambda t: replace(t, groups=(replace(t.groups[2], ring_seconds=30), *t.groups[:2], *t.groups[3:])),
            "技能组 市场监管：振铃秒数由 20 改为 30，影响 12 条规则",
        ),
        (
            lambda t: replace(t, schedules=(mornings(t.schedules[0]), *t.schedules[1:])),
            "班表 机关上班时间：平日时段由周一二三四五 08:30–12:00、周一二三四五 14:30–17:30改为",
        ),
        (
            lambda t: replace(t, agents=(*t.agents, Agent("1011", "座席1011", (GroupId("general"),)))),
            "新增座席人员 1011 座席1011（姓名 座席1011，技能组 综合受理，外呼等级 随技能组）",
        ),
        (
            lambda t: replace(t, numbers=(*t.numbers, NEW)),
            "新增 8768123（名称 热线，归并方式 整体并入，受理组 综合受理",
        ),
    ],
)  # fmt: skip
def test_each_change_is_told(edit: Callable[[Table], Table], says: str) -> None:
    (change,) = diff(SAMPLE, edit(SAMPLE))
    assert str(change).startswith(says)
    assert as_json(change)["sentence"] == str(change)


def test_the_same_tables_have_no_changes_and_order_is_none() -> None:
    assert diff(SAMPLE, SAMPLE) == ()
    assert diff(SAMPLE, replace(SAMPLE, numbers=SAMPLE.numbers[::-1])) == ()
    assert (summary(()), summary(diff(SAMPLE, replace(SAMPLE, seats=())))) == ("没有改动", "共 10 处改动")
