"""Calls at a rate against one side: what was lost, what it cost, how fast it was answered.

One job: run SIPp and count. A call is complete when the citizen's SIPp ended it well, an agent's phone answered it
and, in the product, the ledger tells all of it; every other call is lost.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from bench.systems_under_test import RING_SECONDS, Name, Side
from phones.load import CalleeLoad, CallerLoad

TALK_SECONDS: Final = 2.5
SETTLE_SECONDS: Final = 11.0
"""After a run the product still drains its journal and judges recordings (every 5 s, 5 s after a call): counted too."""

STAT_SECONDS: Final = 1.2
"""SIPp writes its figures once a second."""

FIRST_RATE: Final = 40
GROWTH: Final = 1.4
LAST_RATE: Final = 200
STEP_SECONDS: Final = 6.0
STEP_TALK_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Run:
    """One load against one side."""

    side: Name
    rate: int
    seconds: float
    calls: int
    lost: int
    told: int
    """Calls that the ledger tells whole; the same as ``calls`` for the static side, which has none."""
    asterisk_ms: float
    """CPU per call, ms."""
    engine_ms: float
    answer_ms: tuple[float, float]
    """From the citizen's INVITE to its 200: median and the time that 95 of 100 do not exceed, ms."""

    @property
    def cpu_ms(self) -> float:
        return self.asterisk_ms + self.engine_ms


async def run(
    side: Side, seats: CalleeLoad, rate: int, seconds: float, *, talk: float = TALK_SECONDS, settle: float = 0.0,
    voices: bool = False,
) -> Run:  # fmt: skip
    """Make ``rate`` complete calls a second for ``seconds``; CPU is counted to the end of ``settle``."""
    settings = side.instance.settings
    await side.quiet()
    await asyncio.sleep(STAT_SECONDS)
    answered, cpu = seats.answered(), side.cpu()
    load = CallerLoad(
        settings.bind, settings.sip_port, rate=rate, seconds=seconds, patience=20,
        hang_up_after=side.prompt_seconds + RING_SECONDS + talk, audio=side.voice if voices else None,
    )  # fmt: skip
    tally = await load.run()
    await asyncio.sleep(max(settle, STAT_SECONDS))
    await side.quiet()
    used = side.cpu().since(cpu)
    whole = min(tally.succeeded, seats.answered() - answered)
    told = tally.created if side.name is Name.STATIC else await side.told(tally.created)
    return Run(
        side.name, rate, seconds, tally.created, tally.created - min(whole, told), told,
        _ms(used.asterisk / tally.created), _ms(used.engine / tally.created),
        (_ms(tally.answer_share(0.5)), _ms(tally.answer_share(0.95))),
    )  # fmt: skip


def rates() -> list[int]:
    """The steps of the search for the highest rate without loss."""
    found = [FIRST_RATE]
    while (after := round(found[-1] * GROWTH)) <= LAST_RATE:
        found.append(after)
    return found


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)
