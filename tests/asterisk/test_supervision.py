"""A supervisor listens, whispers, barges in and takes over: who hears whom, proven by tones."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from time import monotonic

import pytest
import pytest_asyncio

from console.client import Refused
from ledger.model import Kind
from phones.phone import PhoneCall, RingForEver
from phones.seat_phone import SeatPhone
from routing.model import Table
from telephony.model import GroupId
from tests.asterisk.support.scene import Scene, hear_each_other, hears, scene, soon, until, with_groups

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

CITIZEN_HZ, SEAT_HZ, BOSS_HZ = 440, 880, 1300
CALLER = "13700000201"


def edited(table: Table) -> Table:
    """Agent 1007 serves the housing fund alone."""
    agents = tuple(
        replace(agent, groups=(GroupId("housing-fund"),)) if agent.id == "1007" else agent for agent in table.agents
    )
    return with_groups(replace(table, agents=agents))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city() -> AsyncIterator[Scene]:
    async with scene(edited) as running:
        yield running


@dataclass(frozen=True)
class Talk:
    call: PhoneCall
    talk: PhoneCall
    boss: SeatPhone


async def talking(here: Scene) -> Talk:
    """A citizen and agent 1001 talk; supervisor 1010 is signed in at 8010 and takes no calls."""
    boss = await here.hotline.seat("8010", tone_hz=BOSS_HZ)
    await here.hotline.ask("/api/agents/1010/sign-in", {"seat": "8010"})
    await here.hotline.ask("/api/agents/1010/pause", {"reason": "会议"})
    seat = await here.agent("1001", "8001", SEAT_HZ)
    call = await here.hotline.citizen().call("12345", caller=CALLER, tone_hz=CITIZEN_HZ)
    talk = await seat.wait_talking(20)
    await here.seat_becomes("8001", "talking")
    return Talk(call, talk, boss)


async def who_hears_the_boss(three: Talk, spy: PhoneCall) -> tuple[bool, bool]:
    """Once the supervisor hears both: do the citizen and the agent hear the supervisor, for a whole second?"""
    await soon(lambda: _hears_both(spy), "the supervisor to hear both", 10)
    await asyncio.sleep(1.3)
    now = monotonic()
    assert hears(three.call, SEAT_HZ, now - 1.2, now - 0.2) > 0.8, "the two talk on"
    assert hears(three.talk, CITIZEN_HZ, now - 1.2, now - 0.2) > 0.8, "the two talk on"
    shares = [hears(one, BOSS_HZ, now - 1.2, now - 0.2) for one in (three.call, three.talk)]
    assert all(share < 0.05 or share > 0.8 for share in shares), shares
    return shares[0] > 0.8, shares[1] > 0.8


def last_second() -> tuple[float, float]:
    now = monotonic()
    return now - 1.2, now - 0.2


def _hears_both(spy: PhoneCall) -> bool:
    now = monotonic()
    return all(hears(spy, hz, now - 1.2, now - 0.2) > 0.8 for hz in (CITIZEN_HZ, SEAT_HZ))


async def test_listen_is_heard_by_nobody_whisper_by_the_agent_alone_barge_by_both(here: Scene) -> None:
    three = await talking(here)
    for keys, heard in (("*211001", (False, False)), ("*221001", (False, True)), ("*231001", (True, True))):
        spy = await three.boss.call(keys)
        assert await who_hears_the_boss(three, spy) == heard, keys
        await spy.hang_up()
    for action, heard in (("listen", (False, False)), ("whisper", (False, True)), ("barge", (True, True))):
        body = {"agent": "1001", "supervisor": "1010", "reason": "质检"}
        assert (await here.hotline.ask(f"/api/supervise/{action}", body))["seat"] == "8010"
        spy = await three.boss.wait_talking(10)
        assert await who_hears_the_boss(three, spy) == heard, action
        await spy.hang_up()
    spy = await three.boss.call("*211001")
    await soon(lambda: _hears_both(spy), "the supervisor to hear both", 10)
    await here.hotline.ask("/api/supervise/whisper", {"agent": "1001", "supervisor": "1010", "reason": "提醒"})
    agent_hears = lambda: hears(three.talk, BOSS_HZ, *last_second()) > 0.8  # noqa: E731
    await soon(agent_hears, "who listens to whisper, on the same call", 10)
    assert not spy.is_over
    await three.call.hang_up()
    await spy.ended(5)
    deeds = [fact.data for fact in await here.story(CALLER) if fact.kind is Kind.OPERATOR_ACTION]
    assert [deed["what"] for deed in deeds] == ["listen", "whisper", "barge"] * 2 + ["listen", "whisper"]
    assert {deed["by"] for deed in deeds} == {"班长1010"}
    assert [deed["reason"] for deed in deeds][3:6] == ["质检"] * 3


async def test_only_a_supervisor_may_and_only_where_there_is_a_talk(here: Scene) -> None:
    three = await talking(here)
    other = await here.agent("1002", "8002")
    refused = await (await other.call("*211001")).ended(15)
    prompts = ("supervise-refused", "supervise-no-talk", "seat-key-failed")
    assert here.likeliest(refused, prompts) == "supervise-refused"
    nobody = await (await three.boss.call("*231002")).ended(15)
    assert here.likeliest(nobody, prompts) == "supervise-no-talk"
    status, said = await here.hotline.hotline("supervise", "listen", "1001", "--as", "1002", "--reason", "试")
    assert (status, "不是班长" in said) == (1, True)
    await three.call.hang_up()


async def test_a_talk_taken_over_comes_to_the_supervisor_and_frees_the_agent(here: Scene) -> None:
    three = await talking(here)
    status, said = await here.hotline.hotline("supervise", "take-over", "1001", "--as", "1010", "--reason", "投诉升级")
    assert status == 0, said
    taken = await three.boss.wait_talking(10)
    assert taken.caller == CALLER
    await three.talk.ended(5)
    await here.seat_becomes("8001", "ready")
    await hear_each_other((three.call, CITIZEN_HZ), (taken, BOSS_HZ))
    await here.seat_becomes("8010", "talking")
    await taken.hang_up()
    await here.fact(CALLER, Kind.RATING_ASKED)
    await here.seat_becomes("8010", "paused")
    await three.call.hang_up()


async def test_a_supervisor_who_does_not_answer_costs_the_caller_no_place(here: Scene) -> None:
    three = await talking(here)
    three.boss.behaviour = RingForEver()
    await here.hotline.ask("/api/supervise/take-over", {"agent": "1001", "supervisor": "1010", "reason": "投诉"})
    rings = await three.boss.wait_ringing(10)
    rings.refuse(486)
    again = await next_talk(here)
    assert again.caller == CALLER, "back to an agent, at its age"
    await three.call.hang_up()


async def next_talk(here: Scene) -> PhoneCall:
    (seat,) = [phone for phone in here.hotline._phones if isinstance(phone, SeatPhone) and phone.user == "8001"]
    return await seat.wait_talking(15)


async def test_a_state_is_forced_and_waiting_calls_are_moved(here: Scene) -> None:
    await here.agent("1003", "8003")
    status, _ = await here.hotline.hotline(
        "supervise", "force", "1003", "--to", "paused", "--pause", "培训", "--reason", "抽调"
    )
    assert status == 0
    assert await here.state("8003") == "paused"

    async def kept() -> bool:
        _, told = await here.hotline.hotline("supervise", "history")
        return "强制示忙 工号 1003 培训 8003（抽调）" in told

    await until(kept, "who did it and why to be told")

    async def sealed() -> bool:
        _, told = await here.hotline.hotline("audit", "list")
        return "强制示忙 工号 1003 培训 8003  原因：抽调" in told

    await until(sealed, "it to be in the sealed audit")
    assert (await here.hotline.hotline("audit", "verify"))[0] == 0
    call = await here.hotline.citizen().call("12320", caller=CALLER)
    await here.fact(CALLER, Kind.WAITING)
    seat = await here.agent("1007", "8007")
    moved = await here.hotline.ask(
        "/api/supervise/move", {"group": "general", "to": "housing-fund", "reason": "分流", "by": "测试"}
    )
    assert moved == {"moved": 1}
    talk = await seat.wait_talking(10)
    assert talk.caller == CALLER
    await call.hang_up()


async def test_a_closed_group_takes_no_new_callers_not_even_after_a_restart(here: Scene) -> None:
    status, told = await here.hotline.hotline("supervise", "close", "social-security", "--reason", "停电")
    assert status == 0, told
    await here.hotline.signal_engine(signal.SIGKILL)
    await here.hotline.start_engine()
    assert list((await here.hotline.ask("/api/status"))["closed_groups"]) == ["social-security"]
    call = await here.hotline.citizen().call("12333", caller="13600009901")
    assert (await here.fact("13600009901", Kind.WAITING)).data["group"] == "general"
    await call.hang_up()
    for body in ({"reason": "来电"}, {"by": "班长1010"}):
        with pytest.raises(Refused):
            await here.hotline.ask("/api/supervise/open", {"group": "social-security", **body})
    status, told = await here.hotline.hotline("supervise", "open", "social-security", "--reason", "来电")
    assert status == 0, told
    call = await here.hotline.citizen().call("12333", caller="13600009902")
    assert (await here.fact("13600009902", Kind.WAITING)).data["group"] == "social-security"
    await call.hang_up()
