"""How fast the switch is when nobody else calls: the way to the agent, and one key to the centre.

One job: one call after the other, with phones of our own that read the clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Final

from bench.systems_under_test import CENTRE, Name, Side
from phones.seat_phone import SeatPhone
from tests.support.product import until

SEAT: Final = "8001"
AGENT: Final = "1001"
BETWEEN_KEYS_SECONDS: Final = 0.3
"""Asterisk's own transfer asks for the number after its code."""


@dataclass(frozen=True, slots=True)
class Quick:
    """Medians over some calls, ms."""

    side: Name
    presses: int
    agent_ms: float
    """From the citizen's INVITE to the agent's, without the prompt's length."""
    centre_ms: float
    """From the last key's release to the centre's INVITE: *110, or *1 and 110 of Asterisk's own blind transfer."""


async def quick(side: Side, presses: int, step: Callable[[], None]) -> Quick:
    """Make ``presses`` calls, each handed to the centre by keys."""
    running = side.instance
    seat = await running.seat(SEAT, AGENT if side.name is Name.PRODUCT else None)
    centre = await running.centre(CENTRE)
    citizen = running.citizen()
    to_agent, to_centre = [], []
    for _ in range(presses):
        call = await citizen.call("12345")
        talk = await seat.wait_talking(20)
        to_agent.append(talk.started_at - call.started_at - side.prompt_seconds)
        await asyncio.sleep(0.5)
        if side.name is Name.STATIC:
            await talk.send_digits("*1")
            await asyncio.sleep(BETWEEN_KEYS_SECONDS)
            await talk.send_digits("110")
        else:
            await talk.send_digits("*110")
        reached = await centre.called()
        assert talk.key_released_at is not None
        to_centre.append(reached.started_at - talk.key_released_at)
        await call.hang_up()
        await _free(side, seat)
        step()
    return Quick(side.name, presses, round(median(to_agent) * 1000, 1), round(median(to_centre) * 1000, 1))


async def _free(side: Side, seat: SeatPhone) -> None:
    await side.quiet()
    if side.name is Name.PRODUCT:
        await until(lambda: side.instance.seat_is(SEAT, "ready"), "the seat to be free")
