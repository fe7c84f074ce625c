"""The engine's clock: Unix milliseconds that never step, and what the wall clock says beside it.

One job: time. Ages and deadlines are measured by it, so a wall clock that is set, or a machine that slept, makes nobody
wait longer or shorter. The switch writes by the wall clock when a call began: :meth:`SteadyClock.from_wall`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog

from ledger.alarms import Alarms

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

STEP_MS: Final = 1000
"""What the two clocks may drift apart before it is a step; they are slewed together by NTP."""

LOOK_SECONDS: Final = 1.0
SHOWN_SECONDS: Final = 3600.0
ALARM: Final = "clock-step"


class SteadyClock:
    """One wall reading plus the monotonic clock."""

    def __init__(
        self, wall_ns: Callable[[], int] = time.time_ns, steady_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._wall_ns = wall_ns
        self._steady_ns = steady_ns
        self._offset_ns = wall_ns() - steady_ns()

    def __call__(self) -> int:
        return (self._steady_ns() + self._offset_ns) // 1_000_000

    @property
    def ahead_ms(self) -> int:
        """How far the wall clock is ahead of this one; negative when it is behind."""
        return self._wall_ns() // 1_000_000 - self()

    def from_wall(self, at_ms: int) -> int:
        """A moment that was read from the wall clock since its last step, on this clock; never in the future.

        0, no moment, stays 0.
        """
        ahead = self.ahead_ms
        ours = at_ms - ahead if abs(ahead) >= STEP_MS else at_ms
        return min(ours, self()) if at_ms else 0


class ClockWatch:
    """Compares the two each second, and tells of a step."""

    def __init__(self, clock: SteadyClock, alarms: Alarms) -> None:
        self._clock = clock
        self._alarms = alarms
        self._ahead_ms = clock.ahead_ms
        self._stepped_ms: int | None = None

    async def run(self) -> None:
        """For ever."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """One comparison."""
        ahead = self._clock.ahead_ms
        step, self._ahead_ms = ahead - self._ahead_ms, ahead
        if abs(step) >= STEP_MS:
            self._stepped_ms = self._clock()
            log.error("wall clock stepped", step_ms=step)
            self._alarms.clear(ALARM)
            self._alarms.put(
                ALARM,
                f"系统时钟{'向前' if step > 0 else '向后'}跳了 {abs(step) / 1000:.0f} 秒（改了时间，或机器休眠过）："
                "等候时长和各项期限照常计算，话单和录音记的时刻以新时间为准；请检查 NTP，并在空闲时重启引擎",
                grave=False,
            )
        elif self._stepped_ms is not None and self._clock() - self._stepped_ms > SHOWN_SECONDS * 1000:
            self._stepped_ms = None
            self._alarms.clear(ALARM)
