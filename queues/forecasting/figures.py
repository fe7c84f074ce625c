"""From histories to figures: what callers met, and how sure we are of it.

One job: sums over runs. Each run is an independent replication (its own seed), so the figures of the runs are
independent draws and the mean of them has a Student confidence interval (A. M. Law, Simulation Modeling and Analysis,
chapter 9: the replication and deletion approach).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan, sqrt
from statistics import fmean, stdev
from typing import Final

from queues.forecasting.simulation import Fate, Run
from queues.states import AgentState

WORKS: Final = frozenset(
    {AgentState.RESERVED, AgentState.RINGING, AgentState.TALKING, AgentState.HOLD, AgentState.WRAP_UP}
)
"""At work on a call, from being offered it to the end of its wrap-up."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over runs, and half the width of its 95 % confidence interval; nan when a run has nothing to say."""

    mean: float
    half: float

    def holds(self, value: float) -> bool:
        """Whether the interval contains this value."""
        return abs(value - self.mean) <= self.half


@dataclass(frozen=True, slots=True)
class Figures:
    """What the callers of one kind met. Shares are 0 to 1, of all of them; times are seconds."""

    calls: float
    wait_share: float
    """Who found no free seat and joined the line."""
    in_time: float
    """Answered within the target's seconds."""
    answered: float
    """接通率."""
    abandoned: float
    answer_seconds: float
    """Mean wait of those who were answered (ASA)."""
    wait_seconds: float
    """Mean wait of all, answered or not."""


def figures(fates: Sequence[Fate], target_seconds: float) -> Figures:
    """The figures of one run's callers; nan where there is nobody."""
    answers = [fate.answered_ms - fate.at_ms for fate in fates if fate.answered_ms is not None]
    waits = [fate.wait_ms for fate in fates if fate.wait_ms is not None]
    calls = len(fates)

    def share(some: int) -> float:
        return some / calls if calls else nan

    return Figures(
        calls,
        share(sum(1 for fate in fates if fate.offered_ms != fate.at_ms)),
        share(sum(1 for wait in answers if wait <= target_seconds * 1000)),
        share(len(answers)),
        share(sum(1 for fate in fates if fate.gone_ms is not None)),
        fmean(answers) / 1000 if answers else nan,
        fmean(waits) / 1000 if waits else nan,
    )


def occupancy(run: Run) -> float:
    """Share of the time on duty (not paused) that seats worked on calls."""
    works = sum(ms for state, ms in run.seat_ms.items() if state in WORKS)
    free = run.seat_ms.get(AgentState.READY, 0)
    return works / (works + free) if works + free else nan


def estimate(values: Sequence[float]) -> Estimate:
    """Mean and interval of independent draws; runs without callers say nothing."""
    known = [value for value in values if isfinite(value)]
    if not known:
        return Estimate(nan, nan)
    if len(known) == 1:
        return Estimate(known[0], nan)
    return Estimate(fmean(known), student(len(known) - 1) * stdev(known) / sqrt(len(known)))


def over_runs(
    runs: Sequence[Run], target_seconds: float, keep: Callable[[Fate], bool] = lambda fate: True
) -> Mapping[str, Estimate]:
    """Each figure by its name, over all runs, for the callers to keep."""
    found = [figures([fate for fate in run.fates if keep(fate)], target_seconds) for run in runs]
    by_name = {name: estimate([getattr(one, name) for one in found]) for name in Figures.__dataclass_fields__}
    return by_name | {"occupancy": estimate([occupancy(run) for run in runs])}


def student(freedom: int) -> float:
    """The 97.5 % quantile of Student's t; from 11 degrees on by Fisher and Cornish's expansion (off by < 0.001)."""
    if freedom <= len(_STUDENT):
        return _STUDENT[freedom - 1]
    z = 1.959963985
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


_STUDENT: Final = (12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281)
