"""A report's words: what is counted, and the figures that are made of the counts.

Pure: no table, no clock. Shares are 0 to 1, times are seconds; a figure that nobody can know (no calls, nobody on duty)
is None. The definitions are those of :mod:`ledger.measures`; here they are sums, so that a database can add them up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self

from ledger.measures import BUSY_STATES, READY_STATE, WRAP_UP_STATE

LEVELS: Final = (5, 4, 3, 2, 1)
"""好差评, best first. Level 0 was asked for and not given."""

WINDOW_HOURS: Final = 24
"""GB/T 33358-2016 asks for the connection rate over any continuous 24 h."""


class By(StrEnum):
    """What a report tells apart."""

    NUMBER = "number"
    GROUP = "group"
    AGENT = "agent"
    HALF_HOUR = "half-hour"
    """Of the day, on the city's clock: all the period's 08:30 together."""
    DAY = "day"
    MONTH = "month"

    @property
    def is_time(self) -> bool:
        return self in (By.HALF_HOUR, By.DAY, By.MONTH)


@dataclass(frozen=True, slots=True)
class Period:
    """From ``since`` up to, but not at, ``until``; both aware, on the city's clock."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over calls that count: they came in to be answered by 12345, and are answered or over."""

    calls: int = 0
    answered: int = 0
    in_time_from_ring: int = 0
    in_time_from_prompt: int = 0
    wait_ms: int = 0
    """Of the answered, from ring to the human."""
    wait_after_prompt_ms: int = 0
    abandoned: int = 0
    """Ended without a human, short ones apart."""
    short_abandoned: int = 0
    talks: int = 0
    """Talks with our own agents that are over."""
    talk_ms: int = 0
    by_agent: int = 0
    by_subcentre: int = 0
    by_duty_phone: int = 0
    by_fallback: int = 0
    heard_prompt: int = 0
    """Who stayed to the end of the prompts."""
    transferred: int = 0
    """Calls that were transferred to at least one centre or partner."""
    rating_asked: int = 0
    """Asked for a rating, whether given or not."""
    rated_5: int = 0
    rated_4: int = 0
    rated_3: int = 0
    rated_2: int = 0
    rated_1: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, part.name) + getattr(other, part.name) for part in fields(Tally)))

    @classmethod
    def total(cls, parts: Iterable[Self]) -> Tally:
        whole = Tally()
        for part in parts:
            whole += part
        return whole

    @property
    def rated(self) -> int:
        return sum(self.rated_at(level) for level in LEVELS)

    def rated_at(self, level: int) -> int:
        return int(getattr(self, f"rated_{level}"))


@dataclass(frozen=True, slots=True)
class Work:
    """What agents did in the period, s."""

    talk_seconds: float = 0.0
    hold_seconds: float = 0.0
    wrap_up_seconds: float = 0.0
    ready_seconds: float = 0.0
    pause_seconds: float = 0.0
    busy_seconds: float = 0.0
    """At work on calls, from being offered one to the end of its wrap-up."""

    @classmethod
    def of(cls, state_ms: Mapping[str, int]) -> Work:
        """What these milliseconds in each state come to."""
        seconds = {state: ms / 1000 for state, ms in state_ms.items()}
        return cls(
            talk_seconds=seconds.get("talking", 0.0),
            hold_seconds=seconds.get("hold", 0.0),
            wrap_up_seconds=seconds.get(WRAP_UP_STATE, 0.0),
            ready_seconds=seconds.get(READY_STATE, 0.0),
            pause_seconds=sum(value for state, value in seconds.items() if state.startswith("pause")),
            busy_seconds=sum(seconds.get(state, 0.0) for state in BUSY_STATES),
        )

    @property
    def occupancy(self) -> float | None:
        """占用率: time at work on calls, of that and the time ready for one."""
        whole = self.busy_seconds + self.ready_seconds
        return self.busy_seconds / whole if whole else None


@dataclass(frozen=True, slots=True)
class Figures:
    """What a tally comes to."""

    connection_rate: float | None
    connection_rate_without_short: float | None
    in_time_from_ring: float | None
    in_time_from_prompt: float | None
    speed_of_answer: float | None
    speed_of_answer_after_prompt: float | None
    talk_seconds: float | None
    rating_mean: float | None
    """Never to be shown without how many rated."""
    satisfied: float | None
    """Rated 3 (基本满意) or better, of those who rated."""

    @classmethod
    def of(cls, tally: Tally) -> Figures:
        rated = tally.rated
        return cls(
            connection_rate=_share(tally.answered, tally.calls),
            connection_rate_without_short=_share(tally.answered, tally.calls - tally.short_abandoned),
            in_time_from_ring=_share(tally.in_time_from_ring, tally.calls),
            in_time_from_prompt=_share(tally.in_time_from_prompt, tally.calls),
            speed_of_answer=_share(tally.wait_ms / 1000, tally.answered),
            speed_of_answer_after_prompt=_share(tally.wait_after_prompt_ms / 1000, tally.answered),
            talk_seconds=_share(tally.talk_ms / 1000, tally.talks),
            rating_mean=_share(sum(level * tally.rated_at(level) for level in LEVELS), rated),
            satisfied=_share(sum(tally.rated_at(level) for level in (5, 4, 3)), rated),
        )


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a report."""

    key: str
    """Id of the number, group or agent; a date, a month or a time of day."""
    name: str
    """As people call it; the key where it has no other name."""
    tally: Tally
    work: Work | None = None
    not_answered: int | None = None
    """Offers that the agent's phone did not take; of agents only."""

    @property
    def figures(self) -> Figures:
        return Figures.of(self.tally)


@dataclass(frozen=True, slots=True)
class WorstDay:
    """The 24 hours in a row with the lowest connection rate."""

    since: datetime
    rate: float
    calls: int


@dataclass(frozen=True, slots=True)
class Report:
    """A period, told apart by something, beside the period before."""

    period: Period
    before: Period
    by: By
    lines: tuple[Line, ...]
    whole: Line
    whole_before: Line
    worst_day: WorstDay | None
    """None in periods of less than 24 hours, or without calls."""
    transfers: Mapping[str, int] = field(default_factory=dict)
    """Calls by whom they were transferred to, the most frequent first."""
    wrap_up_codes: Mapping[str, int] = field(default_factory=dict)
    """Calls of our agents by 处理结果, the most frequent first; under the empty code those of which nobody said."""
    pending: int = 0
    """Facts that stand in the journal alone and are in no figure yet."""


def as_json(report: Report) -> dict[str, Any]:
    """The report as plain data, for programs and pages."""
    return {
        "since": report.period.since.isoformat(),
        "until": report.period.until.isoformat(),
        "before": {"since": report.before.since.isoformat(), "until": report.before.until.isoformat()},
        "by": report.by.value,
        "lines": [_line(line) for line in report.lines],
        "whole": _line(report.whole),
        "whole_before": _line(report.whole_before),
        "worst_day": None
        if report.worst_day is None
        else asdict(report.worst_day) | {"since": report.worst_day.since.isoformat()},
        "transfers": dict(report.transfers),
        "wrap_up_codes": dict(report.wrap_up_codes),
        "pending": report.pending,
    }


def _line(line: Line) -> dict[str, Any]:
    work = None if line.work is None else asdict(line.work) | {"occupancy": line.work.occupancy}
    return {
        "key": line.key,
        "name": line.name,
        **asdict(line.tally),
        "rated": line.tally.rated,
        "figures": asdict(line.figures),
        "work": work,
        "not_answered": line.not_answered,
    }


def _share(part: float, whole: int) -> float | None:
    return part / whole if whole > 0 else None
