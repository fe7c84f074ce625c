"""Periods as people name them, and times as a report's keys. Pure: the day of today is an argument."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

from ledger.measures import HALF_HOUR
from ledger.reports.model import WINDOW_HOURS, By, Period, Tally, WorstDay

MONTH: Final = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])", re.ASCII)
YEARS: Final = range(2000, 2100)
MOST_DAYS: Final = 400
"""A year and its month before: bounds what one report costs."""


class NoPeriod(ValueError):
    """What was given is no period; the text says what is."""


def month(text: str, zone: tzinfo) -> Period:
    """A calendar month, e.g. ``2026-11``. Raises NoPeriod."""
    found = MONTH.fullmatch(text)
    if found is None:
        raise NoPeriod(f"{text!r} 不是月份；例如 2026-11")
    first = date(int(found[1]), int(found[2]), 1)
    return Period(_midnight(first, zone), _midnight(_next_month(first), zone))


def days(first: str, last: str, zone: tzinfo) -> Period:
    """Whole days, the last one included, e.g. ``2026-11-01`` to ``2026-11-07``. Raises NoPeriod."""
    since, until = _day(first), _day(last)
    if until < since:
        raise NoPeriod(f"结束日期 {last} 早于开始日期 {first}；请对调")
    if (until - since).days >= MOST_DAYS:
        raise NoPeriod(f"时间段最长 {MOST_DAYS} 天；请分段查看")
    return Period(_midnight(since, zone), _midnight(until + timedelta(days=1), zone))


def before(period: Period) -> Period:
    """The period to compare with: the calendar month before a month, else the same number of days before."""
    since, until = period.since, period.until
    if since.day == 1 and until == _midnight(_next_month(since.date()), since.tzinfo):
        earlier = (since.date() - timedelta(days=1)).replace(day=1)
        return Period(_midnight(earlier, since.tzinfo), since)
    length = until.date() - since.date()
    return Period(_midnight(since.date() - length, since.tzinfo), since)


def key_of(moment: datetime, by: By) -> str:
    """The key of a moment on the city's clock: ``08:30``, ``2026-11-03`` or ``2026-11``."""
    match by:
        case By.HALF_HOUR:
            return f"{moment:%H}:{moment.minute // 30 * 30:02}"
        case By.DAY:
            return f"{moment:%Y-%m-%d}"
        case By.MONTH:
            return f"{moment:%Y-%m}"
        case _:
            raise ValueError(f"{by} is no time")


def keys_of(period: Period, by: By) -> tuple[str, ...]:
    """Every key of a period, so that a day without calls is a row, too."""
    if by is By.HALF_HOUR:
        return tuple(f"{n // 2:02}:{n % 2 * 30:02}" for n in range(48))
    count = (period.until.date() - period.since.date()).days
    every = (period.since + timedelta(days=n) for n in range(count))
    return tuple(dict.fromkeys(key_of(day, by) for day in every))


def by_time(slots: Mapping[datetime, Tally], by: By, period: Period) -> dict[str, Tally]:
    """Tallies of short slots, added up by the keys of a time."""
    found = dict.fromkeys(keys_of(period, by), Tally())
    for at, tally in slots.items():
        key = key_of(at, by)
        found[key] = found.get(key, Tally()) + tally
    return found


def worst_day(slots: Mapping[datetime, Tally], period: Period) -> WorstDay | None:
    """The 24 hours in a row, beginning at any half-hour, in which the smallest share of calls was answered.

    Source: GB/T 33358-2016, connection rate over any continuous 24 h. None for shorter periods or without calls.
    """
    window = timedelta(hours=WINDOW_HOURS)
    counts: dict[datetime, tuple[int, int]] = {}
    for at, tally in slots.items():
        start = at.replace(minute=at.minute // 30 * 30)
        calls, answered = counts.get(start, (0, 0))
        counts[start] = (calls + tally.calls, answered + tally.answered)
    starts = list(_half_hours(period))
    steps = WINDOW_HOURS * 2
    if len(starts) < steps:
        return None
    sums = [counts.get(start, (0, 0)) for start in starts]
    calls, answered = (sum(part) for part in zip(*sums[:steps], strict=True))
    worst: WorstDay | None = None
    for place, start in enumerate(starts[: len(starts) - steps + 1]):
        if place:
            gone, come = sums[place - 1], sums[place + steps - 1]
            calls, answered = calls - gone[0] + come[0], answered - gone[1] + come[1]
        if calls and (worst is None or answered / calls < worst.rate):
            worst = WorstDay(start, answered / calls, calls)
    assert worst is None or worst.since + window <= period.until
    return worst


def _half_hours(period: Period) -> Iterable[datetime]:
    at = period.since
    while at < period.until:
        yield at
        at += HALF_HOUR


def _day(text: str) -> date:
    try:
        if len(text) != len("2026-11-01"):
            raise ValueError
        day = date.fromisoformat(text)
        if day.year not in YEARS:  # so that the periods around it are dates, too
            raise ValueError
        return day
    except ValueError:
        raise NoPeriod(f"{text!r} 不是日期；例如 2026-11-01") from None


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def _midnight(day: date, zone: tzinfo | None) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)
