from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.calendar import CITY, city_time, day_kind, is_open, open_minutes, year_known
from routing.holidays import HolidayYearMissing, holiday_rows
from routing.model import DayKind, Period, Schedule
from routing.sample_table import sample_snapshot

pytestmark = pytest.mark.unit

WEEK = frozenset({1, 2, 3, 4, 5})
DAILY = frozenset(range(1, 8))
HOLIDAYS = {row.day: row.kind for year in (2025, 2026) for row in holiday_rows(year)}


def midnight(year: int, month: int, day: int) -> datetime:
    """Naive, as hypothesis wants its bounds."""
    return datetime.combine(date(year, month, day), time())


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CITY)


def schedule(*periods: Period, holiday: tuple[Period, ...] = ()) -> Schedule:
    return Schedule("s", "班表", periods, holiday)


OFFICE = schedule(Period(WEEK, time(8, 30), time(12)), Period(WEEK, time(14, 30), time(17, 30)))
NIGHT = schedule(Period(WEEK, time(20), time(8)))
FRIDAY_NIGHT = schedule(Period(frozenset({5}), time(22), time(2)))
ROUND_THE_CLOCK = schedule(Period(DAILY, time(0), time(0)), holiday=(Period(DAILY, time(0), time(0)),))
UNTIL_MIDNIGHT = schedule(Period(DAILY, time(18), time(0)))
HOLIDAY_HOURS = schedule(Period(DAILY, time(8), time(20)), holiday=(Period(DAILY, time(9), time(17)),))


@pytest.mark.parametrize(
    ("hours", "moment", "opened"),
    [
        # half-open, several a day; 2026-11-23 is a Monday
        (OFFICE, "2026-11-23T08:29:59.999999", False),
        (OFFICE, "2026-11-23T08:30", True),
        (OFFICE, "2026-11-23T11:59:59.999999", True),
        (OFFICE, "2026-11-23T12:00", False),
        (OFFICE, "2026-11-23T14:29:59", False),
        (OFFICE, "2026-11-23T14:30", True),
        (OFFICE, "2026-11-23T17:30", False),
        (OFFICE, "2026-11-22T09:00", False),
        # across midnight: a period belongs to the day it starts on
        (NIGHT, "2026-11-23T19:59:59", False),
        (NIGHT, "2026-11-23T20:00", True),
        (NIGHT, "2026-11-23T23:59:59.999999", True),
        (NIGHT, "2026-11-24T00:00", True),
        (NIGHT, "2026-11-24T07:59:59.999999", True),
        (NIGHT, "2026-11-24T08:00", False),
        (NIGHT, "2026-11-23T07:00", False),  # Sunday evening had no shift
        (NIGHT, "2026-11-28T07:00", True),  # Friday's shift ends on Saturday
        (NIGHT, "2026-11-28T21:00", False),
        (FRIDAY_NIGHT, "2026-11-28T01:59:59", True),
        (FRIDAY_NIGHT, "2026-11-28T02:00", False),
        (FRIDAY_NIGHT, "2026-11-27T01:00", False),
        (UNTIL_MIDNIGHT, "2026-11-23T23:59:59.999999", True),
        (UNTIL_MIDNIGHT, "2026-11-24T00:00", False),
        # leap day: 2028-02-29 is a Tuesday
        (OFFICE, "2028-02-29T09:00", True),
        (NIGHT, "2028-02-29T00:00", True),
        (NIGHT, "2028-03-01T07:59", True),
        # holidays: only the holiday hours
        (OFFICE, "2026-10-01T09:00", False),
        (HOLIDAY_HOURS, "2026-10-01T08:30", False),
        (HOLIDAY_HOURS, "2026-10-01T09:00", True),
        (HOLIDAY_HOURS, "2026-10-01T17:00", False),
        (HOLIDAY_HOURS, "2026-10-10T08:30", True),
        # the night before a holiday runs on into it; the holiday's own night does not start
        (NIGHT, "2026-10-01T03:00", True),
        (NIGHT, "2026-10-01T21:00", False),
        (NIGHT, "2026-10-02T03:00", False),
        # make-up workdays, all of them weekends
        (OFFICE, "2025-01-26T09:00", True),
        (OFFICE, "2025-02-08T09:00", True),
        (OFFICE, "2025-04-27T09:00", True),
        (OFFICE, "2025-09-28T09:00", True),
        (OFFICE, "2025-10-11T09:00", True),
        (OFFICE, "2026-01-04T09:00", True),
        (OFFICE, "2026-02-14T09:00", True),
        (OFFICE, "2026-02-28T09:00", True),
        (OFFICE, "2026-05-09T09:00", True),
        (OFFICE, "2026-09-20T09:00", True),
        (OFFICE, "2026-10-10T09:00", True),
        (OFFICE, "2026-10-10T12:00", False),
        (OFFICE, "2026-10-17T09:00", False),
        (NIGHT, "2026-10-10T20:00", True),
        (NIGHT, "2026-10-11T07:59", True),
    ],
)
def test_hours(hours: Schedule, moment: str, opened: bool) -> None:
    assert is_open(hours, at(moment), HOLIDAYS) is opened


def test_saturday_hours_of_its_own_hold_on_a_makeup_saturday_too() -> None:
    saturday = schedule(Period(frozenset({6}), time(19), time(21)))
    assert is_open(saturday, at("2026-10-10T20:00"), HOLIDAYS)


def test_the_same_moment_in_another_zone_gives_the_same_answer() -> None:
    assert is_open(OFFICE, datetime(2026, 11, 23, 0, 30, tzinfo=UTC), HOLIDAYS)
    assert not is_open(OFFICE, datetime(2026, 11, 23, 0, 29, 59, tzinfo=UTC), HOLIDAYS)


def test_a_naive_moment_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="naive"):
        city_time(datetime(2026, 1, 1))  # noqa: DTZ001 the naive one is what is tested


@given(st.datetimes(midnight(2020, 1, 1), midnight(2035, 1, 1)))
def test_round_the_clock_is_always_open_and_no_periods_never(naive: datetime) -> None:
    moment = naive.replace(tzinfo=UTC)
    assert is_open(ROUND_THE_CLOCK, moment, HOLIDAYS)
    assert not is_open(schedule(), moment, HOLIDAYS)


@given(
    st.datetimes(midnight(2025, 1, 2), midnight(2026, 12, 30)),
    st.times(),
    st.times(),
)
def test_a_period_and_its_complement_share_the_plain_day(naive: datetime, start: time, end: time) -> None:
    """Cutting every day at two clock times leaves no gap and no overlap."""
    moment = naive.replace(tzinfo=CITY)
    first, second = schedule(Period(DAILY, start, end)), schedule(Period(DAILY, end, start))
    if start != end:
        assert is_open(first, moment, {}) != is_open(second, moment, {})


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 10, 1), DayKind.HOLIDAY),
        (date(2026, 10, 10), DayKind.MAKEUP_WORKDAY),
        (date(2026, 10, 17), DayKind.WEEKEND),
        (date(2026, 10, 19), DayKind.WORKDAY),
        (date(2031, 10, 1), DayKind.WORKDAY),
    ],
)
def test_kinds_of_days(day: date, kind: DayKind) -> None:
    assert day_kind(day, HOLIDAYS) is kind


def test_a_year_that_was_not_imported_can_be_told() -> None:
    snapshot = sample_snapshot()
    assert snapshot.known_years == {2025, 2026}
    assert year_known(datetime(2026, 12, 31, 15, 59, tzinfo=UTC), snapshot)
    assert not year_known(datetime(2026, 12, 31, 16, 0, tzinfo=UTC), snapshot)


def test_imported_holidays_are_in_order_and_named_in_chinese() -> None:
    rows = holiday_rows(2026)
    assert [row.day for row in rows] == sorted(row.day for row in rows)
    assert {row.name for row in rows} >= {"元旦", "春节", "国庆节"}
    assert sum(row.kind is DayKind.MAKEUP_WORKDAY for row in rows) == 6
    assert all(row.day.isoweekday() >= 6 for row in rows if row.kind is DayKind.MAKEUP_WORKDAY)
    assert {row.kind for row in rows} == {DayKind.HOLIDAY, DayKind.MAKEUP_WORKDAY}


def test_a_year_the_library_does_not_know_is_a_clear_error() -> None:
    with pytest.raises(HolidayYearMissing, match="2099"):
        holiday_rows(2099)


def test_the_citys_clock_is_eight_hours_ahead() -> None:
    assert CITY.utcoffset(None) == timedelta(hours=8)


PERIODS = st.builds(
    Period,
    st.frozensets(st.integers(1, 7), min_size=1),
    st.times().map(lambda clock: clock.replace(second=0, microsecond=0)),
    st.times().map(lambda clock: clock.replace(second=0, microsecond=0)),
)
PLANS = st.builds(Schedule, st.just("s"), st.just("班表"), st.lists(PERIODS, max_size=3).map(tuple),
                  st.lists(PERIODS, max_size=2).map(tuple))  # fmt: skip


@given(PLANS, st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.integers(0, 24 * 60 - 1))
def test_the_hours_of_a_day_are_the_minutes_at_which_it_is_open(plan: Schedule, day: date, minute: int) -> None:
    spans = open_minutes(plan, day, HOLIDAYS)
    moment = datetime.combine(day, time(minute // 60, minute % 60), CITY)
    assert any(start <= minute < end for start, end in spans) is is_open(plan, moment, HOLIDAYS)
    assert all(0 <= start < end <= 24 * 60 for start, end in spans)
    assert all(one[1] < other[0] for one, other in pairwise(spans))


@pytest.mark.parametrize(
    ("plan", "day", "told"),
    [
        (OFFICE, "2026-11-23", [(510, 720), (870, 1050)]),
        (NIGHT, "2026-11-24", [(0, 480), (1200, 1440)]),
        (ROUND_THE_CLOCK, "2026-11-24", [(0, 1440)]),
        (HOLIDAY_HOURS, "2026-10-01", [(540, 1020)]),
        (OFFICE, "2026-11-22", []),
    ],
)
def test_the_hours_of_a_day(plan: Schedule, day: str, told: list[tuple[int, int]]) -> None:
    assert open_minutes(plan, date.fromisoformat(day), HOLIDAYS) == told
