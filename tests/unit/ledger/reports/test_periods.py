"""Periods as people name them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ledger.reports.model import By, Period, Tally
from ledger.reports.periods import NoPeriod, before, by_time, days, keys_of, month, worst_day

pytestmark = pytest.mark.unit

CITY = ZoneInfo("Asia/Shanghai")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CITY)


@pytest.mark.parametrize(
    ("period", "earlier"),
    [
        (month("2026-11", CITY), month("2026-10", CITY)),
        (month("2026-01", CITY), month("2025-12", CITY)),
        (month("2024-03", CITY), month("2024-02", CITY)),
        (days("2026-11-01", "2026-11-30", CITY), month("2026-10", CITY)),
        (days("2026-11-09", "2026-11-15", CITY), days("2026-11-02", "2026-11-08", CITY)),
        (days("2026-11-30", "2026-11-30", CITY), days("2026-11-29", "2026-11-29", CITY)),
    ],
)
def test_what_a_period_is_compared_with(period: Period, earlier: Period) -> None:
    assert before(period) == earlier


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "2026-1", "26-11", "２０２６-11", "2026-11-01"])
def test_what_is_no_month(text: str) -> None:
    with pytest.raises(NoPeriod, match="例如 2026-11"):
        month(text, CITY)


@pytest.mark.parametrize(
    ("first", "last", "says"),
    [
        ("2026-02-30", "2026-03-01", "不是日期"),
        ("20261101", "2026-11-02", "不是日期"),
        ("2026-11-02", "2026-11-01", "请对调"),
        ("2020-01-01", "2026-01-01", "请分段"),
    ],
)
def test_what_are_no_days(first: str, last: str, says: str) -> None:
    with pytest.raises(NoPeriod, match=says):
        days(first, last, CITY)


def test_keys_of_days_and_months() -> None:
    period = days("2026-10-30", "2026-11-02", CITY)
    assert keys_of(period, By.DAY) == ("2026-10-30", "2026-10-31", "2026-11-01", "2026-11-02")
    assert keys_of(period, By.MONTH) == ("2026-10", "2026-11")
    assert len(keys_of(period, By.HALF_HOUR)) == 48


def test_a_slot_belongs_to_its_day_on_the_citys_clock() -> None:
    late = datetime(2026, 10, 30, 16, 10, tzinfo=UTC).astimezone(CITY)  # ten past midnight in the city
    period = days("2026-10-31", "2026-10-31", CITY)
    assert by_time({late: Tally(calls=1)}, By.DAY, period) == {"2026-10-31": Tally(calls=1)}
    assert by_time({late: Tally(calls=1)}, By.HALF_HOUR, period)["00:00"] == Tally(calls=1)


def test_the_worst_day_may_cross_midnight() -> None:
    period = days("2026-11-01", "2026-11-02", CITY)
    slots = {
        at("2026-11-01T02:00"): Tally(calls=10, answered=10),
        at("2026-11-01T23:50"): Tally(calls=10, answered=5),
        at("2026-11-02T01:00"): Tally(calls=10, answered=5),
        at("2026-11-02T22:00"): Tally(calls=10, answered=10),
    }
    worst = worst_day(slots, period)
    assert worst is not None
    assert (worst.rate, worst.calls) == (0.5, 20)
    assert worst.since == at("2026-11-01T02:30")


def test_less_than_a_day_has_no_worst_day() -> None:
    start = at("2026-11-01T00:00")
    assert worst_day({start: Tally(calls=1)}, Period(start, start + timedelta(hours=23))) is None
