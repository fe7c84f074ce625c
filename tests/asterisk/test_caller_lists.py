"""Callers on a list of the table: who is served first, what the agent's phone shows, and that nobody is turned away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from ledger.model import Kind
from routing.model import CallerList, ListedCaller, Table
from tests.asterisk.support.scene import Scene, scene, with_groups

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

NUISANCE, FAVOURED, STAFF, FORGIVEN, STRANGER = (f"1370000010{n}" for n in range(5))
NO_PROMPT = "12320"
"""A number whose transition has not begun: no prompt, so that callers stand in line at once."""


def edited(table: Table) -> Table:
    past = datetime.now(UTC) - timedelta(seconds=1)
    rows = (
        ListedCaller(NUISANCE, CallerList.NUISANCE, "一天来电 30 次", past + timedelta(days=1)),
        ListedCaller(FAVOURED, CallerList.PRIORITY, "行动不便"),
        ListedCaller(STAFF, CallerList.STAFF, "值班室"),
        ListedCaller(FORGIVEN, CallerList.NUISANCE, "已到期", past),
    )
    return replace(with_groups(table), callers=rows)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city() -> AsyncIterator[Scene]:
    async with scene(edited) as running:
        yield running


async def test_the_priority_list_is_served_first_the_nuisance_list_last_and_all_are_shown(here: Scene) -> None:
    calls = []
    for caller in (NUISANCE, STAFF, FORGIVEN, STRANGER, FAVOURED):
        calls.append(await here.hotline.citizen().call(NO_PROMPT, caller=caller))
        await here.fact(caller, Kind.WAITING)
    seat = await here.agent("1001", "8001")
    shown = []
    for _ in calls:
        talk = await seat.wait_talking(20)
        shown.append((talk.caller, talk.header("From").partition("<")[0].strip(' "')))
        await talk.hang_up()
    assert shown == [
        (FAVOURED, "优先名单"),
        (STAFF, "内部人员"),
        (FORGIVEN, ""),
        (STRANGER, ""),
        (NUISANCE, "骚扰名单"),
    ]
    entered = await here.fact(NUISANCE, Kind.ENTERED)
    assert str(entered.data["reason"]).endswith("来电人在骚扰名单，排在其他来电之后，照常接通")
    for call in calls:
        await call.hang_up()


async def test_a_withheld_number_matches_nothing_and_no_list_keeps_anybody_from_a_centre(here: Scene) -> None:
    centre = await here.hotline.centre("emergency-110")
    direct = await here.hotline.citizen().call("110", caller=NUISANCE)
    there = await centre.wait_talking(20)
    assert "骚扰" not in str(there.headers())
    await direct.hang_up()
    seat = await here.agent("1001", "8001")
    network = (("P-Asserted-Identity", f"<sip:{NUISANCE}@127.0.0.1>"),)
    hidden = await here.hotline.citizen().call(NO_PROMPT, caller=None, headers=network)
    talk = await seat.wait_talking(20)
    assert "名单" not in talk.header("From")
    entered = await here.fact(NUISANCE, Kind.ENTERED, rule="legacy.full.before")
    assert "名单" not in str(entered.data["reason"])
    await hidden.hang_up()
