"""How many tries one address may make: a brake before anything costs work.

One job: count per minute. The lock of a name is another matter (users/rules.py).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

PER_MINUTE: Final = 60
"""A whole shift behind one address signs in within minutes; who guesses gets no further than the lock anyway."""

MOST_ADDRESSES: Final = 10_000


@dataclass(slots=True)
class RateLimit:
    """Tries of this minute."""

    per_minute: int = PER_MINUTE
    _minute: int = -1
    _tries: Counter[str] = field(default_factory=Counter)

    def wait(self, address: str, now: float) -> int:
        """Count a try; seconds until the next one makes sense, 0 when this one may go on. ``now`` in seconds."""
        minute = int(now // 60)
        if minute != self._minute:
            self._minute = minute
            self._tries.clear()
        if len(self._tries) >= MOST_ADDRESSES and address not in self._tries:
            return 60
        self._tries[address] += 1
        return 0 if self._tries[address] <= self.per_minute else max(1, int((minute + 1) * 60 - now))
