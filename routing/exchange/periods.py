"""Opening hours in one cell: ``周一至周五 08:30-12:00；周六、周日 20:00-06:00``.

One job: periods to text and back, exactly. What the hours mean is routing/calendar.py's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import time
from typing import Final

from routing.calendar import WEEK
from routing.model import Period

NAMES: Final = "一二三四五六日"
_EVERY_DAY: Final = "每天"
_RUN: Final = 3
"""So many days in a row are written as a range."""

_CLOCK: Final = r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?"
_ENTRY: Final = re.compile(rf"(?P<days>\S.*?)\s*(?<!\d)(?P<start>{_CLOCK})\s*[-–—~至到]\s*(?P<end>{_CLOCK})", re.ASCII)
_DAY: Final = r"(?:周|星期|礼拜)?([1-7一二三四五六日天])"
_DAYS: Final = re.compile(rf"{_DAY}(?:[-–—~至到]{_DAY})?")
_BETWEEN: Final = re.compile(r"[、,/\s和]+")


def periods_text(periods: Iterable[Period]) -> str:
    """The periods as people write them; several with a semicolon between."""
    return "；".join(f"{days_text(period.days)} {_clock(period.start)}-{_clock(period.end)}" for period in periods)


def read_periods(text: str) -> tuple[Period, ...]:
    """The inverse of :func:`periods_text`, forgiving about dashes, digits and line breaks. Raises ValueError."""
    plain = unicodedata.normalize("NFKC", text)
    return tuple(_period(entry.strip()) for entry in re.split(r"[;\n。]", plain) if entry.strip())


def _period(entry: str) -> Period:
    found = _ENTRY.fullmatch(entry)
    if found is None:
        raise ValueError(f"看不懂“{entry}”")
    return Period(_days(found["days"]), _time(found["start"]), _time(found["end"]))


def _time(text: str) -> time:
    if text in ("24:00", "24:00:00"):
        return time(0)
    try:
        return time.fromisoformat(text.zfill(5) if text.count(":") == 1 else text if text[2] == ":" else f"0{text}")
    except ValueError:
        raise ValueError(f"没有“{text}”这个时刻") from None


def _days(text: str) -> frozenset[int]:
    if text.strip() in (_EVERY_DAY, "每日"):
        return WEEK
    days: set[int] = set()
    for part in filter(None, _BETWEEN.split(text)):
        found = _DAYS.fullmatch(part)
        if found is None:
            raise ValueError(f"看不懂星期“{text}”")
        first = _day(found[1])
        last = _day(found[2]) if found[2] else first
        days |= {(first - 1 + step) % 7 + 1 for step in range((last - first) % 7 + 1)}
    return frozenset(days)


def _day(name: str) -> int:
    return int(name) if name.isdigit() else NAMES.index(name.replace("天", "日")) + 1


def days_text(days: frozenset[int]) -> str:
    """ISO weekdays in words: 每天, 周一至周五, 周六、周日."""
    if days == WEEK:
        return _EVERY_DAY
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return "、".join(_run(run) for run in runs)


def _run(days: list[int]) -> str:
    names = [f"周{NAMES[day - 1]}" for day in days]
    return f"{names[0]}至{names[-1]}" if len(days) >= _RUN else "、".join(names)


def _clock(clock: time) -> str:
    return f"{clock:%H:%M}" if not (clock.second or clock.microsecond) else clock.isoformat()
