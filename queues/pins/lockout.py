"""Wrong PINs, counted: after too many in a row the door stays shut for a while.

One job: count and say whether it is shut. It knows no PIN and no clock; times are unix ms, given by its user.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

TRIES: Final = 5
"""Ours, not a standard's: a human's slips fit in, and a four-digit PIN resists for weeks."""

LOCK_SECONDS: Final = 900


@dataclass(slots=True)
class _Count:
    wrong: int
    last_ms: int


@dataclass(slots=True)
class Lockout:
    """Counts per name (an agent or a seat). A try counts as wrong until it was told to be right: those that are tried
    at the same moment count, too."""

    tries: int = TRIES
    lock_seconds: int = LOCK_SECONDS
    """A count is forgotten when this long has passed since its last wrong try."""
    _counts: dict[str, _Count] = field(default_factory=dict)

    def locked(self, name: str, now: int) -> int:
        """Seconds until this name may try again, 0 when it may now."""
        count = self._live(name, now)
        if count is None or count.wrong < self.tries:
            return 0
        return -(-(count.last_ms + self.lock_seconds * 1000 - now) // 1000)

    def begin_attempt(self, name: str, now: int) -> None:
        """Somebody tries under this name."""
        count = self._live(name, now)
        self._counts[name] = _Count(1 if count is None else count.wrong + 1, now)

    def cancel_attempt(self, name: str) -> None:
        """The try was right, or nobody could say: this one does not count."""
        count = self._counts.get(name)
        if count is not None:
            count.wrong -= 1
            if count.wrong <= 0:
                del self._counts[name]

    def clear(self, name: str) -> None:
        """Forget this name's wrong tries."""
        self._counts.pop(name, None)

    def _live(self, name: str, now: int) -> _Count | None:
        count = self._counts.get(name)
        if count is not None and now - count.last_ms >= self.lock_seconds * 1000:
            del self._counts[name]
            return None
        return count
