"""How much personal data one person may open: a brake on looks and on searches by number, per minute and per day.

One job: count, refuse in words, and remember whom it has stopped. Counted since the engine's start. A masked number has
ten thousand candidates: who may only search would need weeks, and is noticed on the first day.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

MINUTE: Final = 60.0
DAY: Final = 24 * 3600.0
MOST_PEOPLE: Final = 5000

WORDS: Final = {"look": "看号码、听录音", "search": "按来电号码查"}


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one user or program."""

    per_minute: int
    per_day: int


@dataclass(frozen=True, slots=True)
class Bite:
    """Somebody was stopped."""

    seconds: int
    """Until the next one makes sense."""
    text: str
    first: bool
    """For the first time in this window: worth an entry."""


@dataclass(slots=True)
class Brake:
    """Of one instance. ``looks`` and ``searches`` are counted apart."""

    looks: Limits = Limits(10, 300)
    searches: Limits = Limits(20, 300)
    clock: Callable[[], float] = time.monotonic
    _counts: OrderedDict[tuple[str, str, float], tuple[int, int]] = field(default_factory=OrderedDict)
    """By kind, who and span: which window, and how many in it."""
    _bitten: dict[tuple[str, str], float] = field(default_factory=dict)

    def stop(self, kind: str, who: str) -> Bite | None:
        """Count one; what to say when it is too many."""
        limits, now = (self.looks if kind == "look" else self.searches), self.clock()
        for span, most, words in ((DAY, limits.per_day, "一天"), (MINUTE, limits.per_minute, "一分钟")):
            window = int(now // span)
            held, count = self._counts.get((kind, who, span), (window, 0))
            count = count + 1 if held == window else 1
            self._counts[kind, who, span] = (window, count)
            self._counts.move_to_end((kind, who, span))
            if count > most:
                self._bitten[kind, who] = now
                wait = max(1, int((window + 1) * span - now))
                text = f"{WORDS[kind]}太多：{words}最多 {most} 次；请 {wait} 秒后再试，确有需要请班长、管理员调整设置"
                return Bite(wait, text, first=count == most + 1)
        while len(self._counts) > 2 * MOST_PEOPLE:
            self._counts.popitem(last=False)
        return None

    def bitten(self) -> list[str]:
        """Who was stopped within a day, with what; for an alarm."""
        now = self.clock()
        self._bitten = {key: at for key, at in self._bitten.items() if now - at < DAY}
        return [f"{who} {WORDS[kind]}" for kind, who in self._bitten]
