"""An alarm in the log, once a day, while a year's holidays are missing: calls go on by the plain week meanwhile.

One job: remind. What is missing is the lint's to say (routing/lint/days.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final

import structlog

from routing.calendar import city_time
from routing.lint.days import missing_years
from routing.model import Snapshot

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 3600.0


class CalendarWatch:
    """Looks at the table in force."""

    def __init__(self, snapshot: Callable[[], Snapshot]) -> None:
        self._snapshot = snapshot
        self._told: date | None = None

    def look(self, now: datetime) -> None:
        """Say what is missing, unless it was said today. A clock that steps back or forth only says it again."""
        today = city_time(now).date()
        missing = missing_years(self._snapshot().known_years, today)
        if missing and today != self._told:
            self._told = today
            log.warning("holidays missing, the plain week holds", years=missing, remedy="hotline route lint")

    async def run(self) -> None:
        """Look now and every hour."""
        while True:
            self.look(datetime.now(UTC))
            await asyncio.sleep(LOOK_SECONDS)
