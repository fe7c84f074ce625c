"""What a simulation is told: who calls when, who sits where, and how long things take.

One job: the words. Times are unix milliseconds, as in the core; durations are seconds. Sign-ins and wishes are the
core's own events, so what the core learns to ask for, a simulation can say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import exp, log, log1p, sqrt
from random import Random

from queues.events import AgentSignedIn, TicketJoined
from queues.policy import Policy


class Shape(StrEnum):
    """How durations scatter around their mean."""

    EXPONENTIAL = "exponential"
    LOGNORMAL = "lognormal"
    """Talks are close to this one; L. Brown et al., "Statistical analysis of a telephone call center", JASA 100
    (2005), section 4."""
    FIXED = "fixed"


@dataclass(frozen=True, slots=True)
class Duration:
    """A random time, s. ``seen`` values, when there are any, are drawn from as they are."""

    mean_seconds: float
    shape: Shape = Shape.EXPONENTIAL
    variation: float = 1.0
    """Standard deviation over mean, for lognormal."""
    seen: Sequence[float] = ()

    def draw(self, dice: Random) -> float:
        """One of them."""
        if self.seen:
            return dice.choice(self.seen)
        if self.mean_seconds <= 0:
            return 0.0
        match self.shape:
            case Shape.EXPONENTIAL:
                return dice.expovariate(1 / self.mean_seconds)
            case Shape.LOGNORMAL:
                scatter = sqrt(log1p(self.variation**2))
                return exp(dice.gauss(log(self.mean_seconds) - scatter**2 / 2, scatter))
            case Shape.FIXED:
                return self.mean_seconds


@dataclass(frozen=True, slots=True)
class Arrival:
    """One caller asks for an agent."""

    at_ms: int
    wish: TicketJoined
    """Call id and age are filled in by the run."""
    number: str = ""
    """What was dialled."""
    talk_seconds: float | None = None
    """None: drawn."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Callers who come by chance, independently of each other (Poisson), at a steady rate."""

    per_hour: float
    wish: TicketJoined
    number: str = ""

    def arrivals(self, start_ms: int, end_ms: int, dice: Random) -> list[Arrival]:
        """One history of this stream."""
        found: list[Arrival] = []
        if self.per_hour <= 0:
            return found
        at = float(start_ms)
        while (at := at + dice.expovariate(self.per_hour / 3_600_000)) < end_ms:
            found.append(Arrival(round(at), self.wish, self.number))
        return found


@dataclass(frozen=True, slots=True)
class Shift:
    """One agent at one seat, from sign-in to sign-out."""

    sign_in: AgentSignedIn
    start_ms: int | None = None
    """None: from the beginning."""
    end_ms: int | None = None
    """None: to the end."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How callers and agents behave."""

    talk: Duration = Duration(180)
    wrap_up: Duration | None = None
    """None: as long as the group's policy gives. Else the agent ends it early or extends it."""
    ring: Duration = Duration(0, Shape.FIXED)
    """Until the agent answers; from the group's ring seconds on nobody does."""
    patience: Duration | None = None
    """None: callers wait as long as it takes."""
    missed_share: float = 0.0
    """Offers (0 to 1) that ring out."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One floor on one stretch of time."""

    name: str
    start_ms: int
    end_ms: int
    """Nobody calls from here on; who waits is still served."""
    shifts: Sequence[Shift]
    callers: Sequence[Arrival | Stream]
    policy: Policy = field(default_factory=Policy)
    habits: Habits = Habits()
    warm_up_ms: int = 0
    """Callers of the first so many ms are served, but not counted: the floor begins empty."""
