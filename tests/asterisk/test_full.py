"""Every ordinary call that is let in is up: what an emergency and those who already talk need is there all the same."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from phones.errors import CallFailed
from phones.phone import Answer, PhoneCall
from phones.sounds import quiet
from routing.model import Table
from tests.asterisk.support.scene import Scene, hear_each_other, scene, soon, with_groups
from tests.support.ports import own_slice

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

CITIZEN_HZ, SEAT_HZ, CENTRE_HZ = 440, 880, 620
PORTS = 100
"""The fewest that the settings allow: 25 calls, 20 of them ordinary."""


def edited(table: Table) -> Table:
    return with_groups(table)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city() -> AsyncIterator[Scene]:
    first = own_slice().rtp.start
    async with scene(edited, rtp_start=first, rtp_end=first + PORTS - 1, caller_silence_seconds=8) as running:
        yield running


async def fill(here: Scene, room: int) -> list[PhoneCall]:
    """So many citizens wait."""
    citizen = here.hotline.citizen()
    calls = [await citizen.call("12345", caller=f"135{n:08}", sound=quiet()) for n in range(room)]
    for call in calls:
        await call.answered(20)
    return calls


async def refused(here: Scene, caller: str) -> int:
    call = await here.hotline.citizen().call("12345", caller=caller, sound=quiet())
    with pytest.raises(CallFailed):
        await call.answered(20)
    return call.status


async def test_at_the_limit_the_keys_work_and_110_is_reached(here: Scene) -> None:
    room = here.hotline.plan.capacity.ordinary
    assert room == 20
    centre = await here.far_end("emergency-110", tone_hz=CENTRE_HZ, behaviour=Answer(0.1))
    seats = [await here.agent(f"10{n:02}", f"80{n:02}", SEAT_HZ + 100 * n) for n in (1, 2)]
    citizens = [await here.hotline.citizen().call("12345", caller=f"1360000000{n}") for n in (1, 2)]
    talks = [await seat.wait_talking(20) for seat in seats]
    waiting = await fill(here, room - len(talks))
    assert await refused(here, "13700000001") == 503
    assert await refused(here, "13700000002") == 503

    await talks[0].send_digits("*110")
    there = await centre.wait_talking(20)
    caller = next(call for call, n in zip(citizens, (1, 2), strict=True) if talks[0].caller == f"1360000000{n}")
    await hear_each_other((caller, CITIZEN_HZ), (talks[0], SEAT_HZ + 100), (there, CENTRE_HZ))

    rows = (await here.hotline.ask("/api/queues"))["calls"]
    (other,) = (row["call"] for row in rows if row["phase"] == "talking" and row["seat"] == "8002")
    await here.hotline.ask(f"/api/calls/{other}/transfer", {"target": "110", "form": "one-key"})
    await soon(lambda: len(centre.calls) == 2 and centre.calls[1].is_talking, "the second citizen's 110")
    caller = next(call for call in citizens if call is not caller)
    await hear_each_other((caller, CITIZEN_HZ), (talks[1], SEAT_HZ + 200), (centre.calls[1], CENTRE_HZ))

    direct = await here.hotline.citizen().call("110", caller="13700000003")
    await direct.answered(20)
    assert len(centre.calls) == 3

    for call in (direct, *citizens, *waiting):
        await call.hang_up()
    await here.quiet()
    again = await here.hotline.citizen().call("12345", caller="13700000004", sound=quiet())
    await again.answered(20)
    await again.hang_up()


async def test_a_waiting_caller_from_whom_nothing_comes_any_more_is_given_up(here: Scene) -> None:
    """The carrier has lost the call and sends no BYE."""
    mute = here.hotline.citizen()
    mute.voice = lambda: None
    gone = await mute.call("12345", caller="13700000005", tone_hz=None)
    there = await here.hotline.citizen().call("12345", caller="13700000006", sound=quiet())
    await gone.answered(20)
    await there.answered(20)
    await gone.ended(30)
    assert (await here.told("13700000005")).end_cause == "44"
    assert not there.is_over
    await there.hang_up()
