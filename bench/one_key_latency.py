"""One key under load: from the last key to the centre's INVITE, and to the moment at which the centre hears a party.

One job: watch one call after the other with phones of our own, while SIPp keeps fifty others talking.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from bench.idle_latency import BETWEEN_KEYS_SECONDS
from bench.seat_floor import FIRST_AGENT, PROBE_NUMBER
from bench.systems_under_test import CENTRE, RING_SECONDS, Name, Side
from phones.centre import Centre
from phones.citizen import Citizen
from phones.errors import PhoneDeadline
from phones.load import CallerLoad
from phones.phone import Answer, Phone, PhoneCall
from phones.seat_phone import SeatPhone
from phones.sounds import quiet, tone
from tests.support.product import until

RATE: Final = 10
TALK_SECONDS: Final = 5.0
"""Ten calls a second that last so long are fifty at the same time."""

LONGEST_PRESS_SECONDS: Final = 20.0
"""SIPp is told beforehand how long to go on at most; it is stopped when the last watched call is over."""

JOIN_TRIES: Final = 3
JOIN_SECONDS: Final = 1.5

NOT_CALLED_SECONDS: Final = 8.0

VOICE_HZ: Final = 440.0
"""Who speaks in a watched call."""


class Way(StrEnum):
    """How the centre is called."""

    ONE_KEY = "one key"
    """The product's *110: caller, agent and centre in a conference."""
    BLIND = "blind transfer"
    """Asterisk's own *1 and 110: the agent is gone, caller and centre talk."""
    ATTENDED = "attended transfer"
    """Asterisk's own *2 and 110, and *3 when the centre has answered: three talk."""

    @property
    def side(self) -> Name:
        return Name.PRODUCT if self is Way.ONE_KEY else Name.STATIC


@dataclass(slots=True)
class Times:
    """What was seen of one way, s, a value for each watched call."""

    invite: list[float] = field(default_factory=list)
    """From the last key's release to the centre's INVITE."""
    missed: int = 0
    """Keys after which the centre was not called: Asterisk did not take them all."""
    talk: list[float] = field(default_factory=list)
    """From the last key's release, of an attended transfer *3, to the first sound of a party in the centre's ear. The
    centre answers at once. With one key the citizen and the agent speak by turns, so that both are seen to be there."""


@dataclass(frozen=True, slots=True)
class Watched:
    """The people of the calls that are watched, on one side."""

    side: Side
    seat: SeatPhone
    centre: Centre
    citizen: Citizen

    async def press(self, way: Way, times: Times) -> None:
        """One call that is handed to the centre."""
        agent_speaks = way is Way.ONE_KEY and len(times.talk) % 2 == 1
        call = await self.citizen.call(PROBE_NUMBER, sound=quiet() if agent_speaks else tone(VOICE_HZ))
        began = self.seat.now
        talk = await _since(self.seat, began, 30)
        talk.say(tone(VOICE_HZ) if agent_speaks else quiet())
        await asyncio.sleep(BETWEEN_KEYS_SECONDS)
        await _keys(talk, way)
        try:
            there = await _since(self.centre, began, NOT_CALLED_SECONDS)
        except PhoneDeadline:
            times.missed += 1
            await self._end(call, talk)
            return
        assert talk.key_released_at is not None
        times.invite.append(there.started_at - talk.key_released_at)
        if way is Way.ATTENDED:
            await self._join(talk, there)
        times.talk.append(await _hears(there) - talk.key_released_at)
        await self._end(call, talk, there)

    async def _end(self, *phones: PhoneCall) -> None:
        for phone in phones:
            if not phone.is_over:
                await phone.hang_up()
        seat = self.seat.user
        await until(lambda: _free(self.side, seat), "the watched seat to be free")

    async def _join(self, talk: PhoneCall, there: PhoneCall) -> None:
        """All three together. A key that comes before Asterisk has put agent and centre together is lost: once more."""
        for _ in range(JOIN_TRIES):
            await asyncio.sleep(BETWEEN_KEYS_SECONDS)
            await talk.send_digits("*3")
            with suppress(TimeoutError):
                await _hears(there, JOIN_SECONDS)
                return


async def watched(side: Side) -> Watched:
    """Bring the people of this side to their phones."""
    running = side.instance
    seat_id = running.table.seats[-1]
    agent = str(FIRST_AGENT + len(running.table.seats) - 1)
    seat = await running.seat(seat_id, agent if side.name is Name.PRODUCT else None)
    centre = await running.centre(CENTRE, tone_hz=None, behaviour=Answer(after=0))
    await until(lambda: _known(side), "the centre to be found by its probe")
    return Watched(side, seat, centre, running.citizen())


async def amid_load(people: Watched, way: Way, presses: int, times: Times, step: Callable[[], None]) -> int:
    """Watch so many calls while others come and go; how many of those others were lost."""
    running, side = people.side.instance, people.side
    load = CallerLoad(
        running.settings.bind, running.settings.sip_port, rate=RATE, seconds=(presses + 1) * LONGEST_PRESS_SECONDS,
        patience=20, hang_up_after=side.prompt_seconds + RING_SECONDS + TALK_SECONDS,
    )  # fmt: skip
    sipp = await load.start()
    try:
        await asyncio.sleep(TALK_SECONDS + 1)
        for _ in range(presses):
            await people.press(way, times)
            step()
        tally = await sipp.stop(grace=30)
    finally:
        if sipp.is_running:
            await sipp.abandon()
    await side.quiet()
    return tally.failed


async def _since(phone: Phone, moment: float, seconds: float) -> PhoneCall:
    """The phone's next call, answered; one that came before this moment is a straggler of the call before."""
    while (call := await phone.wait_ringing(seconds)).started_at < moment:
        pass
    return await call.answered(seconds)


async def _keys(talk: PhoneCall, way: Way) -> None:
    if way is Way.ONE_KEY:
        await talk.send_digits("*110")
        return
    await talk.send_digits("*1" if way is Way.BLIND else "*2")
    await asyncio.sleep(BETWEEN_KEYS_SECONDS)
    await talk.send_digits("110")


async def _known(side: Side) -> bool:
    await side.instance.cli(f"pjsip qualify {CENTRE}")
    return " Avail " in await side.instance.cli(f"pjsip show aor {CENTRE}")


async def _free(side: Side, seat: str) -> bool:
    return side.name is Name.STATIC or await side.instance.seat_is(seat, "ready")


async def _hears(there: PhoneCall, seconds: float = 5) -> float:
    """When the first sound of a party came to the centre."""

    async def heard() -> bool:
        return there.heard.first_loud_at is not None

    await until(heard, "the centre to hear the talk", seconds)
    assert there.heard.first_loud_at is not None
    return there.heard.first_loud_at
