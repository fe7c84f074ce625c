"""Announcements on the line: those of the table at entry, and one that a supervisor raises to all at once."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from ledger.model import Kind
from phones.phone import PhoneCall
from phones.tones import similarity
from routing.model import Announcement, Table
from tests.asterisk.support.scene import Scene, begins, hears, scene, soon, with_groups

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

RATE = 8000
NO_PROMPT = "12320"
RAISED = "announcement-disaster"


def edited(table: Table) -> Table:
    now = datetime.now(UTC)
    day = timedelta(days=1)
    more = (
        Announcement("storm", "受台风影响，部分线路繁忙。", now - day, now + day, numbers=("12333",)),
        Announcement("past", "昨天的公告已经结束了。", now - day, now - timedelta(seconds=1)),
    )
    table = with_groups(table)
    return replace(table, announcements=(*table.announcements, *more))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city() -> AsyncIterator[Scene]:
    async with scene(edited, wait_slice_seconds=2) as running:
        yield running


def rest_of(here: Scene, call: PhoneCall, prompt: str) -> float:
    return similarity(call.heard.pcm(), here.prompt(prompt)[-RATE:])


async def test_all_callers_hear_what_is_raised_those_who_wait_too_and_an_offer_cuts_it_off(here: Scene) -> None:
    seat = await here.agent("1001", "8001")
    await here.hotline.ask("/api/agents/1001/pause", {"reason": "小休"})
    waits = await here.hotline.citizen().call(NO_PROMPT, caller="13600003001")
    await here.fact("13600003001", Kind.WAITING)
    await here.hotline.ask("/api/announcements/raise", {"announcement": "disaster", "by": "班长", "reason": "台风"})
    await begins(here, waits, RAISED)
    await here.hotline.ask("/api/agents/1001/ready", {})
    talk = await seat.wait_talking(20)
    await soon(lambda: hears(waits, 880, talk.answered_at or 0, waits._phone.now) > 0.5, "the agent to be heard")
    assert rest_of(here, waits, RAISED) < 0.5, "the rest was not said"
    await waits.hang_up()
    await talk.ended(10)
    await here.hotline.signal_engine(signal.SIGKILL)
    await here.hotline.start_engine()
    enters = await here.hotline.citizen().call("12345", caller="13600003002")
    await begins(here, enters, RAISED)
    assert here.heard(enters, "greeting-12345") > 0.75
    talk = await seat.wait_talking(30)
    assert rest_of(here, enters, RAISED) > 0.75, "at entry it is said to its end"
    await enters.hang_up()
    await here.hotline.ask("/api/announcements/stop", {"announcement": "disaster", "by": "班长", "reason": "解除"})
    assert [row for row in (await here.hotline.ask("/api/announcements"))["announcements"] if row["raised"]] == []


@pytest.mark.parametrize("engine", [True, False], ids=["with the engine", "without the engine"])
async def test_a_row_is_played_after_the_prompt_of_its_number_in_its_time_and_a_human_answers(
    here: Scene, engine: bool
) -> None:
    seat = await here.agent("1002", "8002")
    if not engine:
        await here.hotline.signal_engine(signal.SIGKILL)
    call = await here.hotline.citizen().call("12333", caller="13600003101")
    talk = await seat.wait_talking(60)
    heard = {
        name: here.heard(call, name) for name in ("legacy-12333-during", "announcement-storm", "announcement-past")
    }
    assert heard["legacy-12333-during"] > 0.75
    assert heard["announcement-storm"] > 0.75
    assert max(heard["announcement-past"], here.heard(call, RAISED)) < 0.6
    await call.hang_up()
    await talk.ended(10)
