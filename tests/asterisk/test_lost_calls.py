"""Lost calls (漏接) on a real switch: listed by citizen, made good by a talk, called back by an agent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from ledger.model import Kind
from phones.phone import Answer
from routing.model import CallOutPolicy, Table, WaitingNews
from telephony.model import CallOutClass
from tests.asterisk.support.callbacks import CITIZEN_HZ, NO_PROMPT, SEAT_HZ, telephone
from tests.asterisk.support.scene import Scene, hear_each_other, scene, until, with_groups

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


def edited(table: Table) -> Table:
    groups = tuple(replace(group, call_out=CallOutClass.MOBILE) for group in with_groups(table).groups)
    policy = CallOutPolicy("9", "", 10, 100, 50, 100, lost_seconds=0)
    return replace(table, groups=groups, call_out=policy, waiting_news=WaitingNews(first_seconds=0))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def city() -> AsyncIterator[Scene]:
    async with scene(edited, wait_slice_seconds=2) as here:
        yield here


async def row_of(here: Scene, caller: str) -> dict[str, Any]:
    answer = await here.hotline.ask("/api/lost-calls")
    masked = f"{caller[:3]}****{caller[-4:]}"
    return next((row for row in answer["lost_calls"] if row["number"] == masked), {})


async def becomes(here: Scene, caller: str, **fields: Any) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []

    async def so() -> bool:
        rows[:] = [await row_of(here, caller)]
        return bool(rows[0]) and all(rows[0][name] == value for name, value in fields.items())

    await until(so, f"the lost call of {caller} to be {fields}")
    return rows[0]


async def gives_up(here: Scene, caller: str, written: str = "") -> None:
    """A citizen waits in vain; the carrier may write the number in another form."""
    call = await here.hotline.citizen().call(NO_PROMPT, caller=written or caller)
    await here.fact(caller, Kind.WAITING)
    await call.hang_up()
    await here.fact(caller, Kind.ENDED)


async def test_a_citizen_who_calls_again_and_is_served_is_lost_no_more(here: Scene) -> None:
    await gives_up(here, "13600006001")
    await becomes(here, "13600006001", open=True, times=1, why="abandoned")
    await gives_up(here, "13600006001", "+8613600006001")
    await becomes(here, "13600006001", open=True, times=2)
    call = await here.hotline.citizen().call(NO_PROMPT, caller="013600006001")
    seat = await here.agent("1001", "8001", SEAT_HZ)
    await seat.wait_talking(15)
    row = await becomes(here, "13600006001", open=False)
    assert (row["ended"], row["times"]) == ("redialled", 2)
    await call.hang_up()


async def test_an_agent_calls_back_without_seeing_the_number_and_the_row_is_closed(here: Scene) -> None:
    await gives_up(here, "13600006101")
    lost = await becomes(here, "13600006101", open=True)
    phones = await telephone(here, behaviour=Answer(after=1))
    seat = await here.agent("1001", "8001", SEAT_HZ, behaviour=Answer(after=0))
    made = await here.hotline.ask("/api/agents/1001/calls", {"call": lost["call"]})
    assert (made["number"], made["about"]) == ("136****6101", lost["call"])
    rung = await phones.called(15)
    assert rung.dialled == "13600006101"
    await hear_each_other((rung, CITIZEN_HZ), (seat.talk, SEAT_HZ), seconds=20)
    row = await becomes(here, "13600006101", open=False)
    assert row["ended"] == "called-back"
    await rung.hang_up()
    answer = await here.hotline.ask("/api/lost-calls")
    assert answer["figures"]["called_back"] == 1
    assert len(phones.calls) == 1, "once"
