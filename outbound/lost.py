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
RETAINED_MS: Final = 3 * 24 * 3600 * 1000
"""An older one is given up, and forgotten."""
DAY_MS: Final = 24 * 3600 * 1000


class LostReason(StrEnum):
    """How a citizen came to reach nobody."""

    ABANDONED = "abandoned"
    """Hung up while waiting."""
    NOBODY = "nobody"
    """The dialplan alone, and nobody was there."""
    CALLBACK = "callback"
    """Was called back in vain, and every attempt is spent."""


class Ended(StrEnum):
    """How a lost call was made good."""

    REDIALLED = "redialled"
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
    reason: LostReason
    first_ms: int
    """When the first one of these calls ended."""
    last_ms: int
    times: int = 1
    """How often the citizen tried."""
    tries: int = 0
    """How often we have called back in vain."""
    handed_over: bool = False
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
    redialled: int
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
        self._calls: OrderedDict[CallId, None] = OrderedDict()

    def lost(self, call: CallId, number: str, *, line: str, group: str, reason: LostReason, at_ms: int) -> None:
        """A citizen's call has ended and reached nobody; a second word about the same call changes nothing."""
        if not number or call in self._calls:
            return
        _put(self._calls, call, None)
        entry = self._all.get(number)
        if entry is not None and entry.open:
            self._all[number] = replace(
                entry, call=call, line=line, group=group, reason=reason, last_ms=max(entry.last_ms, at_ms),
                first_ms=min(entry.first_ms, at_ms), times=entry.times + 1, handed_over=False,
            )  # fmt: skip
        else:
            self._all.pop(number, None)
            _put(self._all, number, LostCall(number, call, line, group, reason, at_ms, at_ms))
        self._make_good(number)

    def served(self, number: str, at_ms: int, *, by_us: bool) -> None:
        """A citizen talks with a human: of a call of its own, or of one that we made."""
        entry = self._served.get(number)
        if number and (entry is None or entry[0] < at_ms):
            self._served.pop(number, None)
            _put(self._served, number, (at_ms, by_us))
        self._make_good(number)

    def count_attempt(self, number: str) -> None:
        """We have called back in vain."""
        entry = self._all.get(number)
        if entry is not None and entry.open:
            self._all[number] = replace(entry, tries=entry.tries + 1)

    def pass_on(self, number: str) -> None:
        """It is the callbacks' now; lost again, it comes back."""
        entry = self._all.get(number)
        if entry is not None:
            self._all[number] = replace(entry, handed_over=True)

    def give_back(self, number: str, reason: LostReason | None = None) -> None:
        """The callbacks do not call this number after all; ``reason``: they have tried in vain."""
        entry = self._all.get(number)
        if entry is not None and entry.open:
            self._all[number] = replace(entry, handed_over=False, reason=reason or entry.reason)

    def get(self, number: str) -> LostCall | None:
        """What is entry of this number."""
        return self._all.get(number)

    def open(self) -> list[LostCall]:
        """Who is still to be called, the longest lost first."""
        return sorted((entry for entry in self._all.values() if entry.open), key=lambda entry: entry.first_ms)

    def all(self) -> list[LostCall]:
        """The open ones, then those that were made good, the latest first."""
        done = [entry for entry in self._all.values() if not entry.open]
        return self.open() + sorted(done, key=lambda entry: entry.ended_ms, reverse=True)

    def forget(self, now_ms: int) -> None:
        """Let go of what is too old."""
        for number in [entry.number for entry in self._all.values() if entry.last_ms < now_ms - RETAINED_MS]:
            del self._all[number]

    def figures(self, now_ms: int) -> Figures:
        """The measures of the last 24 h."""
        return figures(entry for entry in self._all.values() if entry.first_ms > now_ms - DAY_MS)

    def _make_good(self, number: str) -> None:
        entry, served = self._all.get(number), self._served.get(number)
        if entry is None or not entry.open or served is None or served[0] < entry.last_ms:
            return
        ended = Ended.CALLED_BACK if served[1] else Ended.REDIALLED
        self._all[number] = replace(entry, ended=ended, ended_ms=served[0])


def figures(calls: Iterable[LostCall]) -> Figures:
    """The measures of these."""
    some = list(calls)
    redials = sum(1 for entry in some if entry.ended is Ended.REDIALLED)
    back = [entry for entry in some if entry.ended is Ended.CALLED_BACK]
    ours = len(some) - redials
    seconds = [(entry.ended_ms - entry.first_ms) / 1000 for entry in back]
    return Figures(
        len(some), redials, len(back), len(back) / ours if ours else None, fmean(seconds) if seconds else None
    )


def _put(of: OrderedDict[K, V], key: K, value: V) -> None:
    of[key] = value
    while len(of) > MOST:
        of.popitem(last=False)
