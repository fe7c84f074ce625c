"""A centre that answers and cannot be heard has not been reached: the backup is called, and talks with the citizen."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from ledger.model import Kind
from phones.phone import RingForEver
from routing.model import Table
from tests.asterisk.support.scene import Scene, comes_to_hear, hear_each_other, scene, with_groups

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

CITIZEN_HZ, SEAT_HZ, CENTRE_HZ, BACKUP_HZ = 440, 880, 620, 1320
SILENCE_SECONDS = 3

UNUSABLE: dict[str, Callable[[bytes], bytes]] = {
    "G.729 alone": lambda body: re.sub(
        rb"RTP/AVP 8 (\d+)\r\na=rtpmap:8 PCMA/8000", rb"RTP/AVP 18 \1\r\na=rtpmap:18 G729/8000", body
    ),
    "inactive": lambda body: body.replace(b"a=sendrecv", b"a=inactive"),
    "no description": lambda body: b"",
    "refused stream": lambda body: re.sub(rb"m=audio \d+", b"m=audio 0", body),
}


def edited(table: Table) -> Table:
    return with_groups(table)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city() -> AsyncIterator[Scene]:
    async with scene(edited, centre_silence_seconds=SILENCE_SECONDS) as running:
        yield running


@pytest.mark.parametrize("kind", UNUSABLE)
async def test_the_backup_is_called_when_the_centre_cannot_be_heard(here: Scene, kind: str) -> None:
    seat = await here.agent("1001", "8001", SEAT_HZ)
    centre = await here.far_end("emergency-110", tone_hz=CENTRE_HZ)
    backup = await here.far_end("emergency-110-backup", tone_hz=BACKUP_HZ)
    centre.core.describes = UNUSABLE[kind]
    number = f"138000029{list(UNUSABLE).index(kind):02}"
    call = await here.hotline.citizen().call("12345", caller=number)
    talk = await seat.wait_talking(20)
    await talk.send_digits("*110")
    there = await backup.wait_talking(SILENCE_SECONDS + 15)
    await hear_each_other((call, CITIZEN_HZ), (talk, SEAT_HZ), (there, BACKUP_HZ))
    answered = await here.fact(number, Kind.TRANSFER, state="answered")
    assert answered.data["trunk"] == "emergency-110-backup", "the silent one was never told of as reached"
    await call.hang_up()


async def test_a_citizen_who_dialled_110_hears_the_backup(here: Scene) -> None:
    centre = await here.far_end("emergency-110", tone_hz=CENTRE_HZ)
    backup = await here.far_end("emergency-110-backup", tone_hz=BACKUP_HZ)
    centre.core.describes = UNUSABLE["inactive"]
    call = await here.hotline.citizen().call("110", caller="13800002920")
    await backup.wait_talking(SILENCE_SECONDS + 15)
    await comes_to_hear(call, BACKUP_HZ)
    await call.hang_up()


async def test_a_centre_that_answers_on_hold_and_is_back_in_time_is_reached(here: Scene) -> None:
    centre = await here.far_end("emergency-110", tone_hz=CENTRE_HZ)
    backup = await here.far_end("emergency-110-backup", tone_hz=BACKUP_HZ)
    centre.core.describes = UNUSABLE["inactive"]
    call = await here.hotline.citizen().call("110", caller="13800002921")
    there = await centre.wait_talking(15)
    centre.core.describes = lambda body: body
    assert await there.change("sendrecv") == 200
    await hear_each_other((call, CITIZEN_HZ), (there, CENTRE_HZ))
    assert not backup.calls
    await call.hang_up()


@pytest.mark.parametrize("kind", ["inactive", "rings for ever"])
async def test_the_key_of_another_centre_works_while_one_cannot_be_heard(here: Scene, kind: str) -> None:
    seat = await here.agent("1001", "8001", SEAT_HZ)
    dead = await here.far_end("emergency-110", tone_hz=CENTRE_HZ)
    if kind == "inactive":
        dead.core.describes = UNUSABLE[kind]
    else:
        dead.behaviour = RingForEver()
    fire = await here.far_end("emergency-119", tone_hz=BACKUP_HZ)
    number = f"138000029{30 + len(kind)}"
    call = await here.hotline.citizen().call("12345", caller=number)
    talk = await seat.wait_talking(20)
    await talk.send_digits("*110")
    await dead.wait_ringing(20)
    await talk.send_digits("*110")
    await talk.send_digits("*119")
    there = await fire.wait_talking(20)
    await hear_each_other((call, CITIZEN_HZ), (talk, SEAT_HZ), (there, BACKUP_HZ))
    assert len(dead.calls) == 1, "the centre that is on its way is not called twice"
    answered = await here.fact(number, Kind.TRANSFER, state="answered")
    assert answered.data["trunk"] == "emergency-119"
    await talk.send_digits("*120")
    await hear_each_other((call, CITIZEN_HZ), (talk, SEAT_HZ), (there, BACKUP_HZ))
    await call.hang_up()
