"""By which settings the ACD decides.

One job: what an administrator may set, in the units the table uses. The numbers are ours, not a standard's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from queues.model import OfferFailure
from telephony.model import GroupId, OverflowTo, OverflowWhen, Priority


@dataclass(frozen=True, slots=True)
class Overflow:
    """One row of what happens to a group's callers who cannot be served soon."""

    when: OverflowWhen
    value: int
    """Seconds, or callers (length)."""
    to: OverflowTo
    target: str = ""
    """Group id, trunk id or telephone number; empty when ``to`` says enough."""


@dataclass(frozen=True, slots=True)
class GroupPolicy:
    """How a group rings, rests, widens and overflows."""

    ring_seconds: int = 20
    wrap_up_seconds: int = 10
    """话后整理; 0 = none."""
    level_seconds: int = 0
    """Level 1 alone may answer at first, each next level after so many more seconds; 0 = all levels at once, the best
    ready one first."""
    language_seconds: int = 60
    """How long a caller waits for somebody who speaks the language asked for, when such a one is signed in."""
    preferred_seconds: int = 20
    """How long a caller waits for the agent of the last talk, when that agent is at work; 0 = not at all."""
    short_talk_seconds: int = 0
    """A talk that the agent's side ends sooner was none: the caller waits on, at its place; 0 = every talk counts."""
    overflow: tuple[Overflow, ...] = ()


def _back_after() -> Mapping[OfferFailure, int | None]:
    return {
        OfferFailure.NO_ANSWER: 60,
        OfferFailure.REJECTED: 60,
        OfferFailure.BUSY: 5,
        OfferFailure.UNREACHABLE: 15,
        OfferFailure.ERROR: 5,
        OfferFailure.CUT_SHORT: 15,
        OfferFailure.TIMEOUT: 15,
    }


def _head_starts() -> Mapping[int, int]:
    return {
        Priority.NUISANCE: -600,
        Priority.NORMAL: 0,
        Priority.REPEAT: 60,
        Priority.LISTED: 120,
        Priority.DROPPED: 180,
        Priority.CENTRE: 300,
        Priority.FIRST: 3600,
    }


@dataclass(frozen=True, slots=True)
class Policy:
    """Settings of the ACD. The numbers are ours, not a standard's, and can be edited."""

    groups: Mapping[GroupId, GroupPolicy] = field(default_factory=dict)
    default: GroupPolicy = field(default_factory=GroupPolicy)
    """For a group without a row of its own."""
    heir: GroupId | None = None
    """Who answers those who wait for a group without a row: an earlier version of the table had it. None = nobody."""
    offer_margin_seconds: int = 5
    """How much longer than ringing the core waits for news of an offer before it takes it back."""
    dial_seconds: int = 45
    """How much longer still for a call that has no channel yet: a callback, whose citizen is dialled first."""
    back_after: Mapping[OfferFailure, int | None] = field(default_factory=_back_after)
    """Seconds after which a not-responding seat is ready again by itself; None = only by its agent's own Ready."""
    hold_seconds: int = 1
    """A call whose offer ended in error or timeout is not offered for this long, doubled each time: a call that cannot
    be redirected must not take every seat of its group down with it."""
    hold_seconds_max: int = 10
    wrap_up_seconds_max: int = 600
    """Wrap-up with all its extensions."""
    head_start_seconds: Mapping[int, int] = field(default_factory=_head_starts)
    """By class of priority, how much older than it is a call counts in the line, younger where negative; 0 for a
    class below all these."""
    levels: int = 1
    """The worst level that anybody has in any group; 1 is the best."""
    hold_alarm_seconds: int = 120
    """A caller who is kept on hold for this long is told of, again and again."""
    recheck_seconds: int = 10
    """How often a waiting call is held against what its group overflows by, when that may change by itself."""
    resort_pause_seconds: int = 30
    """How long after one last resort the next may come."""

    def of(self, group: GroupId) -> GroupPolicy:
        return self.groups.get(group, self.default)

    def head_start_ms(self, priority: int) -> int:
        """How much older than it is a call of this priority counts."""
        classes = [one for one in self.head_start_seconds if one <= priority]
        return self.head_start_seconds[max(classes)] * 1000 if classes else 0
