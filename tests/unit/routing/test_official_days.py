"""Each day of 2025 and 2026 against the State Council's notices, and what clocks and years do at their edges.

The dates below are written out by hand from 国务院办公厅关于2025年部分节假日安排的通知 (国办发明电〔2024〕12号,
2024-11-12) and 国务院办公厅关于2026年部分节假日安排的通知 (2025-11-04): neither the library's table nor ours.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
import structlog

from config.settings import Settings
from routing.calendar import CITY, city_time, day_kind, is_open
from routing.holiday_alarm import CalendarWatch
from routing.holidays import holiday_rows
from routing.lint.days import holiday_alarm
from routing.model import CallFacts, DayKind, Snapshot
from routing.rules import decide
from routing.sample_table import sample_snapshot
from routing.snapshot import write_snapshot
from setup.doctor import CHECKS
from tests.support.engine_harness import House

pytestmark = pytest.mark.unit

OFF = {
    2025: ["01-01 01-01", "01-28 02-04", "04-04 04-06", "05-01 05-05", "05-31 06-02", "10-01 10-08"],
    2026: ["01-01 01-03", "02-15 02-23", "04-04 04-06", "05-01 05-05", "06-19 06-21", "09-25 09-27", "10-01 10-07"],
}
"""放假: first and last day."""
WORKED = {
    2025: ["01-26", "02-08", "04-27", "09-28", "10-11"],
    2026: ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"],
}
"""上班: Saturdays and Sundays."""
YEARS = (2025, 2026)
SAMPLE = sample_snapshot()
OFFICE = SAMPLE.schedules["office"]


def official(day: date) -> DayKind:
    for span in OFF[day.year]:
        first, last = (date.fromisoformat(f"{day.year}-{part}") for part in span.split())
        if first <= day <= last:
            return DayKind.HOLIDAY
    if f"{day:%m-%d}" in WORKED[day.year]:
        return DayKind.MAKEUP_WORKDAY
    return DayKind.WORKDAY if day.isoweekday() <= 5 else DayKind.WEEKEND


def days_of(year: int) -> list[date]:
    return [date(year, 1, 1) + timedelta(days=place) for place in range(365)]


@pytest.mark.parametrize("year", YEARS)
def test_each_day_is_what_the_notice_says(year: int) -> None:
    holidays = {row.day: row.kind for row in holiday_rows(year)}
    assert {day: day_kind(day, holidays) for day in days_of(year)} == {day: official(day) for day in days_of(year)}


@pytest.mark.parametrize("year", YEARS)
def test_each_day_the_office_answers_when_the_notice_has_it_work(year: int) -> None:
    for day in days_of(year):
        works = official(day) in (DayKind.WORKDAY, DayKind.MAKEUP_WORKDAY)
        for clock, opened in (
            (time(8, 29, 59), False),
            (time(8, 30), True),
            (time(17, 29, 59), True),
            (time(17, 30), False),
        ):
            assert is_open(OFFICE, datetime.combine(day, clock, CITY), SAMPLE.holidays) is (opened and works), day


def rule(number: str, moment: str, snapshot: Snapshot = SAMPLE) -> str:
    return decide(CallFacts(number), snapshot, datetime.fromisoformat(moment).replace(tzinfo=CITY)).rule


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        ("2026-06-30T23:59:59.999999", "before"),
        ("2026-07-01T00:00:00", "during"),
        ("2027-06-30T23:59:59.999999", "during"),
        ("2027-07-01T00:00:00", "after"),
    ],
)
def test_a_day_ends_at_the_city_s_midnight(moment: str, told: str) -> None:
    assert rule("12333", moment) == f"legacy.full.{told}"
    elsewhere = datetime.fromisoformat(moment).replace(tzinfo=CITY).astimezone(UTC)
    assert decide(CallFacts("12333"), SAMPLE, elsewhere).rule == f"legacy.full.{told}"


@pytest.mark.parametrize(
    ("moment", "state"),
    [
        ("2028-02-29T09:00", "open"),
        ("2028-02-29T20:00", "closed"),
        ("2028-02-28T23:59", "closed"),
        ("2028-03-01T09:00", "open"),
    ],
)
def test_the_29th_of_february_is_a_day_like_any_other(moment: str, state: str) -> None:
    row = replace(SAMPLE.numbers["12329"], first_day=date(2028, 2, 29), last_day=date(2028, 2, 29))
    leap = replace(SAMPLE, numbers={"12329": row}, known_years=frozenset({2028}))
    phase = {"2028-02-28": "before", "2028-02-29": "during", "2028-03-01": "after"}[moment[:10]]
    assert rule("12329", moment, leap) == f"legacy.dual.{phase}.{state}"


def test_a_clock_step_only_moves_the_moment_that_is_asked_about() -> None:
    """Decisions keep no time of their own: back over midnight, and over a year, they are what they were."""
    moments = [
        "2026-12-31T23:59:59",
        "2027-01-01T00:00:01",
        "2026-12-31T23:59:59",
        "2025-01-01T09:00",
        "2026-12-31T23:59:59",
    ]
    told = [decide(CallFacts("12366"), SAMPLE, datetime.fromisoformat(one).replace(tzinfo=CITY)) for one in moments]
    assert told[0] == told[2] == told[4]


def test_an_unknown_year_degrades_to_the_plain_week_and_says_so() -> None:
    assert 2031 not in SAMPLE.known_years
    decision = decide(CallFacts("12329"), SAMPLE, datetime(2031, 10, 1, 9, tzinfo=CITY))  # a Wednesday, National Day
    assert decision.rule == "legacy.dual.after.open"
    assert "没有 2031 年的节假日数据，按平常星期处理" in decision.trace
    assert rule("12329", "2031-10-04T09:00") == "legacy.dual.after.closed"


# The alarm


@pytest.mark.parametrize(
    ("today", "says"),
    [
        (date(2026, 11, 30), ""),
        (date(2026, 12, 1), "没有 2027 年的节假日安排"),
        (date(2027, 1, 1), "没有 2027 年的节假日安排"),
    ],
)
def test_the_alarm_of_status_and_doctor(today: date, says: str) -> None:
    alarm = holiday_alarm(frozenset({2025, 2026}), today)
    assert says in alarm
    assert bool(alarm) is bool(says)


def test_the_alarm_is_raised_once_also_when_the_clock_steps_and_cleared_by_the_next_table() -> None:
    house = House()
    watch = CalendarWatch(lambda: house.table, house.alarms)
    house.table = SAMPLE
    with structlog.testing.capture_logs() as lines:
        for moment in (
            "2026-11-30T23:59",
            "2026-12-01T00:00",
            "2026-12-01T23:59",
            "2026-12-02T00:00",
            "2026-12-01T12:00",
        ):
            watch.look(datetime.fromisoformat(moment).replace(tzinfo=CITY))
        assert [alarm.grave for alarm in house.alarms.standing.values()] == [False]
        house.table = replace(SAMPLE, known_years=frozenset({2026, 2027}))
        watch.look(datetime.fromisoformat("2026-12-02T00:01").replace(tzinfo=CITY))
    assert house.alarms.standing == {}
    assert [(line["event"], "2027" in line.get("text", "")) for line in lines] == [
        ("alarm raised", True),
        ("alarm cleared", False),
    ]


def test_the_doctor_tells_of_a_missing_year(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    write_snapshot(settings.snapshot_file, replace(SAMPLE, known_years=frozenset({2025})))
    told = [message for _, message in CHECKS["路由表"](settings)]
    assert any("的节假日安排" in message for message in told)
    this_year = city_time(datetime.now(UTC)).year
    write_snapshot(settings.snapshot_file, replace(SAMPLE, known_years=frozenset({this_year, this_year + 1})))
    assert not any("的节假日安排" in message for _, message in CHECKS["路由表"](settings))
