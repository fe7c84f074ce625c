"""Dates and hours: transitions, overlapping periods, missing holidays.

One job: what the calendar makes of the table. Today is an argument.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, time, timedelta
from functools import lru_cache
from typing import Final

from routing.faults import Fault, Severity
from routing.lint.model import Rule, View
from routing.model import Period

ENDING_DAYS: Final = 14
"""A transition that ends within so many days from today is told, so that the last prompt is no surprise."""

ALARM_MONTH: Final = 12
"""From 1 December on the next year's holidays must be there: the State Council publishes them in November."""

DAY_NAMES: Final = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
_DAY: Final = timedelta(days=1)
_DAY_SECONDS: Final = 86_400
_WEEK_SECONDS: Final = 7 * _DAY_SECONDS


def missing_years(known: Sequence[int] | frozenset[int], today: date) -> tuple[int, ...]:
    """Years whose holidays should have been imported by now and were not; in them the plain week holds."""
    due = (today.year, today.year + 1) if today.month >= ALARM_MONTH else (today.year,)
    return tuple(year for year in due if year not in known)


def holiday_alarm(known: frozenset[int], today: date) -> str:
    """What to tell the people in charge about missing years; empty when none is."""
    missing = missing_years(known, today)
    if not missing:
        return ""
    years = "、".join(map(str, missing))
    return f"路由表没有 {years} 年的节假日安排，到时按平常星期处理；国务院公布后请导入节假日并发布"


def _reversed(view: View) -> Iterator[Fault]:
    for row in view.table.numbers:
        if row.first_day and row.last_day and row.last_day < row.first_day:
            reason = f"过渡期最后一天早于第一天 {row.first_day}"
            yield Fault(f"numbers.{row.number}.last_day", str(row.last_day), reason, str(row.first_day))


def _ending(view: View) -> Iterator[Fault]:
    if view.around is None:
        return
    today = view.around.today
    for row in view.table.numbers:
        if row.last_day is None or not today <= row.last_day <= today + ENDING_DAYS * _DAY:
            continue
        left = (row.last_day - today).days
        when = "今天" if left == 0 else f"{left} 天后"
        reason = f"过渡期{when}结束，之后改播“{row.prompt_after}”；请确认市民已经知道，需要延长就改日期"
        yield Fault(f"numbers.{row.number}.last_day", str(row.last_day), reason, str(row.last_day + 180 * _DAY))


def _overlapping(view: View) -> Iterator[Fault]:
    for schedule in view.table.schedules:
        for kind, periods in (("periods", schedule.periods), ("holiday_periods", schedule.holiday_periods)):
            for first, second, day in _overlaps_of(periods):
                path = f"schedules.{schedule.id}.{kind}[{second}]"
                one, other = _shown(periods[first]), _shown(periods[second])
                reason = f"{DAY_NAMES[day - 1]}的时段与 {one} 重叠；请合并成一个，或改开始、结束时刻"
                yield Fault(path, other, reason)


@lru_cache(maxsize=4096)
def _overlaps_of(periods: tuple[Period, ...]) -> tuple[tuple[int, int, int], ...]:
    """Most schedules are the same from one version to the next."""
    return tuple(overlaps(periods))


def overlaps(periods: Sequence[Period]) -> Iterator[tuple[int, int, int]]:
    """Pairs of periods, by index, that share a moment of the plain week, each once, with a weekday it happens on."""
    spans = sorted(
        (start + lap, start + lap + length, index, day)
        for index, period in enumerate(periods)
        for day in period.days
        for start, length in [_span(day, period)]
        for lap in (0, _WEEK_SECONDS)  # Sunday night runs into Monday
    )
    told: set[tuple[int, int]] = set()
    latest = spans[0] if spans else None
    for here in spans[1:]:
        assert latest is not None
        pair = (min(latest[2], here[2]), max(latest[2], here[2]))
        if here[0] < latest[1] and pair not in told and pair[0] != pair[1]:
            told.add(pair)
            yield *pair, here[3]
        latest = max(latest, here, key=lambda span: span[1])


def _span(day: int, period: Period) -> tuple[float, float]:
    """Start since Monday's midnight, and length, in seconds."""
    start, end = _since_midnight(period.start), _since_midnight(period.end)
    length = end - start
    return (day - 1) * _DAY_SECONDS + start, length if length > 0 else length + _DAY_SECONDS


def _since_midnight(clock: time) -> float:
    return (clock.hour * 60 + clock.minute) * 60 + clock.second + clock.microsecond / 1e6


def _shown(period: Period) -> str:
    return f"{period.start:%H:%M}–{period.end:%H:%M}"


def _holidays_missing(view: View) -> Iterator[Fault]:
    if view.around is None:
        return
    for year in missing_years(view.table.known_years, view.around.today):
        reason = f"没有 {year} 年的节假日和调休安排，节假日会按平常星期处理；国务院公布后请导入"
        known = sorted({*view.table.known_years, year})
        yield Fault("calendar_years", "、".join(map(str, view.table.known_years)), reason, f"calendar_years = {known}")
    listed = {holiday.day.year for holiday in view.table.holidays}
    for year in view.table.known_years:
        if year not in listed:
            reason = f"{year} 年标为已导入，却没有一天节假日；请重新导入这一年，或逐日填写 [[holidays]]"
            yield Fault("holidays", str(year), reason, f'{{ day = {year}-10-01, kind = "holiday", name = "国庆节" }}')


RULES: Final = (
    Rule("transition-reversed", Severity.ERROR, "过渡期日期颠倒", _reversed),
    Rule("transition-ending", Severity.WARNING, "过渡期快要结束", _ending, surroundings=True),
    Rule("overlapping-periods", Severity.WARNING, "班表时段重叠", _overlapping),
    Rule("holidays-missing", Severity.WARNING, "缺节假日数据", _holidays_missing, surroundings=True),
)
