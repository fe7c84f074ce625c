"""The last 24 hours by half-hours, from the ledger, for charts.

One job: measure each half-hour once. One that is long over does not change any more and is remembered; the others are
read anew, a piece at a time, so that no call waits for a whole day of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from console.screens.live_board import PastCalls
from ledger.measures import Aims, Measures, half_hour, measures

HALF: Final = timedelta(minutes=30)
DAY: Final = timedelta(days=1)
SETTLED: Final = timedelta(hours=2)
"""A call that rang so long ago is over."""

SHOWN: Final = (
    "calls", "answered", "abandoned", "in_time_from_ring", "in_time_from_prompt", "connection_rate", "speed_of_answer",
    "talk_seconds", "wrap_up_codes",
)  # fmt: skip


class HalfHours:
    """Of one node."""

    def __init__(self, past: PastCalls, aims: Aims, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._past = past
        self._aims = aims
        self._now = now
        self._known: dict[datetime, Measures] = {}
        self._reading = asyncio.Lock()

    async def last_day(self) -> dict[str, Any]:
        """48 half-hours and the one that runs, oldest first. Raises DatabaseError."""
        now = self._now()
        running = half_hour(now)
        starts = [running - DAY + n * HALF for n in range(49)]
        async with self._reading:
            self._known = {start: known for start, known in self._known.items() if start >= starts[0]}
            rows = [{"start_ms": round(start.timestamp() * 1000), **await self._row(start, now)} for start in starts]
        return {"aims": asdict(self._aims), "rows": rows}

    async def _row(self, start: datetime, now: datetime) -> dict[str, Any]:
        found = self._known.get(start)
        if found is None:
            found = measures(await self._past(start, start + HALF), self._aims)
            if now - start - HALF > SETTLED:
                self._known[start] = found
        return {name: getattr(found, name) for name in SHOWN}
