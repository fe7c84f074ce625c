"""Work that goes on beside the calls for as long as the engine lives, and is begun anew after any surprise.

One job: that no fault ends such work in silence. What the work expects to go wrong it deals with itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

PAUSE_SECONDS: Final = 5.0
"""Between a surprise and the next try: a fault that stays must fill neither the log nor the processor."""


def run_supervised(name: str, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
    """Start it; it ends by returning or by cancellation only. ``name`` is for the log."""
    return asyncio.get_running_loop().create_task(_restart_on_error(name, work), name=name)


async def _restart_on_error(name: str, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await work()
        except Exception:
            log.exception("work beside the calls failed and is begun anew", work=name, pause_seconds=PAUSE_SECONDS)
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            return
