"""Opening hours: is this schedule open at this moment?

One job: days and hours. Time is an argument; holidays come from the routing table. A year whose holidays are
unknown degrades to the plain week, and :func:`year_known` tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from typing import Final

from routing.model import DayKind, Period, Schedule, Snapshot

CITY: Final[tzinfo] = timezone(timedelta(hours=8), "Asia/Shanghai")
"""The city's time. A fixed offset: China has had no summer time since 1991, and this needs no zone file."""

WEEK: Final = frozenset(range(1, 8))
"""ISO weekdays."""

WORKING_WEEK: Final = frozenset({1, 2, 3, 4, 5})
"""ISO weekdays of a plain week's workdays."""

DAY_MINUTES: Final = 24 * 60
_ONE_DAY: Final = timedelta(days=1)


def city_time(moment: datetime) -> datetime:
    """The aware moment on the city's clock. Raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError(f"naive datetime {moment!r}: a moment must say its time zone")
    return moment.astimezone(CITY)


def day_kind(day: date, holidays: Mapping[date, DayKind]) -> DayKind:
    """What kind of day it is, by the imported holidays first and the weekday otherwise."""
    listed = holidays.get(day)
    if listed is not None:
        return listed
    return DayKind.WORKDAY if day.isoweekday() in WORKING_WEEK else DayKind.WEEKEND


def is_open(schedule: Schedule, moment: datetime, holidays: Mapping[date, DayKind]) -> bool:
    """Whether the schedule is open at the aware moment. A period past midnight belongs to the day it starts on."""
    local = city_time(moment)
    today, clock = local.date(), local.time()
    for period in _periods_of(schedule, today, holidays):
        if period.start <= clock and (clock < period.end or _crosses_midnight(period)):
            return True
    return any(
        _crosses_midnight(period) and clock < period.end for period in _periods_of(schedule, today - _ONE_DAY, holidays)
    )


def open_minutes(schedule: Schedule, day: date, holidays: Mapping[date, DayKind]) -> list[tuple[int, int]]:
    """When the schedule is open on a day of the calendar: [from, to) in minutes since midnight, to at most 1440.

    In order and joined where they touch; what began the day before and goes on past midnight is in it.
    """
    spans = [
        (0, _minute(period.end))
        for period in _periods_of(schedule, day - _ONE_DAY, holidays)
        if _crosses_midnight(period) and period.end > time(0)
    ]
    spans += [
        (_minute(period.start), DAY_MINUTES if _crosses_midnight(period) else _minute(period.end))
        for period in _periods_of(schedule, day, holidays)
    ]
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def year_known(moment: datetime, snapshot: Snapshot) -> bool:
    """Whether the holidays of the moment's year were imported."""
    return city_time(moment).year in snapshot.known_years


def _periods_of(schedule: Schedule, day: date, holidays: Mapping[date, DayKind]) -> list[Period]:
    kind, weekday = day_kind(day, holidays), day.isoweekday()
    if kind is DayKind.HOLIDAY:
        return [period for period in schedule.holiday_periods if weekday in period.days]
    if kind is DayKind.MAKEUP_WORKDAY:
        # The decree does not say which weekday a make-up day stands for: any period of the working week holds.
        return [period for period in schedule.periods if weekday in period.days or period.days & WORKING_WEEK]
    return [period for period in schedule.periods if weekday in period.days]


def _minute(clock: time) -> int:
    return clock.hour * 60 + clock.minute


def _crosses_midnight(period: Period) -> bool:
    return period.end <= period.start
