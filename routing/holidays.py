"""The State Council's holiday arrangement, from chinesecalendar, as rows of our own table."""

from __future__ import annotations

from datetime import date, timedelta

from chinese_calendar import constants

from routing.calendar import day_kind
from routing.model import DayKind, Holiday


class HolidayYearMissing(LookupError):
    """The installed chinesecalendar does not know this year yet."""


def holiday_rows(year: int) -> tuple[Holiday, ...]:
    """Every holiday and make-up workday of the year, in order. Raises HolidayYearMissing."""
    if year not in published_years():
        years = published_years()
        raise HolidayYearMissing(
            f"节假日库没有 {year} 年（只有 {years[0]}–{years[-1]}）；国务院公布后请升级 chinesecalendar，"
            "或在路由表中逐日填写 [[holidays]]"
        )
    rows = []
    day = date(year, 1, 1)
    while day.year == year:
        if day in constants.holidays:
            rows.append(Holiday(day, DayKind.HOLIDAY, _chinese(constants.holidays[day])))
        elif day in constants.workdays and day_kind(day, {}) is DayKind.WEEKEND:
            rows.append(Holiday(day, DayKind.MAKEUP_WORKDAY, _chinese(constants.workdays[day])))
        day += timedelta(days=1)
    return tuple(rows)


def published_years() -> tuple[int, ...]:
    """Years that the installed library knows, in order."""
    return tuple(sorted({day.year for day in constants.holidays}))


def _chinese(english: str) -> str:
    """The library names days in English; its own enum has the Chinese."""
    return next((str(holiday.chinese) for holiday in constants.Holiday if holiday.value == english), english)
