"""An alarm while a year's holidays are missing: calls go on by the plain week meanwhile.

One job: look. What is missing is the lint's to say (routing/lint/days.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from ledger.alarms import Alarms
from routing.calendar import city_time
from routing.lint.days import holiday_alarm
from routing.model import Snapshot

LOOK_SECONDS: Final = 60.0
KEY: Final = "holidays"


class CalendarWatch:
    """Looks at the table in force."""

    def __init__(self, snapshot: Callable[[], Snapshot], alarms: Alarms) -> None:
        self._snapshot = snapshot
        self._alarms = alarms

    def look(self, now: datetime) -> None:
        """Raise the alarm, or clear it. It stays raised whatever the clock does meanwhile."""
        text = holiday_alarm(self._snapshot().known_years, city_time(now).date())
        if text:
            self._alarms.put(KEY, text, grave=False)
        else:
            self._alarms.clear(KEY)

    async def run(self) -> None:
        """Look now and every minute."""
        while True:
            self.look(datetime.now(UTC))
            await asyncio.sleep(LOOK_SECONDS)
