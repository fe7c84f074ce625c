"""SIPp under our control, against a bare Asterisk: its calls, its statistics, its end."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from asterisk_conf.bundle import find_asterisk
from phones.errors import CallFailed, SippFailed
from phones.load import CalleeLoad, CallerLoad
from phones.media import free_udp_port
from phones.phone import Answer, Refuse, RingForEver
from phones.seat_phone import SeatPhone
from phones.sipp_citizen import SippCitizen
from phones.tones import tone_share
from tests.asterisk.support.bare_asterisk import bare_asterisk
from tests.asterisk.support.small_switch import MODULES, PASSWORD, small_switch

pytestmark = pytest.mark.asterisk

HOST = "127.0.0.1"


@pytest.fixture
async def ports() -> AsyncIterator[tuple[int, int]]:
    """A switch's ports for trunks and seats."""
    program = await asyncio.to_thread(find_asterisk, print)
    trunks, seats = free_udp_port(), free_udp_port()
    async with AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bare-")))
        files = small_switch(trunks, seats, free_udp_port(), sha256=False)
        await stack.enter_async_context(bare_asterisk(program, home, files, MODULES))
        yield trunks, seats


async def test_every_call_of_a_load_is_counted(ports: tuple[int, int]) -> None:
    trunks, seats = ports
    async with CalleeLoad(HOST, seats, local_port=free_udp_port(), users={"8001": PASSWORD}, talk=0.5) as callee:
        tally = await CallerLoad(HOST, trunks, rate=5, seconds=2, patience=10).run()
        assert (tally.created, tally.succeeded, tally.failed, tally.answered) == (10, 10, 0, 10)
        assert len(tally.answer_seconds) == 10
        assert 0.1 <= tally.answer_share(0.5) <= tally.answer_share(0.95) < 10
        tally = await CallerLoad(HOST, trunks, rate=5, seconds=1, hang_up_after=0.2, patience=10).run()
        assert (tally.succeeded, tally.failed) == (5, 0)
        assert (await callee.stop()).answered == 15
    tally = await CallerLoad(HOST, trunks, rate=5, seconds=1, patience=5).run()  # nobody is registered now
    assert (tally.succeeded, tally.failed, tally.answered) == (0, 5, 0)
    assert "404" in tally.errors


async def test_a_wrong_password_is_told(ports: tuple[int, int]) -> None:
    callee = CalleeLoad(HOST, ports[1], local_port=free_udp_port(), users={"8001": "wrong"})
    with pytest.raises(SippFailed, match=r"1 of 1 users could not register[\s\S]*401"):
        await callee.start()


async def test_sipp_signals_while_we_talk_and_listen(ports: tuple[int, int]) -> None:
    trunks, seats = ports
    async with SippCitizen(HOST, trunks) as citizen, SeatPhone(HOST, seats, "8001", PASSWORD, tone_hz=880) as seat:
        call = await (await citizen.call("12345", tone_hz=440)).answered()
        talk = await seat.wait_talking()
        await asyncio.sleep(1)
        await call.send_digits("5")
        await asyncio.sleep(0.3)
        assert talk.heard.digits == "5"
        assert tone_share(call.heard.pcm(), 880) > 0.7
        assert tone_share(talk.heard.pcm(), 440) > 0.7
        await talk.hang_up()
        await call.ended(5)
        assert (call.status, call.ended_by_us) == (200, False)


async def test_a_call_of_sipp_is_hung_up_on_demand(ports: tuple[int, int]) -> None:
    trunks, seats = ports
    async with SippCitizen(HOST, trunks) as citizen, SeatPhone(HOST, seats, "8001", PASSWORD) as seat:
        call = await (await citizen.call("12345")).answered()
        talk = await seat.wait_talking()
        await call.hang_up()
        await talk.ended(5)
        assert (call.ended_by_us, talk.ended_by_us) == (True, False)
        seat.behaviour = RingForEver()
        call = await citizen.call("12345")
        rings = await seat.wait_ringing()
        await call.hang_up()
        assert ((await rings.ended(5)).status, call.status) == (487, 487)
        seat.behaviour = Refuse(480)
        with pytest.raises(CallFailed, match="480"):
            await (await citizen.call("12345")).answered()
        seat.behaviour = Answer()
        call = await (await citizen.call("12345", longest=0.3)).ended(10)
        assert (call.status, call.ended_by_us) == (200, True)
