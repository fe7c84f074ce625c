"""Overload: how many of a thousand ordinary calls are let in while more come than the machine can carry.

One job: the control loop. Each call's first question says when the switch took the call, so its arrival here tells how
late switch and engine are together; how late this loop's own timer is tells the rest. Late means overloaded: the rate
that is let in is cut to a part of what was being let in, and grows again slowly while nothing is late. The dialplan
refuses the others before anything is spent on them (``admit`` in extensions.conf.j2): emergency calls, centres' calls
and talks never come past that place. The limit is measured, not set: there is no number of calls here but the floor.

What the dialplan is told lapses by itself (:data:`HOLDS_SECONDS`), so an engine that dies or hangs shuts nobody out.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from statistics import quantiles
from typing import Final

import structlog

from ledger.alarms import Alarms
from queues.service import Clock
from telephony.ami_link import AmiLink
from telephony.errors import AmiError
from telephony.model import GlobalVar

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 0.25
RATE_LOOKS: Final = 4
"""Rates are of the last so many looks: one second."""
LATE_MS: Final = 200.0
"""A question later than this is late: some fifty times what it takes on a quiet machine. Ours, no standard says."""
CALM_MS: Final = 80.0
ALL: Final = 1000
"""Of a thousand calls: nobody is refused."""
NONE: Final = 0
CUT: Final = 0.85
CUT_EVERY_LOOKS: Final = 3
"""What was let in before a cut still comes: its effect is waited for."""
GROWTH: Final = 0.03
"""For each calm look: 12 % a second."""
FALLING: Final = 0.95
FLOOR_PER_SECOND: Final = 10.0
"""So few calls overload no machine: who is late with them is late for another reason, and nobody is refused."""
HOLDS_SECONDS: Final = 3
"""How long the dialplan goes by what it was told."""
ALARM: Final = "overload"
QUIET_SECONDS: Final = 10.0
"""The alarm stands until nobody was refused for so long."""


class Limit:
    """The pure part: lateness and admitted calls in, a share out. One look after the other."""

    def __init__(self) -> None:
        self.per_second: float | None = None
        """The rate that is let in; None: everybody."""
        self.of_1000 = ALL
        self._looks: deque[tuple[int, int, float]] = deque(maxlen=RATE_LOOKS)
        self._since_cut = CUT_EVERY_LOOKS
        self._late_ms = 0.0
        """What stands in line is being worked off while this falls: no further cut."""

    def look(self, late_ms: float, admitted: int, seconds: float = LOOK_SECONDS) -> int:
        """How many of a thousand are let in from now on, after ``seconds`` in which ``admitted`` calls came through."""
        self._looks.append((admitted, self.of_1000, seconds))
        self._since_cut += 1
        whole = sum(length for *_, length in self._looks)
        let_in = sum(calls for calls, _, _ in self._looks) / whole
        offered = sum(calls * ALL / share for calls, share, _ in self._looks) / whole
        falling, self._late_ms = late_ms < FALLING * self._late_ms, late_ms
        if late_ms > LATE_MS:
            busy = self.per_second is not None or let_in > FLOOR_PER_SECOND
            if busy and not falling and self._since_cut >= CUT_EVERY_LOOKS:
                self._since_cut = 0
                self.per_second = max(FLOOR_PER_SECOND, CUT * min(self.per_second or let_in, let_in))
        elif self.per_second is not None and late_ms < CALM_MS:
            self.per_second *= 1 + GROWTH
            if self.per_second > offered:
                self.per_second = None
        before, self.of_1000 = self.of_1000, ALL
        if self.per_second is not None and offered:
            self.of_1000 = min(ALL, max(1, round(ALL * self.per_second / offered)))
        if late_ms > LATE_MS:  # who comes through late, or not at all, does not show how many stand at the door
            self.of_1000 = min(before, self.of_1000)
        return self.of_1000


class Admission:
    """Looks four times a second, and tells the switch while somebody is to be refused."""

    def __init__(self, switch: AmiLink, alarms: Alarms, clock: Clock, shut: Callable[[], bool] = lambda: False) -> None:
        """``shut``: nobody is let in, because the instance is being drained (calls/drain.py)."""
        self._shut = shut
        self._switch = switch
        self._alarms = alarms
        self._clock = clock
        self._limit = Limit()
        self._late: list[float] = []
        self._refusing_until = 0.0
        self.late_ms = 0.0
        """Of the last look."""

    @property
    def of_1000(self) -> int:
        """How many of a thousand ordinary calls are let in now."""
        return self._limit.of_1000

    def arrived(self, since_ms: int) -> None:
        """A call that the switch took at ``since_ms`` has put its first question."""
        self._late.append(max(0.0, self._clock() - since_ms))

    async def run(self) -> None:
        """For as long as the engine lives."""
        told, before = ALL, time.monotonic()
        while True:
            begun = time.monotonic()
            await asyncio.sleep(LOOK_SECONDS)
            timer_ms = (time.monotonic() - begun - LOOK_SECONDS) * 1000
            looked, before = time.monotonic() - before, time.monotonic()
            late, self._late = self._late, []
            self.late_ms = max(timer_ms, _upper(late))
            share = self._limit.look(self.late_ms, len(late), looked)
            self._note(share)
            if self._shut():
                share = NONE
            if share < ALL or told < ALL:
                await self._tell(share)
            told = share

    async def _tell(self, share: int) -> None:
        until = int(self._clock() / 1000) + HOLDS_SECONDS if share < ALL else 0
        try:
            for name, value in ((GlobalVar.ADMIT, share), (GlobalVar.ADMIT_UNTIL, until)):
                await self._switch.send("Setvar", {"Variable": name, "Value": str(value)}, deadline=1.0)
        except AmiError as error:
            log.warning("switch not told how many calls to let in", share=share, reason=str(error))

    def _note(self, share: int) -> None:
        now = time.monotonic()
        if share < ALL:
            self._refusing_until = now + QUIET_SECONDS
            if ALARM not in self._alarms.standing:
                text = "来电超过本机处理能力，部分来电以 503 拒接，由运营商改走其他路由；请查看来电量，必要时增加机器"
                self._alarms.put(ALARM, text, grave=False)
        elif self._refusing_until and now > self._refusing_until:
            self._refusing_until = 0.0
            self._alarms.clear(ALARM)


def _upper(late: list[float]) -> float:
    """What three of four questions do not exceed: a single straggler is no overload."""
    return quantiles(late, n=4)[2] if len(late) > 1 else max(late, default=0.0)
