"""Waiting for a human: who is next, who is rung, and what becomes of a call that a seat does not take."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from time import monotonic

import pytest
import pytest_asyncio

from ledger.model import Kind
from phones.phone import Behaviour, PhoneCall, Refuse, RingForEver
from phones.tones import longest_silence
from routing.model import Table
from tests.asterisk.support.scene import Scene, all_of, hears, rows, scene, soon, with_groups

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

WRAP_UP_SECONDS = 5
NO_PROMPT = "12320"
"""A number whose transition has not begun: no prompt, so that callers stand in line at once."""


def edited(table: Table) -> Table:
    """Groups that ring for 5 s; ``market`` rests after a call, the others do not."""
    table = with_groups(table, ring_seconds=5)
    groups = tuple(
        replace(group, wrap_up_seconds=WRAP_UP_SECONDS) if group.id == "market" else group for group in table.groups
    )
    return rows(replace(table, groups=groups), {"12315": {"schedule": ""}})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city() -> AsyncIterator[Scene]:
    async with scene(edited) as running:
        yield running


async def in_line(here: Scene, *callers: str) -> list[PhoneCall]:
    """These callers wait, in this order."""
    calls = []
    for caller in callers:
        calls.append(await here.hotline.citizen().call(NO_PROMPT, caller=caller))
        await here.fact(caller, Kind.WAITING)
    return calls


@pytest.mark.smoke
async def test_three_callers_are_served_in_the_order_of_their_age_by_one_who_signs_in(here: Scene) -> None:
    callers = [f"1360000010{n}" for n in range(1, 4)]
    calls = await in_line(here, *callers)
    await asyncio.sleep(3)
    now = monotonic()
    for call in calls:
        assert call.answered_at is not None, "who waits hears music"
        assert longest_silence(call.heard.pcm(now - 2, now)) < 1
    seat = await here.agent("1001", "8001")
    for caller, call in zip(callers, calls, strict=True):
        talk = await seat.wait_talking(10)
        assert talk.caller == caller
        await talk.hang_up()
        await call.hang_up()


async def test_a_caller_nobody_answers_keeps_its_place_and_goes_to_the_next_agent(here: Scene) -> None:
    deaf = await here.agent("1001", "8001", behaviour=RingForEver())
    first = await here.hotline.citizen().call(NO_PROMPT, caller="13600000201")
    await deaf.wait_ringing(15)
    (second,) = await in_line(here, "13600000202")
    other = await here.agent("1002", "8002", behaviour=RingForEver())
    rings = await other.wait_ringing(15)
    assert rings.caller == "13600000202", "the first is being offered elsewhere"
    await deaf.talk.ended(10)
    await here.seat_becomes("8001", "not-responding", 10)
    third = await here.agent("1003", "8003")
    talk = await third.wait_talking(10)
    assert talk.caller == "13600000201", "its age brings it before everybody else"
    why = (await here.fact("13600000201", Kind.NOT_ANSWERED)).data
    assert (why["seat"], why["why"]) == ("8001", "no-answer")
    await all_of(first.hang_up(), second.hang_up())


@pytest.mark.parametrize(
    ("behaviour", "why", "state"),
    [
        (Refuse(486), "busy", "not-responding"),
        (Refuse(480), "no-answer", "not-responding"),
        (Refuse(603), "rejected", "not-responding"),
    ],
    ids=["busy", "unavailable", "declined"],
)
async def test_a_seat_that_refuses_costs_the_caller_nothing(
    here: Scene, behaviour: Behaviour, why: str, state: str
) -> None:
    await here.agent("1001", "8001", behaviour=behaviour)
    await asyncio.sleep(0.1)
    willing = await here.agent("1002", "8002")
    caller = f"1360000030{len(why)}"
    call = await here.hotline.citizen().call(NO_PROMPT, caller=caller)
    talk = await willing.wait_talking(10)
    missed = await here.fact(caller, Kind.NOT_ANSWERED)
    assert (missed.data["seat"], missed.data["why"]) == ("8001", why)
    assert await here.state("8001") == state
    await call.hang_up()
    await talk.ended()


async def test_a_caller_who_hangs_up_stops_the_ringing(here: Scene) -> None:
    seat = await here.agent("1001", "8001", behaviour=RingForEver())
    ringing = await here.hotline.citizen().call(NO_PROMPT, caller="13600000501")
    rings = await seat.wait_ringing(10)
    (waiting,) = await in_line(here, "13600000502")
    await waiting.hang_up()
    await here.told("13600000502")
    await ringing.hang_up()
    await rings.ended(3)
    await here.seat_becomes("8001", "ready", 5)
    await here.told("13600000501")
    assert [Kind.NOT_ANSWERED for fact in await here.story("13600000501") if fact.kind is Kind.NOT_ANSWERED] == []


async def test_wrap_up_and_pause_are_respected(here: Scene) -> None:
    seat = await here.agent("1003", "8003")
    first = await here.hotline.citizen().call("12315", caller="13600000601")
    talk = await seat.wait_talking(20)
    await talk.hang_up()
    await here.seat_becomes("8003", "wrap-up", 3)
    await first.hang_up()
    (second,) = await in_line(here, "13600000602")
    again = await seat.wait_talking(WRAP_UP_SECONDS + 10)
    assert talk.ended_at is not None
    assert again.started_at - talk.ended_at > WRAP_UP_SECONDS - 0.5
    await here.hotline.ask("/api/agents/1003/pause", {"reason": "小休"})
    await second.hang_up()
    await here.seat_becomes("8003", "paused")
    (third,) = await in_line(here, "13600000603")
    await asyncio.sleep(2)
    assert len(seat.calls) == 2, "a paused seat is not rung"
    await here.hotline.ask("/api/agents/1003/ready", {})
    last = await seat.wait_talking(5)
    assert last.caller == "13600000603"
    await third.hang_up()


async def test_the_longest_idle_agent_is_first(here: Scene) -> None:
    seats = {
        user: await here.agent(agent, user) for agent, user in (("1004", "8004"), ("1002", "8002"), ("1001", "8001"))
    }
    rung = []
    for n in range(4):
        call = await here.hotline.citizen().call(NO_PROMPT, caller=f"1360000070{n}")
        await soon(lambda: any(phone.calls and phone.talk.is_talking for phone in seats.values()), "somebody to answer")
        (user,) = [user for user, phone in seats.items() if phone.calls and phone.talk.is_talking]
        rung.append(user)
        await call.hang_up()
        await seats[user].talk.ended()
        await here.seat_becomes(user, "ready")
    assert rung == ["8004", "8002", "8001", "8004"]


async def test_six_callers_and_three_agents_meet_one_to_one(here: Scene) -> None:
    callers = [f"1360000080{n}" for n in range(6)]
    calls = await in_line(here, *callers)
    seats = [await here.agent(f"100{n}", f"800{n}", 800 + 100 * n) for n in (1, 2, 4)]
    for _ in range(2):
        talks = await all_of(*(seat.wait_talking(15) for seat in seats))
        served = sorted(talk.caller for talk in talks)
        assert served == callers[:3]
        callers = callers[3:]
        await asyncio.sleep(1.5)
        now = monotonic()
        for call in calls[:3]:
            assert sum(hears(call, 800 + 100 * n, now - 1, now - 0.1) > 0.8 for n in (1, 2, 4)) == 1
        await all_of(*(call.hang_up() for call in calls[:3]))
        calls = calls[3:]


async def test_a_reload_of_the_switch_logs_nobody_out(here: Scene) -> None:
    seat = await here.agent("1001", "8001")
    for module in ("app_queue.so", "res_pjsip.so", "pbx_config.so"):
        await here.hotline.cli(f"module reload {module}")
    members = await here.hotline.cli("queue show duty")
    assert "8001" in members, members
    assert await here.state("8001") == "ready"
    call = await here.hotline.citizen().call(NO_PROMPT, caller="13600000901")
    assert (await seat.wait_talking(15)).caller == "13600000901"
    await call.hang_up()
