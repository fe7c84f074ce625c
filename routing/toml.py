"""A routing table as TOML text, which people write, review and keep.

One job: text in, rows out, with every fault of the file at once. What the rows mean to each other is the lint's.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any, Final, TypeVar

from routing.calendar import CITY
from routing.faults import Fault, TableInvalid
from routing.holidays import HolidayYearMissing, holiday_rows
from routing.lint import lint
from routing.model import (
    Agent,
    AgentCallOut,
    Announcement,
    CallbackFirst,
    CallbackPolicy,
    CallerList,
    CallOutPolicy,
    DayKind,
    Department,
    Group,
    Holiday,
    LegacyNumber,
    ListedCaller,
    MergeMode,
    MessagePolicy,
    NeverCalled,
    OrderType,
    Overflow,
    Partner,
    Period,
    Schedule,
    SelfService,
    Skill,
    Table,
    Trunk,
    WaitingAction,
    WaitingNews,
    WrapUpCode,
)
from telephony.model import CallOutClass, GroupId, OverflowTo, OverflowWhen

B = TypeVar("B")
E = TypeVar("E", bound=StrEnum)

KEY_IS_LEVEL: Final[Mapping[str, int]] = {str(level): level for level in range(1, 6)}
"""The order of rating keys by phone is open, so it is data; by default the key is the level."""

HEAD_STARTS: Final[Mapping[str, int]] = {"repeat": 60, "listed": 120, "dropped": 180, "centre": 300}
"""By how many seconds older these callers count; ours to choose, no standard says."""

OVERFLOW_EXAMPLE: Final = '[{ when = "waited", value = 60, to = "everyone" }]'

PAUSE_REASONS: Final[Mapping[str, str]] = {"1": "小休"}
"""A table that names no reasons of its own still has one to pause for."""

_NEEDED: Final = "缺少这一项"
_MISSING: Final = object()


def read_table(text: str) -> Table:
    """The table that the TOML text describes. Raises TableInvalid with every fault found."""
    try:
        data = tomllib.loads(text)
    except RecursionError:
        raise TableInvalid([Fault("文件", "", "括号嵌套太深", 'area_code = "0663"')]) from None
    except tomllib.TOMLDecodeError as error:
        raise TableInvalid([Fault("文件", "", f"不是正确的 TOML（{error}）", 'area_code = "0663"')]) from None
    faults: list[Fault] = []
    table = _table(_Row("", data, faults))
    # A row that lost a value to a fault stands here with a blank; its own fault says enough.
    spoiled = {fault.path for fault in faults}
    faults += [fault for fault in lint(table) if not _told(fault.path, spoiled)]
    if faults:
        raise TableInvalid(faults)
    return table


def _told(path: str, spoiled: set[str]) -> bool:
    return any(path == told or path.startswith((f"{told}.", f"{told}[")) for told in spoiled)


@dataclass(slots=True)
class _Row:
    """One TOML table, read key by key; what nobody asked for is a fault too."""

    path: str
    data: Mapping[str, Any]
    faults: list[Fault]
    asked: list[str] = field(default_factory=list)

    def text(self, key: str, example: str, default: str | None = None) -> str:
        value = self._take(key, example, default)
        if isinstance(value, str):
            return value
        return self._wrong(key, value, "应为带引号的文字", example, "")

    def whole(self, key: str, default: int | None = None, example: str = "20") -> int:
        value = self._take(key, example, default)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        return self._wrong(key, value, "应为整数", example, 0)

    def day(self, key: str, *, needed: bool = False) -> date | None:
        value = self._take(key, "2026-07-01", None if needed else ...)
        if value is ... or (isinstance(value, date) and not isinstance(value, datetime)):
            return None if value is ... else value
        return self._wrong(key, value, "应为日期，不带引号", "2026-07-01", None)

    def days(self, key: str) -> tuple[date, ...]:
        value = self._take(key, "[2027-02-17]", ())
        if isinstance(value, (list, tuple)) and all(
            isinstance(part, date) and not isinstance(part, datetime) for part in value
        ):
            return tuple(value)
        return self._wrong(key, value, "应为日期的列表，不带引号", "[2027-02-17]", ())

    def moment(self, key: str) -> datetime | None:
        """A date and time; without a zone it is the city's."""
        value = self._take(key, "2026-12-01T18:00:00+08:00", ...)
        if value is ...:
            return None
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=CITY)
        return self._wrong(key, value, "应为日期和时刻，不带引号", "2026-12-01T18:00:00+08:00", None)

    def clock(self, key: str) -> time:
        value = self._take(key, '"08:30"', None)
        if isinstance(value, time):
            return value
        try:
            return time(0) if value == "24:00" else time.fromisoformat(value)
        except (TypeError, ValueError):
            return self._wrong(key, value, "应为时刻", '"08:30"', time(0))

    def choice(self, key: str, kind: type[E], default: E | None = None) -> E:
        """One of the words of ``kind``; to be written out unless there is a default."""
        first = next(iter(kind))
        value = self._take(key, f'"{first}"', default)
        try:
            return kind(value)
        except ValueError:
            names = "、".join(kind)
            return self._wrong(key, value, f"应为 {names} 之一", f'"{first}"', first)

    def yes(self, key: str, *, default: bool) -> bool:
        value = self._take(key, "true", default)
        if isinstance(value, bool):
            return value
        return self._wrong(key, value, "应为 true 或 false", "true", default)

    def words(self, key: str, example: str, default: Mapping[str, str]) -> dict[str, str]:
        value = self._take(key, example, default)
        if isinstance(value, Mapping) and all(isinstance(word, str) for word in value.values()):
            return dict(value)
        blank: dict[str, str] = {}
        return self._wrong(key, value, "应为按键到文字的表", example, blank)

    def texts(self, key: str, example: str) -> tuple[str, ...]:
        value = self._take(key, example, ())
        if isinstance(value, (list, tuple)) and all(isinstance(part, str) for part in value):
            return tuple(value)
        return self._wrong(key, value, "应为带引号的文字的列表", example, ())

    def wholes(self, key: str, example: str, default: Sequence[int] | None = None) -> tuple[int, ...]:
        value = self._take(key, example, default)
        if isinstance(value, (list, tuple)) and all(type(part) is int for part in value):
            return tuple(value)
        return self._wrong(key, value, "应为整数的列表", example, ())

    def rows(self, key: str) -> list[tuple[str, _Row]]:
        """The named sub-tables ``[key.NAME]``, each with its name."""
        value = self._take(key, f"[{key}.…]", {})
        if not isinstance(value, dict):
            return self._wrong(key, value, f"应为 [{key}.编号] 形式的表", f"[{key}.…]", [])
        found = []
        for name, data in value.items():
            path = f"{self._at(key)}.{name}"
            if isinstance(data, dict):
                found.append((name, _Row(path, data, self.faults)))
            else:
                self.faults.append(Fault(path, repr(data), f"应为 [{key}.编号] 形式的表", f"[{key}.{name}]"))
        return found

    def levels(self, key: str, example: str, default: Mapping[str, int], wanted: str) -> dict[str, int]:
        value = self._take(key, example, default)
        if isinstance(value, Mapping) and all(type(level) is int for level in value.values()):
            return dict(value)
        blank: dict[str, int] = {}
        return self._wrong(key, value, f"应为{wanted}的表", example, blank)

    def choices(self, key: str, kind: type[E]) -> dict[str, E]:
        """A table of names to one of the words of ``kind``."""
        value = self._take(key, f"[{key}]", {})
        names = set(kind)
        if isinstance(value, Mapping) and all(word in names for word in value.values()):
            return {name: kind(word) for name, word in value.items()}
        blank: dict[str, E] = {}
        return self._wrong(
            key, value, f"应为按键到 {'、'.join(kind)} 之一的表", f'{{ 1 = "{next(iter(kind))}" }}', blank
        )

    def row(self, key: str) -> _Row:
        """The one sub-table ``[key]``; an empty one when it is not there."""
        value = self._take(key, f"[{key}]", {})
        if not isinstance(value, dict):
            value = self._wrong(key, value, f"应为 [{key}] 形式的表", f"[{key}]", {})
        return _Row(self._at(key), value, self.faults)

    def items(self, key: str, example: str) -> list[_Row]:
        """The list of tables under ``key``."""
        value = self._take(key, example, ())
        if not isinstance(value, (list, tuple)) or not all(isinstance(part, dict) for part in value):
            return self._wrong(key, value, "应为表的列表", example, [])
        return [_Row(f"{self._at(key)}[{index}]", part, self.faults) for index, part in enumerate(value)]

    def end(self) -> None:
        """Every key has been asked for; the others are misspelt."""
        for key in self.data:
            if key not in self.asked:
                self.faults.append(Fault(self._at(key), "", f"没有这一项；可用的有 {'、'.join(self.asked)}"))

    def _take(self, key: str, example: str, default: Any) -> Any:
        self.asked.append(key)
        if key in self.data:
            return self.data[key]
        if default is None:
            self.faults.append(Fault(self._at(key), "", _NEEDED, f"{key} = {example}"))
            return _MISSING
        return default

    def _wrong(self, key: str, value: Any, reason: str, example: str, blank: B) -> B:
        if value is not _MISSING:
            self.faults.append(Fault(self._at(key), repr(value), reason, f"{key} = {example}"))
        return blank

    def _at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key


def _table(top: _Row) -> Table:
    years = top.wholes("calendar_years", "[2025, 2026]", ())
    table = Table(
        area_code=top.text("area_code", '"0663"'),
        greeting=top.text("greeting", '"greeting-12345"', "greeting-12345"),
        default_group=GroupId(top.text("default_group", '"general"')),
        groups=tuple(_group(name, row) for name, row in top.rows("groups")),
        schedules=tuple(_schedule(name, row) for name, row in top.rows("schedules")),
        holidays=_holidays(top, years),
        known_years=tuple(sorted(set(years))),
        numbers=tuple(_number(name, row) for name, row in top.rows("numbers")),
        trunks=tuple(_trunk(name, row) for name, row in top.rows("trunks")),
        agents=tuple(_agent(name, row) for name, row in top.rows("agents")),
        seats=top.texts("seats", '["8001", "8002"]'),
        rating_keys=top.levels("rating_keys", "{ 5 = 5, 4 = 4 }", KEY_IS_LEVEL, "按键到 1–5 级"),
        pause_reasons=top.words("pause_reasons", '{ 1 = "小休" }', PAUSE_REASONS),
        auto_answer=top.texts("auto_answer", '["8001"]'),
        waiting_keys=top.choices("waiting_keys", WaitingAction),
        waiting_news=_waiting_news(top.row("waiting_news")),
        skills=tuple(_skill(name, row) for name, row in top.rows("skills")),
        head_start_seconds=top.levels("head_start_seconds", "{ repeat = 60 }", HEAD_STARTS, "来电类别到秒数"),
        repeat_minutes=top.whole("repeat_minutes", 30, "30"),
        callback=_callback(top.row("callback")),
        call_out=_call_out(top.row("call_out")),
        never_called=tuple(_never_called(name, row) for name, row in top.rows("never_called")),
        message=_message(top.row("message")),
        partners=tuple(_partner(name, row) for name, row in top.rows("partners")),
        callers=tuple(_caller(name, row) for name, row in top.rows("callers")),
        nuisance_seconds=top.whole("nuisance_seconds", 600, "600"),
        announcements=tuple(_announcement(name, row) for name, row in top.rows("announcements")),
        self_service=tuple(_self_service(name, row) for name, row in top.rows("self_service")),
        departments=tuple(_department(name, row) for name, row in top.rows("departments")),
        order_types=tuple(_order_type(name, row) for name, row in top.rows("order_types")),
        wrap_up_codes=tuple(_wrap_up_code(name, row) for name, row in top.rows("wrap_up_codes")),
        wrap_up_code_required=top.yes("wrap_up_code_required", default=False),
    )
    top.end()
    return table


def _waiting_news(row: _Row) -> WaitingNews:
    news = WaitingNews(row.whole("first_seconds", 30), row.whole("every_seconds", 60))
    row.end()
    return news


def _message(row: _Row) -> MessagePolicy:
    policy = MessagePolicy(
        hours=row.whole("hours", 24, "24"),
        longest_seconds=row.whole("longest_seconds", 180, "180"),
        silence_seconds=row.whole("silence_seconds", 8, "8"),
    )
    row.end()
    return policy


def _callback(row: _Row) -> CallbackPolicy:
    policy = CallbackPolicy(
        trunk=row.text("trunk", '"pstn"', "pstn"),
        schedule=row.text("schedule", '"daily"', ""),
        attempts=row.whole("attempts", 3, "3"),
        retry_minutes=row.whole("retry_minutes", 15, "15"),
        ring_seconds=row.whole("ring_seconds", 25),
        per_day=row.whole("per_day", 3, "3"),
    )
    row.end()
    return policy


def _call_out(row: _Row) -> CallOutPolicy:
    policy = CallOutPolicy(
        prefix=row.text("prefix", '"9"', "9"),
        schedule=row.text("schedule", '"daily"', ""),
        ring_seconds=row.whole("ring_seconds", 40, "40"),
        agent_per_hour=row.whole("agent_per_hour", 30, "30"),
        number_per_day=row.whole("number_per_day", 5, "5"),
        hotline_per_hour=row.whole("hotline_per_hour", 600, "600"),
        lost_seconds=row.whole("lost_seconds", 10, "10"),
        lost_callback_minutes=row.whole("lost_callback_minutes", 0, "0"),
    )
    row.end()
    return policy


def _never_called(name: str, row: _Row) -> NeverCalled:
    called = NeverCalled(
        number=name,
        reason=row.text("reason", '"本人要求不再回访"'),
        until=row.moment("until"),
        note=row.text("note", '"示例，待核"', ""),
    )
    row.end()
    return called


def _group(name: str, row: _Row) -> Group:
    group = Group(
        GroupId(name),
        row.text("name", '"社会保障"'),
        row.whole("ring_seconds", 20),
        row.whole("wrap_up_seconds", 10),
        whisper=row.yes("whisper", default=True),
        skills=row.texts("skills", '["labour-law"]'),
        level_seconds=row.whole("level_seconds", 0),
        language_seconds=row.whole("language_seconds", 60),
        preferred_seconds=row.whole("preferred_seconds", 20),
        short_talk_seconds=row.whole("short_talk_seconds", 0),
        overflow=tuple(_overflow(item) for item in row.items("overflow", OVERFLOW_EXAMPLE)),
        trunk=row.text("trunk", '"subcentre-12366"', ""),
        capacity=row.whole("capacity", 0),
        schedule=row.text("schedule", '"office"', ""),
        callback_first=row.choice("callback_first", CallbackFirst, CallbackFirst.CITIZEN),
        call_out=row.choice("call_out", CallOutClass, CallOutClass.NONE),
        closed_days=row.days("closed_days"),
    )
    row.end()
    return group


def _overflow(row: _Row) -> Overflow:
    overflow = Overflow(
        row.choice("when", OverflowWhen),
        row.whole("value", 0),
        row.choice("to", OverflowTo),
        row.text("target", '"general"', ""),
    )
    row.end()
    return overflow


def _skill(name: str, row: _Row) -> Skill:
    skill = Skill(name, row.text("name", '"潮汕话"'), row.yes("language", default=False))
    row.end()
    return skill


def _schedule(name: str, row: _Row) -> Schedule:
    schedule = Schedule(
        name, row.text("name", '"机关上班时间"'), _periods(row, "periods"), _periods(row, "holiday_periods")
    )
    row.end()
    return schedule


def _periods(row: _Row, key: str) -> tuple[Period, ...]:
    periods = []
    for item in row.items(key, '[{ days = [1, 2, 3, 4, 5], start = "08:30", end = "12:00" }]'):
        days = frozenset(item.wholes("days", "[1, 2, 3, 4, 5]"))
        periods.append(Period(days, item.clock("start"), item.clock("end")))
        item.end()
    return tuple(periods)


def _holidays(top: _Row, years: tuple[int, ...]) -> tuple[Holiday, ...]:
    """The imported years, with the file's own days over them. A year the library lacks may stand in the file alone.

    ``holidays_complete`` says that the file's own days are all there are, as in a file that was exported.
    """
    written: dict[date, Holiday] = {}
    for item in top.items("holidays", '[{ day = 2027-01-01, kind = "holiday", name = "元旦" }]'):
        day = item.day("day", needed=True)
        kind = item.choice("kind", DayKind)
        name = item.text("name", '"元旦"', "")
        item.end()
        if day is not None:
            written[day] = Holiday(day, kind, name)
    imported: dict[date, Holiday] = {}
    for year in () if top.yes("holidays_complete", default=False) else years:
        try:
            imported |= {holiday.day: holiday for holiday in holiday_rows(year)}
        except HolidayYearMissing as error:
            if year not in {day.year for day in written}:
                top.faults.append(Fault("calendar_years", str(year), str(error), "calendar_years = [2026]"))
    days = imported | written
    return tuple(days[day] for day in sorted(days))


def _number(name: str, row: _Row) -> LegacyNumber:
    overflow = row.text("overflow_group", '"general"', "")
    number = LegacyNumber(
        number=name,
        name=row.text("name", '"人社"'),
        mode=row.choice("mode", MergeMode),
        group=GroupId(row.text("group", '"general"')),
        first_day=row.day("first_day"),
        last_day=row.day("last_day"),
        prompt=row.text("prompt", f'"legacy-{name}-during"', f"legacy-{name}-during"),
        prompt_after=row.text("prompt_after", f'"legacy-{name}-after"', f"legacy-{name}-after"),
        schedule=row.text("schedule", '"office"', ""),
        overflow_group=GroupId(overflow) if overflow else None,
        overflow_seconds=row.whole("overflow_seconds", 20),
        trunk=row.text("trunk", '"subcentre-12366"', ""),
        language=row.text("language", '"teochew"', ""),
        note=row.text("note", '"示例，待核"', ""),
    )
    row.end()
    return number


def _announcement(name: str, row: _Row) -> Announcement:
    announcement = Announcement(
        id=name,
        text=row.text("text", '"受台风影响，部分线路繁忙。"'),
        since=row.moment("since"),
        until=row.moment("until"),
        groups=tuple(GroupId(group) for group in row.texts("groups", '["general"]')),
        numbers=row.texts("numbers", '["12345", "12333"]'),
        note=row.text("note", '"示例，待核"', ""),
    )
    row.end()
    return announcement


def _self_service(name: str, row: _Row) -> SelfService:
    node = SelfService(
        key=name,
        name=row.text("name", '"社保卡办理"'),
        text=row.text("text", '"办理社保卡，请带本人身份证。"'),
        note=row.text("note", '"示例，待核"', ""),
    )
    row.end()
    return node


def _department(name: str, row: _Row) -> Department:
    department = Department(
        id=name,
        name=row.text("name", '"供水公司"'),
        phones=row.texts("phones", '["06630000001"]'),
        url=row.text("url", '"https://10.0.0.20/orders"', ""),
        rounds=row.whole("rounds", 2, "2"),
        note=row.text("note", '"示例，待核"', ""),
    )
    row.end()
    return department


def _order_type(name: str, row: _Row) -> OrderType:
    order_type = OrderType(
        id=name,
        name=row.text("name", '"供水中断"'),
        departments=row.texts("departments", '["water-supply"]'),
        acknowledge_seconds=row.whole("acknowledge_seconds", 300, "300"),
        finish_minutes=row.whole("finish_minutes", 1440, "1440"),
        note=row.text("note", '"示例，待核"', ""),
    )
    row.end()
    return order_type


def _wrap_up_code(name: str, row: _Row) -> WrapUpCode:
    code = WrapUpCode(
        id=name,
        key=row.text("key", '"1"'),
        name=row.text("name", '"当场答复"'),
        groups=tuple(GroupId(group) for group in row.texts("groups", '["market"]')),
        note=row.text("note", '"示例，待核"', ""),
    )
    row.end()
    return code


def _caller(name: str, row: _Row) -> ListedCaller:
    caller = ListedCaller(
        number=name,
        list=row.choice("list", CallerList),
        reason=row.text("reason", '"行动不便，经本人申请"'),
        until=row.moment("until"),
        note=row.text("note", '"示例，待核"', ""),
    )
    row.end()
    return caller


def _trunk(name: str, row: _Row) -> Trunk:
    trunk = Trunk(
        id=name,
        role=row.text("role", '"emergency"'),
        number=row.text("number", '"110"', ""),
        host=row.text("host", '"127.0.0.1"'),
        port=row.whole("port", 5060, "5060"),
        name=row.text("name", '"市公安局 110"'),
        briefing=row.yes("briefing", default=False),
    )
    row.end()
    return trunk


def _partner(name: str, row: _Row) -> Partner:
    partner = Partner(
        name,
        row.text("name", '"供水"'),
        row.text("key", '"701"'),
        row.texts("trunks", '["utility-water"]'),
        row.text("schedule", '"office"', ""),
        row.whole("ring_seconds", 30),
        row.text("note", '"示例，待核"', ""),
    )
    row.end()
    return partner


def _agent(name: str, row: _Row) -> Agent:
    agent = Agent(
        name,
        row.text("name", f'"座席{name}"'),
        tuple(GroupId(group) for group in row.texts("groups", '["general", "market"]')),
        supervisor=row.yes("supervisor", default=False),
        skills=row.levels("skills", "{ teochew = 1 }", {}, "技能到等级"),
        call_out=row.choice("call_out", AgentCallOut, AgentCallOut.GROUPS),
    )
    row.end()
    return agent
