"""Lost calls (漏接): citizens who reached nobody and have not been served since, by the one form of their number.

One job: remember and count. It knows neither switch nor ledger: what came to what is told to it, in any order and as
often as one likes. Bounded by number and by time; after a restart it is told again, from the ledger.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import fmean
from typing import Final, TypeVar

from telephony.model import CallId

K = TypeVar("K")
V = TypeVar("V")

MOST: Final = 20_000
"""Of these the ones that were lost longest ago are forgotten."""
KEPT_MS: Final = 3 * 24 * 3600 * 1000
"""An older one is given up, and forgotten."""
DAY_MS: Final = 24 * 3600 * 1000


class Why(StrEnum):
    """How a citizen came to reach nobody."""

    ABANDONED = "abandoned"
    """Hung up while waiting."""
    NOBODY = "nobody"
    """The dialplan alone, and nobody was there."""
    CALLBACK = "callback"
    """Was called back in vain, and every attempt is spent."""


class Ended(StrEnum):
    """How a lost call was made good."""

    CALLED_AGAIN = "called-again"
    """The citizen called again, and was served."""
    CALLED_BACK = "called-back"


@dataclass(frozen=True, slots=True)
class LostCall:
    """One citizen. Times are unix milliseconds."""

    number: str
    call: CallId
    """The last call that was lost."""
    line: str
    """What was dialled then."""
    group: str
    why: Why
    first_ms: int
    """When the first one of these calls ended."""
    last_ms: int
    times: int = 1
    """How often the citizen tried."""
    tries: int = 0
    """How often we have called back in vain."""
    promised: bool = False
    """Handed to the callbacks."""
    ended_ms: int = 0
    ended: Ended | None = None

    @property
    def open(self) -> bool:
        return self.ended is None


@dataclass(frozen=True, slots=True)
class Figures:
    """Of the citizens whose call was lost within a day."""

    lost: int
    called_again: int
    called_back: int
    rate: float | None
    """回拨率: called back, of those who did not call again themselves."""
    seconds: float | None
    """Mean time from the first lost call to our talk, of those who were called back."""


class LostCalls:
    """Of one node."""

    def __init__(self) -> None:
        self._all: OrderedDict[str, LostCall] = OrderedDict()
        self._served: OrderedDict[str, tuple[int, bool]] = OrderedDict()
        """Number to when it was served last, and whether by a call of ours: a lost call may be told of later."""
        self._known: OrderedDict[CallId, None] = OrderedDict()

    def lost(self, call: CallId, number: str, *, line: str, group: str, why: Why, at_ms: int) -> None:
        """A citizen's call has ended and reached nobody; a second word about the same call changes nothing."""
        if not number or call in self._known:
            return
        _put(self._known, call, None)
        known = self._all.get(number)
        if known is not None and known.open:
            self._all[number] = replace(
                known, call=call, line=line, group=group, why=why, last_ms=max(known.last_ms, at_ms),
                first_ms=min(known.first_ms, at_ms), times=known.times + 1, promised=False,
            )  # fmt: skip
        else:
            self._all.pop(number, None)
            _put(self._all, number, LostCall(number, call, line, group, why, at_ms, at_ms))
        self._make_good(number)

    def served(self, number: str, at_ms: int, *, by_us: bool) -> None:
        """A citizen talks with a human: of a call of its own, or of one that we made."""
        known = self._served.get(number)
        if number and (known is None or known[0] < at_ms):
            self._served.pop(number, None)
            _put(self._served, number, (at_ms, by_us))
        self._make_good(number)

    def tried(self, number: str) -> None:
        """We have called back in vain."""
        known = self._all.get(number)
        if known is not None and known.open:
            self._all[number] = replace(known, tries=known.tries + 1)

    def promised(self, number: str) -> None:
        """It is the callbacks' now; lost again, it comes back."""
        known = self._all.get(number)
        if known is not None:
            self._all[number] = replace(known, promised=True)

    def get(self, number: str) -> LostCall | None:
        """What is known of this number."""
        return self._all.get(number)

    def open(self) -> list[LostCall]:
        """Who is still to be called, the longest lost first."""
        return sorted((one for one in self._all.values() if one.open), key=lambda one: one.first_ms)

    def all(self) -> list[LostCall]:
        """The open ones, then those that were made good, the latest first."""
        done = [one for one in self._all.values() if not one.open]
        return self.open() + sorted(done, key=lambda one: one.ended_ms, reverse=True)

    def forget(self, now_ms: int) -> None:
        """Let go of what is too old."""
        for number in [one.number for one in self._all.values() if one.last_ms < now_ms - KEPT_MS]:
            del self._all[number]

    def figures(self, now_ms: int) -> Figures:
        """The measures of the last 24 h."""
        return figures(one for one in self._all.values() if one.first_ms > now_ms - DAY_MS)

    def _make_good(self, number: str) -> None:
        known, served = self._all.get(number), self._served.get(number)
        if known is None or not known.open or served is None or served[0] < known.last_ms:
            return
        ended = Ended.CALLED_BACK if served[1] else Ended.CALLED_AGAIN
        self._all[number] = replace(known, ended=ended, ended_ms=served[0])


def figures(calls: Iterable[LostCall]) -> Figures:
    """The measures of these."""
    some = list(calls)
    again = sum(1 for one in some if one.ended is Ended.CALLED_AGAIN)
    back = [one for one in some if one.ended is Ended.CALLED_BACK]
    ours = len(some) - again
    seconds = [(one.ended_ms - one.first_ms) / 1000 for one in back]
    return Figures(len(some), again, len(back), len(back) / ours if ours else None, fmean(seconds) if seconds else None)


def _put(of: OrderedDict[K, V], key: K, value: V) -> None:
    of[key] = value
    while len(of) > MOST:
        of.popitem(last=False)
