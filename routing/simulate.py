"""Every number at every half-hour of a week: where its calls would go, and what another table would change.

One job: the matrix and its comparison. It asks the same :func:`~routing.rules.decide` as a live call; what makes it
fast is that a number's calls can only differ by what decide looks at, so that few moments of the week need asking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Final

from routing.announcements import plays
from routing.calendar import CITY, is_open
from routing.model import CallFacts, Decision, LegacyNumber, Phase, Snapshot, Target
from routing.numbers import normalise
from routing.rules import decide, phase_of
from telephony.model import EMERGENCY_NUMBERS, HOTLINE_NUMBER, GroupId

SLOT: Final = timedelta(minutes=30)
SLOTS: Final = 7 * 48
UNKNOWN_NUMBER: Final = "99999"
"""Stands for every number that is in no table."""

Tell = Callable[[int, int], None]
"""Hears how far it is: done, of all."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call meets: all of a decision but its words."""

    target: Target
    rule: str
    prompts: tuple[str, ...]
    group: GroupId
    overflow: tuple[tuple[int, GroupId], ...]


@dataclass(frozen=True, slots=True)
class Run:
    """Half-hours [first, end) of the week with the same outcome; ``outcome`` is its place in Matrix.outcomes."""

    first: int
    end: int
    outcome: int


Line = tuple[Run, ...]

Span = tuple[int, int, object]
"""Half-hours [first, end) and the state that they are in: all that decide looks at besides number and caller."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Outcomes of all numbers and callers over a week."""

    start: datetime
    """Monday, midnight on the city's clock."""
    callers: tuple[str, ...]
    numbers: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    lines: tuple[tuple[Line, ...], ...]
    """For each number, for each caller, the runs that cover the week."""

    def at(self, number: int, caller: int, slot: int) -> Outcome:
        """The outcome of one cell, by places."""
        line = self.lines[number][caller]
        return self.outcomes[next(run.outcome for run in line if run.first <= slot < run.end)]


@dataclass(frozen=True, slots=True)
class Change:
    """Half-hours of one number's week that go elsewhere."""

    number: str
    caller: str
    first: int
    end: int
    before: Outcome
    after: Outcome


def week_of(day: date) -> datetime:
    """The Monday of the day's week, midnight on the city's clock."""
    return datetime.combine(day - timedelta(days=day.isoweekday() - 1), time(0), CITY)


def numbers_of(*snapshots: Snapshot) -> tuple[str, ...]:
    """Every number that a table knows, 12345, the emergency numbers, and one that no table knows."""
    rows = (number for snapshot in snapshots for number in snapshot.numbers)
    return tuple(dict.fromkeys((HOTLINE_NUMBER, *EMERGENCY_NUMBERS, *rows, UNKNOWN_NUMBER)))


def matrix(
    snapshot: Snapshot,
    start: datetime,
    numbers: Sequence[str],
    callers: Sequence[str] = ("",),
    tell: Tell = lambda _done, _all: None,
) -> Matrix:
    """Ask for every number, caller and half-hour of the week that begins at ``start``."""
    moments = [start + SLOT * slot for slot in range(SLOTS)]
    hours = _Hours(snapshot, moments)
    outcomes: dict[Outcome, int] = {}
    lines = []
    for done, number in enumerate(numbers):
        tell(done, len(numbers))
        row = snapshot.numbers.get(normalise(number, snapshot.area_code))
        spans = hours.spans(row)
        lines.append(tuple(tuple(_line(number, caller, snapshot, spans, moments, outcomes)) for caller in callers))
    tell(len(numbers), len(numbers))
    return Matrix(start, tuple(callers), tuple(numbers), tuple(outcomes), tuple(lines))


def compare(before: Matrix, after: Matrix) -> Iterator[Change]:
    """What goes elsewhere, in the order of numbers, callers and time. Raises ValueError for matrices of other cells."""
    if (before.start, before.callers, before.numbers) != (after.start, after.callers, after.numbers):
        raise ValueError("the two matrices are not about the same numbers, callers and week")
    for place, number in enumerate(before.numbers):
        for which, caller in enumerate(before.callers):
            yield from _changes(number, caller, before.lines[place][which], after.lines[place][which], before, after)


def outcome_of(decision: Decision) -> Outcome:
    """What the caller meets of it."""
    return Outcome(decision.target, decision.rule, decision.prompts, decision.group, decision.overflow)


class _Hours:
    """Stretches of the week in which nothing that decide looks at changes for a row."""

    def __init__(self, snapshot: Snapshot, moments: Sequence[datetime]) -> None:
        self._snapshot = snapshot
        self._moments = moments
        rows = snapshot.announcements.values()
        self._announced = tuple(tuple(row.id for row in rows if plays(row, moment)) for moment in moments)
        self._open: dict[str, tuple[bool, ...]] = {}
        self._phases: dict[tuple[date | None, date | None], tuple[Phase, ...]] = {}
        self._spans: dict[tuple[str, date | None, date | None], tuple[Span, ...]] = {}

    def spans(self, row: LegacyNumber | None) -> tuple[Span, ...]:
        if row is None:  # 12345, emergency and unknown numbers know no time but that of announcements
            return self._same(("", None, None), self._announced)
        key = (row.schedule, row.first_day, row.last_day)
        if key not in self._spans:
            same = list(zip(self._openings(row.schedule), self._phases_of(row), self._announced, strict=True))
            return self._same(key, same)
        return self._spans[key]

    def _same(self, key: tuple[str, date | None, date | None], same: Sequence[object]) -> tuple[Span, ...]:
        if key not in self._spans:
            starts = [slot for slot in range(len(same)) if not slot or same[slot] != same[slot - 1]]
            ends = [*starts[1:], len(same)]
            self._spans[key] = tuple((first, end, same[first]) for first, end in zip(starts, ends, strict=True))
        return self._spans[key]

    def _openings(self, name: str) -> tuple[bool, ...]:
        if name not in self._open:
            schedule = self._snapshot.schedules.get(name)
            self._open[name] = tuple(
                schedule is not None and is_open(schedule, moment, self._snapshot.holidays) for moment in self._moments
            )
        return self._open[name]

    def _phases_of(self, row: LegacyNumber) -> tuple[Phase, ...]:
        key = (row.first_day, row.last_day)
        if key not in self._phases:
            by_day = [phase_of(row, moment) for moment in self._moments[::48]]
            self._phases[key] = tuple(phase for phase in by_day for _ in range(48))
        return self._phases[key]


def _line(
    number: str,
    caller: str,
    snapshot: Snapshot,
    spans: Iterable[Span],
    moments: Sequence[datetime],
    outcomes: dict[Outcome, int],
) -> Iterator[Run]:
    """One decision for each state of hours and phase; neighbours with the same outcome are one run."""
    last: Run | None = None
    places: dict[object, int] = {}
    for first, end, state in spans:
        if state not in places:
            found = outcome_of(decide(CallFacts(number, caller), snapshot, moments[first]))
            places[state] = outcomes.setdefault(found, len(outcomes))
        place = places[state]
        if last is not None and last.outcome == place:
            last = Run(last.first, end, place)
            continue
        if last is not None:
            yield last
        last = Run(first, end, place)
    if last is not None:
        yield last


def _changes(number: str, caller: str, old: Line, new: Line, before: Matrix, after: Matrix) -> Iterator[Change]:
    cuts = sorted({run.first for run in (*old, *new)} | {old[-1].end})
    last: Change | None = None
    olds, news = iter(old), iter(new)
    here, there = next(olds), next(news)
    for first, end in pairwise(cuts):
        if first >= here.end:
            here = next(olds)
        if first >= there.end:
            there = next(news)
        was, becomes = before.outcomes[here.outcome], after.outcomes[there.outcome]
        if was == becomes:
            continue
        if last is not None and (last.end, last.before, last.after) == (first, was, becomes):
            last = Change(number, caller, last.first, end, was, becomes)
            continue
        if last is not None:
            yield last
        last = Change(number, caller, first, end, was, becomes)
    if last is not None:
        yield last
