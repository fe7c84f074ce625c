"""How often was called out lately: by one agent, to one number, in all.

One job: count. Bounded by time and by number; it is no record, after a restart it is read from the ledger.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

KEPT: Final = timedelta(days=1)
MOST: Final = 50_000
"""Calls that are remembered: more than any hotline makes in a day."""


class History:
    """The calls of the last 24 hours that were made, whether somebody answered or not."""

    def __init__(self) -> None:
        self._calls: deque[tuple[datetime, str, str]] = deque(maxlen=MOST)
        """(when, agent, number), rising."""

    def add(self, when: datetime, agent: str, number: str) -> None:
        """One more call was made; what is older than a day is forgotten."""
        self._calls.append((when, agent, number))
        while self._calls and self._calls[0][0] < when - KEPT:
            self._calls.popleft()

    def learn(self, calls: Iterable[tuple[datetime, str, str]]) -> None:
        """What was called before this process began."""
        self._calls = deque(sorted((*calls, *self._calls)), maxlen=MOST)

    def of_agent(self, agent: str, since: datetime) -> int:
        """Calls that this agent has made after ``since``."""
        return sum(1 for when, who, _ in self._calls if who == agent and when > since)

    def of_number(self, number: str, since: datetime) -> int:
        """Calls to this number, in its one form, after ``since``."""
        return sum(1 for when, _, called in self._calls if called == number and when > since)

    def of_all(self, since: datetime) -> int:
        """Calls of the whole hotline after ``since``."""
        return sum(1 for when, _, _ in self._calls if when > since)
