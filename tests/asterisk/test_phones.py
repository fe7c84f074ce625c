"""The phones against a real Asterisk without the product: what they report is what happened."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from asterisk_conf.bundle import find_asterisk
from phones.centre import Centre, asserted_identity
from phones.citizen import Citizen
from phones.errors import CallFailed, RegistrationRefused
from phones.media import free_udp_port
from phones.phone import Answer, Refuse, RingForEver
from phones.seat_phone import SeatPhone
from phones.tones import tone_share
from tests.asterisk.support.bare_asterisk import BareAsterisk, bare_asterisk
from tests.asterisk.support.small_switch import MODULES, PASSWORD, small_switch

pytestmark = pytest.mark.asterisk


@dataclass
class Rig:
    citizen: Citizen
    seat: SeatPhone
    centre: Centre
    switch: BareAsterisk
    seat_port: int


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    program = await asyncio.to_thread(find_asterisk, print)
    trunks, seats = free_udp_port(), free_udp_port()
    async with AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bare-")))
        centre = await stack.enter_async_context(Centre(0))
        files = small_switch(trunks, seats, centre.address[1])
        switch = await stack.enter_async_context(bare_asterisk(program, home, files, MODULES))
        citizen = await stack.enter_async_context(Citizen("127.0.0.1", trunks))
        seat = await stack.enter_async_context(SeatPhone("127.0.0.1", seats, "8001", PASSWORD, tone_hz=880))
        yield Rig(citizen, seat, centre, switch, seats)


async def test_both_hear_each_other_and_the_keys(rig: Rig) -> None:
    call = await (await rig.citizen.call("12345", tone_hz=440)).answered()
    talk = await rig.seat.wait_talking()
    await asyncio.sleep(1.5)
    await talk.send_digits("*110")
    await call.send_digits("5")
    await asyncio.sleep(0.3)
    assert talk.caller == "13800001234"
    assert tone_share(call.heard.pcm(call.answered_at, call.answered_at and call.answered_at + 1.5), 880) > 0.8
    assert tone_share(talk.heard.pcm(talk.answered_at, talk.answered_at and talk.answered_at + 1.5), 440) > 0.8
    assert (call.heard.digits, talk.heard.digits) == ("*110", "5")
    await call.hang_up()
    await talk.ended(5)
    assert (call.ended_by_us, talk.ended_by_us, talk.reason) == (True, False, "Q.850;cause=16")


async def test_a_seat_hangs_up_refuses_rings_or_is_dead(rig: Rig) -> None:
    rig.seat.behaviour = Answer(hang_up_after=0.2)
    call = await (await rig.citizen.call("12345")).ended(10)
    assert (call.status, call.ended_by_us) == (200, False)
    for status in (480, 503):
        rig.seat.behaviour = Refuse(status)
        call = await rig.citizen.call("12345")
        with pytest.raises(CallFailed) as failed:
            await call.answered(10)
        assert failed.value.status == status
    rig.seat.behaviour = RingForEver()
    call = await (await rig.citizen.call("12345")).ringing(5)
    await call.hang_up()
    assert call.status == 487
    assert (await rig.seat.talk.ended(5)).status == 487


async def test_a_withheld_caller_and_a_pressed_key(rig: Rig) -> None:
    rig.seat.behaviour = Refuse(486)
    call = await (await rig.citizen.call("12345", caller=None)).answered()
    await call.send_digits("7")
    await call.ended(20)
    assert call.heard.digits == "77"
    assert rig.seat.talk.caller == "anonymous"


@pytest.mark.parametrize(("number", "length"), [("1" * 300, "79"), ("1%24%7BEXTEN%7D", "9"), ("1&,;", "4")])
async def test_any_number_reaches_the_dialplan(rig: Rig, number: str, length: str) -> None:
    call = await (await rig.citizen.call(number)).ended(20)
    assert (call.status, call.heard.digits) == (200, length)


async def test_a_centre_knows_who_was_announced(rig: Rig) -> None:
    call = await (await rig.citizen.call("110", caller="13900001111")).answered()
    came = await rig.centre.called()
    assert asserted_identity(came) == "13900001111"
    assert came.started_at >= call.started_at
    await came.hang_up()
    await call.ended(5)


async def test_a_seat_dials_and_a_wrong_password_is_refused(rig: Rig) -> None:
    call = await (await rig.seat.call("*11")).ended(10)
    assert (call.status, call.heard.digits) == (200, "11")
    with pytest.raises(RegistrationRefused):
        await SeatPhone("127.0.0.1", rig.seat_port, "8001", "wrong").__aenter__()
    await rig.seat.unregister()
    assert "8001@" not in await rig.switch.cli("pjsip show contacts")
