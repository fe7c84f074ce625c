"""Nobody of ours can take the call: sub-centre, duty phones, callback or message; and back in line at its age."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from ledger.model import Kind
from phones.centre import Centre
from phones.phone import Answer, PhoneCall, Refuse, RingForEver
from phones.tones import tone_share
from routing.model import Group, MessagePolicy, Overflow, Table, WaitingNews
from telephony.model import GroupId, OverflowTo, OverflowWhen
from tests.asterisk.support.scene import Scene, begins, hear_each_other, rows, scene, soon, until, with_groups

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

CITIZEN_HZ, SEAT_HZ, FAR_HZ = 440, 880, 620
RATE = 8000
FIRST, SECOND = "06638000001", "13800000002"
SUBCENTRE, DUTY, CALLBACK, MESSAGE, BOTH = "12320", "12348", "12319", "12349", "12336"
"""Old numbers, each of a group with the last resort of that name; nobody is signed in, as at night."""
SITE = "subcentre-12366"
NOBODY = OverflowWhen.NOBODY

RESORTS = {
    SUBCENTRE: (Overflow(NOBODY, 0, OverflowTo.SUBCENTRE, SITE),),
    DUTY: (Overflow(NOBODY, 0, OverflowTo.DUTY_PHONE, f"{FIRST}/{SECOND}"),),
    CALLBACK: (Overflow(NOBODY, 0, OverflowTo.CALLBACK),),
    MESSAGE: (Overflow(OverflowWhen.WAITED, 1, OverflowTo.MESSAGE),),
    BOTH: (Overflow(NOBODY, 0, OverflowTo.DUTY_PHONE, f"{FIRST}&{SECOND}"),),
}


def edited(table: Table) -> Table:
    table = with_groups(table)
    groups = tuple(
        Group(GroupId(f"line-{number}"), f"专线{number}", 20, 0, overflow=overflow)
        for number, overflow in RESORTS.items()
    )
    agents = tuple(
        replace(agent, groups=tuple(group.id for group in groups)) if agent.id == "1001" else agent
        for agent in table.agents
    )
    lines = {
        number: {"group": GroupId(f"line-{number}"), "schedule": "",
                 "mode": "full", "trunk": "", "first_day": None, "last_day": None, "prompt": "", "prompt_after": ""}
        for number in RESORTS
    }  # fmt: skip
    table = replace(
        table,
        groups=(*table.groups, *groups),
        agents=agents,
        waiting_news=WaitingNews(first_seconds=0),
        message=MessagePolicy(hours=24, longest_seconds=20, silence_seconds=2),
    )
    return rows(table, lines)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def city() -> AsyncIterator[Scene]:
    async with scene(edited, wait_slice_seconds=2, duty_ring_seconds=5) as here:
        yield here


async def citizen(here: Scene, line: str, caller: str) -> PhoneCall:
    return await here.hotline.citizen().call(line, caller=caller, tone_hz=CITIZEN_HZ)


async def telephones(here: Scene, **how: Any) -> Centre:
    """The public network's side of our trunk, where the duty phones are."""
    return await here.hotline.centre("pstn", tone_hz=FAR_HZ, **how)


async def waits(here: Scene, caller: str) -> None:
    """The caller stands in our line."""
    record = await here.record(caller)
    assert record is not None

    async def so() -> bool:
        found = (await here.hotline.ask("/api/queues"))["calls"]
        return any(row["call"] == record.call and row["phase"] == "waiting" for row in found)

    await until(so, f"{caller} to stand in line")


async def served_at_its_age(here: Scene, call: PhoneCall, line: str, caller: str) -> None:
    """An agent comes at last: the caller is first in line, and its age counts from its first ring."""
    later = await citizen(here, line, f"{caller[:-1]}9")
    await here.fact(f"{caller[:-1]}9", Kind.WAITING)
    seat = await here.agent("1001", "8001", SEAT_HZ)
    talk = await seat.wait_talking(20)
    assert talk.caller == caller
    answered, entered = await here.fact(caller, Kind.ANSWERED), await here.fact(caller, Kind.ENTERED)
    assert abs(answered.data["waited_ms"] - (answered.at - entered.at).total_seconds() * 1000) < 1500
    await call.hang_up()
    await later.hang_up()


async def ways(here: Scene, caller: str) -> list[tuple[str, str]]:
    story = await here.story(caller)
    return [(fact.data["to"], fact.data["target"]) for fact in story if fact.kind is Kind.LAST_RESORT]


async def test_nobody_signed_in_and_the_sub_centre_takes_the_call(here: Scene) -> None:
    site = await here.far_end(SITE, tone_hz=FAR_HZ)
    call = await citizen(here, SUBCENTRE, "13600007001")
    there = await site.wait_talking(25)
    assert here.heard(call, "subcentre-transfer") > 0.75
    await hear_each_other((call, CITIZEN_HZ), (there, FAR_HZ))
    assert (await here.hotline.ask("/api/queues"))["calls"] == [], "who is answered there stands in no line of ours"
    await there.hang_up()
    await here.fact("13600007001", Kind.RATING_ASKED)
    await call.hang_up()
    record = await here.told("13600007001")
    assert record.answered_by == "subcentre"


@pytest.mark.parametrize("behaviour", [Refuse(486), None], ids=["busy", "trunk-down"])
async def test_a_sub_centre_that_does_not_take_it_gives_it_back_at_its_age_and_is_not_tried_again(
    here: Scene, behaviour: Refuse | None
) -> None:
    site = await here.far_end(SITE, behaviour=behaviour) if behaviour is not None else None
    if site is None:
        await here.notice(SITE, "Unavail")
    caller = "13600007101" if behaviour is not None else "13600007111"
    call = await citizen(here, SUBCENTRE, caller)
    await begins(here, call, "subcentre-returned")
    await waits(here, caller)
    await served_at_its_age(here, call, SUBCENTRE, caller)
    assert await ways(here, caller) == [("subcentre", SITE)]
    if site is not None:
        assert len([there for there in site.calls if there.caller == caller]) == 1


async def test_duty_phones_ring_one_after_the_other_and_the_second_answers(here: Scene) -> None:
    phones = await telephones(here, behaviour=RingForEver())
    call = await citizen(here, DUTY, "13600007201")
    first = await phones.called(25)
    assert (first.dialled, first.caller) == (FIRST, "12345")
    phones.behaviour = Answer()
    second = await phones.wait_talking(20)
    assert second.dialled == SECOND
    await soon(lambda: tone_share(second.heard.pcm(second.answered_at), CITIZEN_HZ) > 0.5, "the citizen to be heard")
    await soon(lambda: tone_share(call.heard.pcm(second.answered_at), FAR_HZ) > 0.5, "the duty officer to be heard")
    await call.hang_up()
    record = await here.told("13600007201")
    assert record.answered_by == "duty-phone"


async def test_duty_phones_that_are_all_busy_give_the_caller_back_at_its_age(here: Scene) -> None:
    phones = await telephones(here, behaviour=Refuse(486))
    call = await citizen(here, DUTY, "13600007301")
    await begins(here, call, "duty-phone-returned")
    assert [there.dialled for there in phones.calls] == [FIRST, SECOND]
    await waits(here, "13600007301")
    await served_at_its_age(here, call, DUTY, "13600007301")


async def test_all_duty_phones_of_a_step_ring_at_once(here: Scene) -> None:
    phones = await telephones(here, behaviour=RingForEver())
    call = await citizen(here, BOTH, "13600007401")
    await soon(lambda: {there.dialled for there in phones.calls} == {FIRST, SECOND}, "both to ring", 25)
    await call.hang_up()


async def test_an_agent_who_signs_in_takes_the_caller_from_the_ringing_duty_phone(here: Scene) -> None:
    phones = await telephones(here, behaviour=RingForEver())
    call = await citizen(here, DUTY, "13600007501")
    rings = await phones.called(25)
    seat = await here.agent("1001", "8001", SEAT_HZ)
    talk = await seat.wait_talking(10)
    assert talk.caller == "13600007501"
    await rings.ended(5)
    await call.hang_up()


async def test_a_callback_is_offered_and_promised(here: Scene) -> None:
    call = await citizen(here, CALLBACK, "13600007601")
    await begins(here, call, "offer-callback")
    await begins(here, call, "callback-number-is")
    await call.send_digits("1")
    await begins(here, call, "callback-promised")
    promise = await here.fact("13600007601", Kind.CALLBACK, state="waiting")
    await call.hang_up()
    await here.hotline.ask(f"/api/callbacks/{promise.call}/cancel", {"reason": "试验结束"})


async def test_who_wants_no_callback_waits_on_at_its_age(here: Scene) -> None:
    call = await citizen(here, CALLBACK, "13600007701")
    await begins(here, call, "offer-callback")
    await call.send_digits("3")
    await waits(here, "13600007701")
    await served_at_its_age(here, call, CALLBACK, "13600007701")
    assert await ways(here, "13600007701") == [("callback", "")]


async def test_a_message_is_offered_and_kept(here: Scene) -> None:
    call = await citizen(here, MESSAGE, "13600007801")
    await begins(here, call, "offer-message")
    await begins(here, call, "message-ask")
    await here.fact("13600007801", Kind.LAST_RESORT, to="message")
    ended = call._phone.now + len(here.prompt("message-ask")) / RATE + 2
    await soon(lambda: call._phone.now > ended, "something to be said")
    await call.send_digits("#")
    await begins(here, call, "message-kept")
    await here.fact("13600007801", Kind.MESSAGE)
    await call.hang_up()
