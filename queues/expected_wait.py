"""How long a waiting call will probably wait. Pure.

One job: from the pace of its group and its place in the line to an honest range. It keeps nothing; see pace.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Final

LEAST_SERVICES: Final = 5
"""Fewer recent services than this say nothing about the next one: then nothing is told."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a group serves now."""

    services: int
    """How many recent services the mean stands on."""
    mean_service_seconds: float
    """Talk and wrap-up of one call."""
    agents: int
    """Seats that serve the group now: signed in, reachable and not paused."""


@dataclass(frozen=True, slots=True)
class ExpectedWait:
    """From now on, s."""

    low: float
    high: float


def expected_wait(position: int, pace: Pace) -> ExpectedWait | None:
    """The wait still before the call at ``position`` (1 = next); None when nothing honest can be said.

    The queue-length predictor of W. Whitt, "Predicting Queueing Delays", Management Science 45(6), 1999: with n agents
    busy and services of mean 1/m, the line loses n m calls a second, so the call at place p waits p / (n m), and the
    sum of p such gaps has a standard deviation of sqrt(p) / (n m). The range is one standard deviation to either side.
    Agents that also serve other groups make the true wait longer; callers who give up make it shorter.
    """
    if position < 1 or pace.services < LEAST_SERVICES or pace.agents < 1:
        return None
    gap = pace.mean_service_seconds / pace.agents
    return ExpectedWait(gap * (position - sqrt(position)), gap * (position + sqrt(position)))
