"""Erlang's formulas: how long callers wait when so many calls meet so many seats, in the long run.

One job: arithmetic. Offered load is in erlangs (calls per second times mean holding time in seconds), times are in
seconds, shares are 0 to 1. Everything is computed by ratios or logarithms, so thousands of seats neither overflow nor
lose digits. It knows no seats, no groups and no clock; what the formulas leave out (several groups, skills, a day that
changes) is the simulation's.

Sources: A. K. Erlang (1917), in the form of the recursion for the loss formula and of the delay formula derived from
it; C. Palm (1943/1957) for impatient callers (M/M/n+M, "Erlang A"), with the integral for the waiting time as in
S. Zeltyn and A. Mandelbaum, "Call centers with impatient customers: many-server asymptotics of the M/M/n+G queue",
Queueing Systems 51 (2005), section 3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, expm1, inf, isfinite, log, sqrt
from typing import Final

MAX_SEATS: Final = 100_000
MAX_PATIENCE_SECONDS: Final = 86_400.0
"""Longer means longer than anybody has ever held a line: that is Erlang C's caller who never gives up."""

_NEGLIGIBLE: Final = 40.0
"""Natural logarithm: what is this much below the highest changes no digit of a double."""

_HUGE: Final = 700.0
"""Natural logarithm of nearly the largest double."""


class NotCalculable(ValueError):
    """The figures describe no floor at all; the text is Chinese and says which one is wrong."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What callers meet in the long run."""

    offered: float
    """Erlangs."""
    seats: int
    wait_share: float
    """Callers who find no free seat, P(W > 0)."""
    answer_seconds: float
    """Mean wait of all callers (ASA), whether answered or not; infinite when the line only grows."""
    abandon_share: float
    """Callers who give up; 0 for callers who never do."""
    occupancy: float
    """Share of the time in which a seat handles a call."""
    _level: Callable[[float], float]

    def service_level(self, seconds: float) -> float:
        """The share of all callers who are answered within ``seconds``."""
        if not seconds >= 0:
            raise NotCalculable(f"应答时限应不小于 0 秒，收到的是 {seconds:g}")
        return min(1.0, max(0.0, self._level(seconds)))


def erlang_b(offered: float, seats: int) -> float:
    """Share of calls lost when nobody may wait. The recursion B(n) = aB(n-1) / (n + aB(n-1)), which only shrinks."""
    _check(offered, seats)
    blocked = 1.0
    for seat in range(1, seats + 1):
        blocked = offered * blocked / (seat + offered * blocked)
    return blocked


def erlang_c(offered: float, seats: int, holding_seconds: float) -> Outlook:
    """Callers who wait as long as it takes. With at least as many erlangs as seats everybody waits, for ever.

    C = B / (1 - a/n (1 - B)); P(W > t) = C exp(-(n - a) t / h). Raises NotCalculable.
    """
    _check(offered, seats)
    _check_seconds("平均处理时长", holding_seconds)
    if offered >= seats:
        return Outlook(offered, seats, 1.0, inf, 0.0, min(1.0, float(seats)), lambda seconds: 0.0)
    blocked = erlang_b(offered, seats)
    load = offered / seats
    waits = blocked / (1 - load * (1 - blocked))
    spare = (seats - offered) / holding_seconds
    return Outlook(
        offered, seats, waits, waits / spare, 0.0, load, lambda seconds: 1 - waits * exp(-spare * seconds)
    )  # fmt: skip


def erlang_a(offered: float, seats: int, holding_seconds: float, patience_seconds: float) -> Outlook:
    """Callers whose patience is exponential with this mean: who waits longer hangs up. Any load is stable.

    The wait that one meets who would never give up has, beside its mass at 0, the density
    lambda p(n-1) exp(lambda p (1 - exp(-x/p)) - n x / h), p(n-1) being the share of the state with one free seat;
    the caller's own patience then decides between answer and abandonment. Raises NotCalculable.
    """
    _check(offered, seats)
    _check_seconds("平均处理时长", holding_seconds)
    _check_seconds("平均耐心", patience_seconds)
    if patience_seconds > MAX_PATIENCE_SECONDS:
        raise NotCalculable(
            f"平均耐心最多 {MAX_PATIENCE_SECONDS:g} 秒，收到的是 {patience_seconds:g}；不放弃的来电请不写耐心"
        )
    if seats == 0:
        return Outlook(offered, 0, 1.0, patience_seconds, 1.0, 0.0, lambda seconds: 0.0)
    if offered == 0:
        return Outlook(offered, seats, 0.0, 0.0, 0.0, 0.0, lambda seconds: 1.0)
    # All relative to the state with n - 1 calls: those below it sum to 1/B(n-1), those above to the integral.
    blocked = erlang_b(offered, seats - 1)
    if blocked == 0.0:
        return Outlook(offered, seats, 0.0, 0.0, 0.0, offered / seats, lambda seconds: 1.0)
    arrivals, service = offered / holding_seconds, seats / holding_seconds

    def meets(x: float) -> float:
        """Logarithm of the density of a wait of x seconds for one who would never give up; concave in x."""
        return log(arrivals) - arrivals * patience_seconds * expm1(-x / patience_seconds) - service * x

    wait = _Density(meets, patience_seconds * log(offered / seats) if offered > seats else 0.0)
    whole = wait.integral(lambda x: 1.0)
    waits = 1 / (1 + exp(min(_HUGE, -log(blocked) - wait.top)) / whole)
    abandons = waits * wait.integral(lambda x: -expm1(-x / patience_seconds)) / whole

    def level(seconds: float) -> float:
        return 1 - waits + waits * wait.integral(lambda x: exp(-x / patience_seconds), seconds) / whole

    return Outlook(
        offered, seats, waits, abandons * patience_seconds, abandons, offered * (1 - abandons) / seats, level
    )  # fmt: skip


class _Density:
    """A density from 0 up, given by its concave logarithm and where that is highest; scaled to 1 there."""

    def __init__(self, logarithm: Callable[[float], float], peak: float) -> None:
        self._logarithm = logarithm
        self.top = logarithm(peak)
        self._peak = peak
        self._end = max(peak, 1.0)
        while self._at(self._end) > -_NEGLIGIBLE:
            self._end *= 2

    def integral(self, of: Callable[[float], float], end: float = inf) -> float:
        """Of ``of`` times the scaled density, from 0 to ``end``, by Gauss and Legendre where it matters at all."""
        end = min(end, self._end)
        nearest = min(self._peak, end)
        # Before the peak a rising function's last part is what matters, so the floor is that of the part.
        floor = self._at(nearest) - _NEGLIGIBLE
        low = self._crossing(floor, 0.0, nearest)
        high = self._crossing(floor, end, nearest)
        half = (high - low) / _PIECES / 2
        return sum(
            weight * half * of(x) * exp(self._at(x))
            for piece in range(_PIECES)
            for place, weight in _POINTS
            if (x := low + half * (2 * piece + 1 + place)) >= 0
        )  # fmt: skip

    def _at(self, x: float) -> float:
        return self._logarithm(x) - self.top

    def _crossing(self, floor: float, outside: float, inside: float) -> float:
        """Between a point that may lie below the floor and one above it, where the density crosses it."""
        if self._at(outside) >= floor:
            return outside
        for _ in range(60):
            middle = (outside + inside) / 2
            if self._at(middle) < floor:
                outside = middle
            else:
                inside = middle
        return outside


_PIECES: Final = 200
_POINTS: Final = (
    (0.0, 128 / 225),
    *((sign * sqrt(5 - 2 * sqrt(10 / 7)) / 3, (322 + 13 * sqrt(70)) / 900) for sign in (-1, 1)),
    *((sign * sqrt(5 + 2 * sqrt(10 / 7)) / 3, (322 - 13 * sqrt(70)) / 900) for sign in (-1, 1)),
)


def _check(offered: float, seats: int) -> None:
    if not (isfinite(offered) and offered >= 0):
        raise NotCalculable(f"话务量应为不小于 0 的数（爱尔兰），例如 10；收到的是 {offered:g}")
    if not 0 <= seats <= MAX_SEATS:
        raise NotCalculable(f"座席数应在 0 到 {MAX_SEATS} 之间，例如 14；收到的是 {seats}")


def _check_seconds(what: str, seconds: float) -> None:
    if not (isfinite(seconds) and seconds > 0):
        raise NotCalculable(f"{what}应大于 0 秒，例如 180；收到的是 {seconds:g}")
