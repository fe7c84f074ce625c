"""How many seats a half-hour needs so that enough callers are answered in time.

One job: from calls and a target to seats, by Erlang's formulas (queues/forecasting/erlang.py). The target is the
city's: GB/T 33358-2016 asks for an answer within 15 s and for 95 % of the calls connected; that 95 % within 15 s is the
aim is a setting (``answer_seconds``, ``answer_percent``), not a law.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import ceil, floor
from typing import Final

from queues.forecasting.erlang import MAX_SEATS, NotCalculable, Outlook, erlang_a, erlang_c

HALF_HOUR_SECONDS: Final = 1800


@dataclass(frozen=True, slots=True)
class Target:
    """This share (0 to 1) of all callers is answered within so many seconds."""

    seconds: float = 15.0
    share: float = 0.95


@dataclass(frozen=True, slots=True)
class HalfHour:
    """What is expected of one half-hour."""

    start: str
    """``08:30``."""
    calls: float
    handling_seconds: float
    """Mean time a call keeps its seat: ring, talk and wrap-up."""

    @property
    def offered(self) -> float:
        """Erlangs."""
        return self.calls * self.handling_seconds / HALF_HOUR_SECONDS


@dataclass(frozen=True, slots=True)
class Need:
    """What one half-hour takes."""

    half_hour: HalfHour
    seats: int
    """At work, free for calls or in one."""
    rostered: int
    """To be planned for, so that as many are at work in spite of breaks, training and illness."""
    outlook: Outlook


def outlook(offered: float, seats: int, handling_seconds: float, patience_seconds: float | None = None) -> Outlook:
    """Erlang A when the callers' mean patience is known, Erlang C when it is not. Raises NotCalculable."""
    if patience_seconds is None:
        return erlang_c(offered, seats, handling_seconds)
    return erlang_a(offered, seats, handling_seconds, patience_seconds)


def seats_for(offered: float, handling_seconds: float, target: Target, patience_seconds: float | None = None) -> int:
    """The fewest seats that reach the target; 0 when nobody calls. Raises NotCalculable."""
    if not 0 < target.share < 1:
        raise NotCalculable(f"目标应大于 0 且小于 100%，例如 95；收到的是 {100 * target.share:g}")
    if offered == 0:
        return 0

    def reached(seats: int) -> bool:
        return outlook(offered, seats, handling_seconds, patience_seconds).service_level(target.seconds) >= target.share

    return _first(reached, floor(offered) + 1)


def _first(true: Callable[[int], bool], guess: int) -> int:
    """The smallest number from 0 up for which it is true, when it stays true from there on."""
    if guess > MAX_SEATS:
        raise NotCalculable(f"话务量太大：需要的座席超过 {MAX_SEATS} 个；请核对来电数与处理时长")
    low, high, step = -1, guess, 1
    while not true(high):
        low, high, step = high, min(high + step, MAX_SEATS), step * 2
        if low == high:
            raise NotCalculable(f"{MAX_SEATS} 个座席也达不到目标；请核对来电数、处理时长与目标")
    while high - low > 1:
        middle = (low + high) // 2
        if true(middle):
            high = middle
        else:
            low = middle
    return high


def plan(
    day: Iterable[HalfHour], target: Target, *, patience_seconds: float | None = None, shrinkage: float = 0.0
) -> list[Need]:
    """Seats for every half-hour. ``shrinkage`` (0 to below 1): share of paid time that is not at the phone.

    Raises NotCalculable.
    """
    if not 0 <= shrinkage < 1:
        raise NotCalculable(f"损耗率应不小于 0 且小于 100%，例如 30；收到的是 {100 * shrinkage:g}")
    needs = []
    for half_hour in day:
        offered, handling = half_hour.offered, half_hour.handling_seconds
        seats = seats_for(offered, handling, target, patience_seconds)
        # Rounded first: 14 / 0.7 is 20, not 21 for the sake of the sixteenth digit.
        rostered = ceil(round(seats / (1 - shrinkage), 6))
        needs.append(Need(half_hour, seats, rostered, outlook(offered, seats, handling, patience_seconds)))
    return needs
