"""An alarm for a centre that a whole month has passed without a drill (演练) of.

One job: ask the ledger now and then. What is overdue is ledger/drill_report.py's to say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from database.errors import DatabaseError
from ledger.alarms import Alarms
from ledger.drill_report import Drill, overdue
from telephony.model import EMERGENCY_NUMBERS
from transfers.drills.service import alarm_of

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 600.0
TEXT: Final = (
    "{target} 上个月没有成功演练，本月也还没有；请用空闲话机拨 *9{target}，或运行 ./hotline drill start {target}"
)


class DrillReminder:
    """Of one node."""

    def __init__(
        self,
        held: Callable[[], Awaitable[Sequence[Drill]]],
        began: Callable[[], Awaitable[datetime | None]],
        alarms: Alarms,
        zone: tzinfo,
    ) -> None:
        """``held``: every drill that the ledger knows; ``began``: its first fact. Both may raise DatabaseError."""
        self._held = held
        self._began = began
        self._alarms = alarms
        self._zone = zone

    async def look(self, now: datetime) -> None:
        """Raise the alarms and clear them. Raises DatabaseError and its kin."""
        late = overdue(await self._held(), EMERGENCY_NUMBERS, await self._began(), now, self._zone)
        for target in EMERGENCY_NUMBERS:
            if target in late:
                self._alarms.put(alarm_of(target), TEXT.format(target=target), grave=False)
            else:
                self._alarms.clear(alarm_of(target))

    async def run(self) -> None:
        """Look now and every ten minutes; a database that is away is asked again."""
        while True:
            try:
                await self.look(datetime.now(UTC))
            except (DatabaseError, SQLAlchemyError, OSError) as error:
                log.warning("drills not looked at", reason=str(error))
            await asyncio.sleep(LOOK_SECONDS)
