"""An offer reaches one agent, who knows which line it is; whatever the phone does, the caller ends with a human."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from ledger.model import Kind
from phones.phone import Answer, PhoneCall, RingForEver
from routing.model import Table
from tests.asterisk.support.scene import Scene, all_of, hears, rows, scene, with_groups

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

NO_PROMPT = "12320"
SILENCE_SECONDS = 6


def edited(table: Table) -> Table:
    """Groups that ring for 5 s; only one wants the whisper; two phones answer by themselves."""
    table = with_groups(table, ring_seconds=5)
    groups = tuple(
        replace(group, whisper=group.id == "social-security", short_talk_seconds=1) for group in table.groups
    )
    return rows(replace(table, groups=groups, auto_answer=("8004", "8005")), {"12328": {"schedule": ""}})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city() -> AsyncIterator[Scene]:
    async with scene(edited, seat_silence_seconds=SILENCE_SECONDS) as running:
        yield running


async def begins(talk: PhoneCall, hz: float, seconds: float) -> float:
    """Seconds from the answer to the moment from which the tone of the other is heard."""
    began = talk.answered_at
    assert began is not None
    await asyncio.sleep(seconds)
    steps = (n / 10 for n in range(round(seconds * 10) - 4))
    return next((at for at in steps if hears(talk, hz, began + at, began + at + 0.4) > 0.9), seconds)


async def test_the_agent_alone_hears_which_line_it_is_while_the_caller_hears_ringing(here: Scene) -> None:
    seat = await here.agent("1001", "8001", 880, behaviour=Answer(after=4.2))
    call = await here.hotline.citizen().call("12333", caller="13700000001", tone_hz=440)
    talk = await seat.wait_talking(20)
    length = len(here.prompt("line-12333")) / 8000
    first = await begins(talk, 440, length + 2)
    assert length - 0.2 < first < length + 0.5, "no longer than the whisper"
    assert here.heard(talk, "line-12333") > 0.75
    assert here.heard(call, "line-12333") < 0.5, "not for the caller"
    assert talk.answered_at is not None
    whispered = hears(call, 450, talk.answered_at, talk.answered_at + first)
    assert whispered * first > 0.6, "the next ring of a second sounds while the agent is whispered to"
    await call.hang_up()


@pytest.mark.parametrize(("number", "agent"), [("12328", "1005"), ("12345", "1001")], ids=["group-off", "12345"])
async def test_a_group_may_want_no_whisper_and_12345_has_none(here: Scene, number: str, agent: str) -> None:
    seat = await here.agent(agent, "8001", 880)
    call = await here.hotline.citizen().call(number, caller="13700000002", tone_hz=440)
    talk = await seat.wait_talking(20)
    assert await begins(talk, 440, 2) < 0.5
    await call.hang_up()


async def test_a_caller_who_hangs_up_during_the_whisper_leaves_nobody_stuck(here: Scene) -> None:
    seat = await here.agent("1001", "8001", 880)
    call = await here.hotline.citizen().call("12333", caller="13700000003")
    talk = await seat.wait_talking(20)
    await call.hang_up()
    await talk.ended(5)
    await here.seat_becomes("8001", "ready", 5)
    assert (await here.told("13700000003")).ended_by == "caller"


async def test_only_phones_that_answer_by_themselves_are_told_to(here: Scene) -> None:
    for agent, seat, told in (("1004", "8004", True), ("1001", "8001", False)):
        phone = await here.agent(agent, seat, behaviour=RingForEver())
        call = await here.hotline.citizen().call(NO_PROMPT, caller="13700000004")
        rings = await phone.wait_ringing(10)
        assert rings.header("Call-Info").endswith("answer-after=0") is told
        assert ("info=alert-autoanswer" in rings.header("Alert-Info")) is told
        await call.hang_up()
        await rings.ended()
        await here.hotline.ask(f"/api/agents/{agent}/sign-out", {})


async def test_two_phones_that_answer_at_once_never_get_one_call(here: Scene) -> None:
    at_once = Answer(after=0)
    seats = [await here.agent(f"100{n}", f"800{n}", 800 + 100 * n, behaviour=at_once) for n in (4, 5)]
    callers = [f"1370000010{n}" for n in range(6)]
    calls = await all_of(*(here.hotline.citizen().call(NO_PROMPT, caller=caller) for caller in callers))
    served: list[str] = []
    for _ in range(3):
        talks = await all_of(*(seat.wait_talking(15) for seat in seats))
        served += [talk.caller for talk in talks]
        await asyncio.sleep(1.3)
        await all_of(*(talk.hang_up() for talk in talks))
    assert sorted(served) == callers, "each caller one agent, each agent one caller"
    await all_of(*(call.hang_up() for call in calls))


async def test_an_agent_who_hangs_up_while_being_whispered_to_has_not_answered(here: Scene) -> None:
    seat = await here.agent("1001", "8001", behaviour=Answer(after=0, hang_up_after=1))
    call = await here.hotline.citizen().call("12333", caller="13700000005")
    await seat.wait_talking(20)
    missed = await here.fact("13700000005", Kind.NOT_ANSWERED)
    assert (missed.data["seat"], missed.data["why"]) == ("8001", "rejected")
    assert await here.state("8001") == "not-responding"
    willing = await here.agent("1002", "8002")
    talk = await willing.wait_talking(10)
    assert talk.caller == "13700000005"
    answered = await here.fact("13700000005", Kind.ANSWERED)
    assert answered.data["seat"] == "8002", "the first human"
    await call.hang_up()


async def test_a_phone_unplugged_while_it_rings_and_one_whose_contact_is_gone(here: Scene) -> None:
    unplugged = await here.agent("1001", "8001", behaviour=RingForEver())
    call = await here.hotline.citizen().call(NO_PROMPT, caller="13700000006")
    await unplugged.wait_ringing(10)
    unplugged.play_dead()
    gone = await here.agent("1002", "8002", behaviour=RingForEver())
    await gone.unregister()
    await here.seat_becomes("8002", "unreachable", 10)
    (young,) = [await here.hotline.citizen().call(NO_PROMPT, caller="13700000007")]
    await here.fact("13700000007", Kind.WAITING)
    await here.fact("13700000006", Kind.NOT_ANSWERED, seconds=15)
    willing = await here.agent("1003", "8003")
    talk = await willing.wait_talking(15)
    assert talk.caller == "13700000006", "at its age: before the one who called later"
    await all_of(call.hang_up(), young.hang_up())
    unplugged.play_dead(dead=False)
    assert await here.state("8001") in ("not-responding", "unreachable", "ready")


async def test_a_desk_phone_that_dies_in_a_talk_leaves_nobody_in_silence(here: Scene) -> None:
    dead = await here.agent("1001", "8001")
    call = await here.hotline.citizen().call(NO_PROMPT, caller="13600000501")
    talk = await dead.wait_talking(10)
    later = await here.hotline.citizen().call(NO_PROMPT, caller="13600000502")
    await here.fact("13600000502", Kind.WAITING)
    dead.play_dead()
    talk.say(None)
    willing = await here.agent("1002", "8002")
    other = await willing.wait_talking(15)
    assert other.caller == "13600000502", "who was talked with is still on the line"
    await willing.hang_up()
    again = await willing.wait_talking(SILENCE_SECONDS + 15)
    assert again.caller == "13600000501", "and has not been left in silence"
    assert call.is_talking
    assert await here.state("8001") in ("not-responding", "unreachable", "ready"), "and talks with nobody"
    dead.play_dead(dead=False)
    await all_of(call.hang_up(), later.hang_up())


async def test_a_seat_that_answers_and_hangs_up_at_once_costs_the_caller_no_place(here: Scene) -> None:
    seat = await here.agent("1001", "8001", behaviour=Answer(after=0, hang_up_after=0))
    call = await here.hotline.citizen().call(NO_PROMPT, caller="13600000401")
    await seat.wait_talking(10)
    await here.hotline.ask("/api/agents/1001/pause", {"reason": "小休"})
    younger = await here.hotline.citizen().call(NO_PROMPT, caller="13600000402")
    await here.fact("13600000402", Kind.WAITING)
    willing = await here.agent("1002", "8002")
    talk = await willing.wait_talking(10)
    assert talk.caller == "13600000401", "its age brings it before everybody else"
    await all_of(call.hang_up(), younger.hang_up())
    await here.seat_becomes("8001", "paused")
