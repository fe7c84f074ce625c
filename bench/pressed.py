"""One key under load: from the last key to the centre's INVITE, and to the moment at which the centre hears the talk.

One job: watch one call after the other with phones of our own, while SIPp keeps fifty others talking.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from bench.floor import FIRST_AGENT, PROBE_NUMBER
from bench.instance import until
from bench.quiet import BETWEEN_KEYS_SECONDS
from bench.sides import CENTRE, RING_SECONDS, Name, Side
from phones.load import CallerLoad
from phones.phone import Answer, PhoneCall

RATE: Final = 10
TALK_SECONDS: Final = 5.0
"""Ten calls a second that last so long are fifty at the same time."""

PRESS_SECONDS: Final = 2.5
"""What one watched call takes; SIPp is told beforehand how long to go on."""

INVITE_LIMIT_MS: Final = 50.0
TALK_LIMIT_MS: Final = 150.0


@dataclass(frozen=True, slots=True)
class Pressed:
    """Times over some calls amid a load, ms: the median and what 99 of 100 do not exceed."""

    side: Name
    presses: int
    invite_ms: tuple[float, float]
    """From the last key's release to the centre's INVITE."""
    talk_ms: tuple[float, float]
    """From there to the first sound of the talk in the centre's ear; the centre answers at once."""


async def pressed(side: Side, presses: int, step: Callable[[], None]) -> Pressed:
    """Hand so many calls to the centre by keys while others come and go."""
    running = side.instance
    seat_id = running.table.seats[-1]
    agent = str(FIRST_AGENT + len(running.table.seats) - 1)
    seat = await running.seat(seat_id, agent if side.name is Name.PRODUCT else None)
    centre = await running.centre(CENTRE, behaviour=Answer(after=0))
    await until(lambda: _known(side), "the centre to be found by its probe")
    citizen = running.citizen()
    load = CallerLoad(
        running.settings.bind, running.settings.sip_port, rate=RATE, seconds=(presses + 4) * PRESS_SECONDS,
        patience=20, hang_up_after=side.prompt_seconds + RING_SECONDS + TALK_SECONDS,
    )  # fmt: skip
    sipp = await load.start()
    invites, talks = [], []
    try:
        await asyncio.sleep(TALK_SECONDS + 1)
        for _ in range(presses):
            call = await citizen.call(PROBE_NUMBER)
            talk = await seat.wait_talking(30)
            await asyncio.sleep(0.3)
            if side.name is Name.STATIC:
                await talk.send_digits("*1")
                await asyncio.sleep(BETWEEN_KEYS_SECONDS)
                await talk.send_digits("110")
            else:
                await talk.send_digits("*110")
            there = await centre.wait_talking(20)
            assert talk.key_released_at is not None
            invites.append(there.started_at - talk.key_released_at)
            talks.append(await _hears(there) - talk.key_released_at)
            await call.hang_up()
            await until(lambda: _free(side, seat_id), "the watched seat to be free")
            step()
    finally:
        await sipp.finish(presses * PRESS_SECONDS + 120)
    return Pressed(side.name, presses, _shares(invites), _shares(talks))


async def _known(side: Side) -> bool:
    await side.instance.cli(f"pjsip qualify {CENTRE}")
    return " Avail " in await side.instance.cli(f"pjsip show aor {CENTRE}")


async def _free(side: Side, seat: str) -> bool:
    return side.name is Name.STATIC or await side.instance.seat_is(seat, "ready")


async def _hears(there: PhoneCall) -> float:
    """When the first sound of the talk came to the centre."""

    async def heard() -> bool:
        return there.heard.first_loud_at is not None

    await until(heard, "the centre to hear the talk", 5)
    assert there.heard.first_loud_at is not None
    return there.heard.first_loud_at


def _shares(seconds: Sequence[float]) -> tuple[float, float]:
    """Median and 99 of 100 (nearest rank), ms."""
    ranked = sorted(seconds)
    at = [ranked[max(0, -(-len(ranked) * share // 100) - 1)] for share in (50, 99)]
    return round(at[0] * 1000, 1), round(at[1] * 1000, 1)
