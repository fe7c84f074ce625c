"""A centre that wants a briefing hears who calls, alone, before the caller joins; the others talk on meanwhile."""

from __future__ import annotations

import signal
from array import array
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from phones.phone import PhoneCall
from phones.sounds import quiet
from phones.tones import spoken
from routing.model import Table
from tests.asterisk.support.scene import (
    Scene,
    comes_to_hear,
    hear_each_other,
    hears,
    scene,
    soon,
    states,
    with_groups,
)  # fmt: skip

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

CITIZEN_HZ, SEAT_HZ, CENTRE_HZ = 440, 880, 620


def edited(table: Table) -> Table:
    trunks = (replace(one, briefing=one.role == "emergency") for one in table.trunks)
    return replace(with_groups(table), trunks=tuple(trunks))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city() -> AsyncIterator[Scene]:
    async with scene(edited) as running:
        yield running


def briefing(here: Scene, caller: str) -> list[array[int]]:
    """What a centre shall hear of this caller, piece by piece."""
    return [here.prompt("briefing-caller"), *(here.prompt(f"digit-{digit}") for digit in caller)]


async def briefed(here: Scene, there: PhoneCall, caller: str) -> float:
    """The centre has heard it whole, and nothing of the citizen or the agent before its end; how long it took."""
    wanted, took = briefing(here, caller), 0.0
    assert there.answered_at is not None

    def whole() -> bool:
        nonlocal took
        took = spoken(there.heard.pcm(there.answered_at), wanted) or 0.0
        return took > 0

    await soon(whole, "the centre to hear who calls")
    for hz in (CITIZEN_HZ, SEAT_HZ):
        assert hears(there, hz, there.answered_at + 0.3, there.answered_at + took - 0.5) < 0.2, f"{hz} Hz meanwhile"
    return took


async def test_the_centre_alone_hears_who_calls_the_others_talk_on_and_join_after_it(here: Scene) -> None:
    seat = await here.agent("1001", "8001", SEAT_HZ)
    centre = await here.far_end("emergency-110", tone_hz=CENTRE_HZ)
    caller = "13900000051"
    call = await here.hotline.citizen().call("12345", caller=caller, tone_hz=CITIZEN_HZ)
    talk = await seat.wait_talking(20)
    await talk.send_digits("*110")
    there = await centre.wait_talking(20)
    begun = there.answered_at
    assert begun is not None
    lasts = sum(map(len, briefing(here, caller))) / 8000
    assert lasts <= 6.8, "bounded: six of these eleven digits are the longest ones"
    await hear_each_other((call, CITIZEN_HZ), (talk, SEAT_HZ), (there, CENTRE_HZ), seconds=20)
    seconds = await briefed(here, there, caller)
    for listener, hz in ((call, SEAT_HZ), (talk, CITIZEN_HZ)):
        assert hears(listener, hz, begun + 0.5, begun + seconds - 0.5) > 0.6, "they talk on meanwhile"
        assert here.heard(listener, "briefing-caller", begun, begun + seconds) < 0.5
    assert await states(here, caller) == ["asked", "dialling", "answered"]
    await call.hang_up()


async def test_a_centre_that_hangs_up_in_its_briefing_was_not_reached_and_the_backup_is_briefed(here: Scene) -> None:
    seat = await here.agent("1001", "8001", SEAT_HZ)
    main = await here.far_end("emergency-119", tone_hz=CENTRE_HZ)
    backup = await here.far_end("emergency-119-backup", tone_hz=CENTRE_HZ)
    caller = "13900000052"
    call = await here.hotline.citizen().call("12345", caller=caller, tone_hz=CITIZEN_HZ)
    talk = await seat.wait_talking(20)
    await talk.send_digits("*119")
    there = await main.wait_talking(20)
    await soon(lambda: here.heard(there, "briefing-caller") > 0.75, "the briefing to have begun")
    await there.hang_up()
    second = await backup.wait_talking(20)
    await hear_each_other((call, CITIZEN_HZ), (talk, SEAT_HZ), (second, CENTRE_HZ), seconds=20)
    await briefed(here, second, caller)
    await call.hang_up()


async def test_an_engine_killed_in_the_briefing_keeps_nobody_apart(here: Scene) -> None:
    seat = await here.agent("1001", "8001", SEAT_HZ)
    centre = await here.far_end("emergency-120", tone_hz=CENTRE_HZ)
    caller = "13900000053"
    call = await here.hotline.citizen().call("12345", caller=caller, tone_hz=CITIZEN_HZ)
    talk = await seat.wait_talking(20)
    await talk.send_digits("*120")
    there = await centre.wait_talking(20)
    await here.hotline.signal_engine(signal.SIGKILL)
    await hear_each_other((call, CITIZEN_HZ), (talk, SEAT_HZ), (there, CENTRE_HZ), seconds=20)
    await briefed(here, there, caller)
    await call.hang_up()


async def test_who_dials_a_centre_directly_hears_ringing_until_it_was_briefed_and_a_withheld_number_is_said(
    here: Scene,
) -> None:
    centre = await here.far_end("emergency-122", tone_hz=CENTRE_HZ)
    network = (("P-Asserted-Identity", "<sip:13900000054@127.0.0.1>"),)
    call = await here.hotline.citizen().call("122", caller=None, headers=network, tone_hz=CITIZEN_HZ)
    there = await centre.wait_talking(20)
    await comes_to_hear(there, CITIZEN_HZ)
    await briefed(here, there, "13900000054")
    await comes_to_hear(call, CENTRE_HZ)
    await call.hang_up()


async def test_a_caller_without_a_number_is_told_as_unknown(here: Scene) -> None:
    centre = await here.far_end("emergency-110", tone_hz=None)
    call = await here.hotline.citizen().call("110", caller=None)
    call.say(quiet())
    there = await centre.wait_talking(20)
    await soon(lambda: here.heard(there, "briefing-unknown") > 0.75, "the centre to hear that nobody knows the number")
    await call.hang_up()
