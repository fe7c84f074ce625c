"""What a waiting caller is told, and when.

One job: from the place, the expected wait and what was told before to the prompts that are due. Pure.
The news never gets worse in the caller's ear: whoever was told "third" is not told "fifth" because somebody urgent
came, but that the agents are still busy. Numbers are rounded outward to the steps that have a prompt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from routing.model import WaitingNews

ANNOUNCED_PLACES: Final = 10
"""Places in the waiting line that have a prompt of their own; further back a caller hears ``still-waiting``."""

STEPS_MINUTES: Final = (0, 1, 3, 5, 10, 20)
"""The ends of the ranges that are spoken."""

KEYS_PROMPT: Final = "waiting-keys"
STILL: Final = "still-waiting"


@dataclass(frozen=True, slots=True)
class LastAnnouncement:
    """What the caller was told last."""

    at_ms: int
    position: int
    high_seconds: float
    """Upper end of the expected wait that was told; infinite when none was."""


@dataclass(frozen=True, slots=True)
class WaitEstimate:
    """How it stands for one waiting caller."""

    position: int
    """1 is next."""
    low_seconds: float | None = None
    high_seconds: float | None = None
    """Expected wait from now on; None when nobody can say."""


def due(policy: WaitingNews, since_ms: int, told: LastAnnouncement | None, now_ms: int) -> bool:
    """Whether the caller shall hear something now; ``since_ms`` is when it rang."""
    if policy.first_seconds == 0:
        return False
    if told is None:
        return now_ms - since_ms >= policy.first_seconds * 1000
    return now_ms - told.at_ms >= policy.every_seconds * 1000


def news(outlook: WaitEstimate, told: LastAnnouncement | None, now_ms: int) -> tuple[tuple[str, ...], LastAnnouncement]:
    """The prompts for this outlook, and what has been told by them."""
    span = wait_prompt(outlook.low_seconds, outlook.high_seconds)
    high = upper_end(outlook.high_seconds)
    if told is not None and outlook.position > told.position:
        return (STILL,), LastAnnouncement(now_ms, told.position, told.high_seconds)
    place = f"position-{outlook.position}" if outlook.position <= ANNOUNCED_PLACES else STILL
    if span and (told is None or high <= told.high_seconds):
        return (place, span), LastAnnouncement(now_ms, outlook.position, high)
    return (place,), LastAnnouncement(now_ms, outlook.position, told.high_seconds if told is not None else float("inf"))


def wait_prompt(low_seconds: float | None, high_seconds: float | None) -> str:
    """The prompt of the smallest spoken range that holds the expected one; empty when there is no expectation."""
    if low_seconds is None or high_seconds is None:
        return ""
    high = upper_end(high_seconds)
    low = max(step for step in STEPS_MINUTES if step * 60 <= max(0.0, low_seconds) and step * 60 < high)
    if high == float("inf"):
        return f"wait-over-{low}" if low else STILL
    return f"wait-{low}-{round(high / 60)}"


def upper_end(high_seconds: float | None) -> float:
    """The spoken upper end, s; infinite past the last step or without an expectation."""
    if high_seconds is None:
        return float("inf")
    return next((step * 60.0 for step in STEPS_MINUTES if step and high_seconds <= step * 60), float("inf"))
