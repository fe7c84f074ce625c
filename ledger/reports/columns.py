"""Every column of a report, once: its head, its value, how it is written, what it means.

The page, the workbook and the command are made of this list. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from ledger.measures import Aims
from ledger.reports.model import LEVELS, By, Figures, Line, Tally, Work

KEYS: Final = {
    By.NUMBER: "被叫号码",
    By.GROUP: "技能组编号",
    By.AGENT: "工号",
    By.HALF_HOUR: "时段",
    By.DAY: "日期",
    By.MONTH: "月份",
}
TITLES: Final = {
    By.NUMBER: "按号码",
    By.GROUP: "按技能组",
    By.AGENT: "按座席",
    By.HALF_HOUR: "按半小时",
    By.DAY: "按日",
    By.MONTH: "按月",
}
RATINGS: Final = {5: "非常满意", 4: "满意", 3: "基本满意", 2: "不满意", 1: "非常不满意"}


class Form(StrEnum):
    """How a value is written."""

    COUNT = "count"
    SHARE = "share"
    """0 to 1, shown in per cent."""
    SECONDS = "seconds"
    HOURS = "hours"


@dataclass(frozen=True, slots=True)
class Column:
    id: str
    head: str
    form: Form
    value: Callable[[Line], float | None]
    means: str
    """A sentence that says how it is counted; empty where the head says it all."""


def columns(by: By, aims: Aims) -> tuple[Column, ...]:
    """The columns of a report, after key and name."""
    return (*_calls(aims), *_ratings(), *(_work() if by is By.AGENT else ()))


def _calls(aims: Aims) -> Iterator[Column]:
    aim, short = f"{aims.answer_seconds:g} 秒", f"{aims.short_seconds:g} 秒"
    yield _count(
        "calls",
        "来电",
        "打进 12345 或归并号码、应由热线接听的电话，按振铃时间计入时段；"
        "直拨 110 等应急号码、试打、演练和热线呼出的电话不计。",
    )
    yield _count("answered", "接通", "有人接听的来电：座席、分中心、值班电话，或系统兜底时的话机。")
    yield _figure(
        "connection_rate",
        "接通率",
        Form.SHARE,
        "接通 ÷ 来电；在提示音里挂断的也算未接通。GB/T 33358-2016 要求任何连续 24 小时不低于 95%；"
        f"本市目标 {aims.percent:g}%。",
    )
    yield _figure(
        "connection_rate_without_short",
        "接通率（不计短放弃）",
        Form.SHARE,
        f"振铃 {short}内自己挂断的不计入来电；只作参考，不代替接通率。",
    )
    yield _figure(
        "in_time_from_ring",
        f"{aim}内（振铃起）",
        Form.SHARE,
        f"振铃后 {aim}内有人接听的来电 ÷ 来电。标准未写明从何时起算，两种都列。",
    )
    yield _figure(
        "in_time_from_prompt",
        f"{aim}内（提示音后）",
        Form.SHARE,
        f"提示音播完后 {aim}内有人接听的来电 ÷ 来电。",
    )
    yield _figure("speed_of_answer", "平均等候（振铃起）", Form.SECONDS, "接通的来电从振铃到有人接听的平均秒数。")
    yield _figure(
        "speed_of_answer_after_prompt",
        "平均等候（提示音后）",
        Form.SECONDS,
        "接通的来电从提示音播完到有人接听的平均秒数。",
    )
    yield _count("abandoned", "放弃", f"没有人接听就结束的来电，振铃 {short}内挂断的除外。")
    yield _count("short_abandoned", "短放弃", f"没有人接听、振铃 {short}内就挂断的来电。")
    yield _count("heard_prompt", "听完提示音", "提示音播完时还在线的来电。")
    yield _count("by_agent", "座席接听")
    yield _count("by_subcentre", "分中心接听")
    yield _count("by_duty_phone", "值班电话接听")
    yield _count("by_fallback", "兜底接听", "热线程序停止时由交换机直接分给话机的来电。")
    yield _count("transferred", "转接", "至少转接过一处（应急中心、水电气、分中心、兄弟城市）的来电。")
    yield _figure("talk_seconds", "平均通话", Form.SECONDS, "座席接听并已结束的来电的平均通话秒数。")


def _ratings() -> Iterator[Column]:
    for level in LEVELS:
        yield _count(f"rated_{level}", RATINGS[level])
    yield Column("rated", "已评价", Form.COUNT, lambda line: line.tally.rated, "市民按键评价了的来电。")
    yield _count("rating_asked", "请评价", "请市民评价了的来电，评没评都算。")
    yield _figure(
        "satisfied",
        "满意率（3 分及以上）",
        Form.SHARE,
        "评价基本满意及以上 ÷ 已评价；请同时看已评价的份数，份数少时不宜比较。",
    )


def _work() -> Iterator[Column]:
    for name, head in (
        ("talk", "通话时长"),
        ("hold", "保持时长"),
        ("wrap_up", "话后整理时长"),
        ("ready", "空闲时长"),
        ("pause", "示忙时长"),
    ):
        yield Column(name, head, Form.HOURS, _hours(f"{name}_seconds"), "")
    yield Column(
        "occupancy",
        "占用率",
        Form.SHARE,
        lambda line: line.work.occupancy if line.work else None,
        "处理来电的时间（振铃、通话、保持、整理）÷（该时间 + 空闲时间）；示忙和离线不计。",
    )
    yield Column(
        "not_answered", "未接振铃", Form.COUNT, lambda line: line.not_answered, "分给该座席而话机没有接的次数。"
    )


def _count(name: str, head: str, means: str = "") -> Column:
    assert name in Tally.__dataclass_fields__
    return Column(name, head, Form.COUNT, lambda line: int(getattr(line.tally, name)), means)


def _figure(name: str, head: str, form: Form, means: str) -> Column:
    assert name in Figures.__dataclass_fields__
    return Column(name, head, form, lambda line: _number(getattr(line.figures, name)), means)


def _hours(name: str) -> Callable[[Line], float | None]:
    assert name in Work.__dataclass_fields__
    return lambda line: None if line.work is None else _number(getattr(line.work, name) / 3600)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
