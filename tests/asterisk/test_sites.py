"""A group that a sub-centre answers for: places offered calls like seats; full, closed, busy, silent or gone."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from ledger.model import Kind
from phones.centre import Centre
from phones.phone import Answer, PhoneCall, Refuse, RingForEver
from routing.model import Group, Table
from telephony.model import GroupId
from tests.asterisk.support.scene import NEVER, Scene, hear_each_other, rows, scene, until, with_groups, with_schedules

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

CITIZEN_HZ, SEAT_HZ, FAR_HZ = 440, 880, 620
LINE, CLOSED = "12320", "12348"
SITE, PLACE = "subcentre-12366", "12366001"


def edited(table: Table) -> Table:
    """One place at the tax office's site for one line; another line's site that is never open. 1001 is the overflow."""
    table = with_schedules(with_groups(table), NEVER)
    sites = (
        Group(GroupId("site"), "税务分中心", 5, 0, trunk=SITE, capacity=1),
        Group(GroupId("shut"), "夜间关闭", 5, 0, trunk="subcentre-12367", capacity=2, schedule="never"),
    )
    line = {
        "mode": "full", "schedule": "", "trunk": "", "first_day": None, "last_day": None, "prompt": "",
        "prompt_after": "", "overflow_group": GroupId("general"),
    }  # fmt: skip
    changes = {
        LINE: {**line, "group": GroupId("site"), "overflow_seconds": 600},
        CLOSED: {**line, "group": GroupId("shut"), "overflow_seconds": 1},
    }
    return rows(replace(table, groups=(*table.groups, *sites)), changes)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def city() -> AsyncIterator[Scene]:
    async with scene(edited, wait_slice_seconds=2) as here:
        yield here


async def citizen(here: Scene, caller: str, line: str = LINE) -> PhoneCall:
    return await here.hotline.citizen().call(line, caller=caller, tone_hz=CITIZEN_HZ)


async def at_rest(here: Scene) -> None:
    """The place takes calls again, whatever it was offered before."""
    if await here.state(PLACE) != "ready":
        body = {"agent": PLACE, "to": "ready", "by": "测试", "reason": "下一项"}
        await here.hotline.ask("/api/supervise/force", body)
    await here.seat_becomes(PLACE, "ready")


async def explained(here: Scene, caller: str) -> str:
    record = await here.record(caller)
    assert record is not None
    return (await here.hotline.hotline("queues", "explain", record.call))[1]


async def there(site: Centre) -> PhoneCall:
    return await site.wait_talking(25)


async def test_a_call_there_is_counted_the_next_waits_and_comes_in_when_the_place_is_free(here: Scene) -> None:
    await at_rest(here)
    site = await here.far_end(SITE, tone_hz=FAR_HZ)
    first = await citizen(here, "13600008001")
    talk = await there(site)
    await hear_each_other((first, CITIZEN_HZ), (talk, FAR_HZ))
    await here.seat_becomes(PLACE, "talking")
    second = await citizen(here, "13600008002")
    await here.fact("13600008002", Kind.WAITING)
    there_now = f"分中心{here.hotline.table.trunks[SITE].name}的席位{PLACE}当前通话中"
    assert there_now in await explained(here, "13600008002")
    assert len(site.calls) == 1, "full: nobody is dialled"
    await talk.hang_up()
    await here.fact("13600008001", Kind.RATING_ASKED)
    next_talk = await there(site)
    assert next_talk.caller == "13600008002"
    await first.hang_up()
    await second.hang_up()
    record = await here.told("13600008001")
    assert (record.answered_by, record.group, record.agent) == ("subcentre", "site", PLACE)


@pytest.mark.parametrize("how", ["busy", "silent", "trunk-down"])
async def test_who_is_not_answered_there_is_back_in_line_at_its_age_and_the_place_rests(here: Scene, how: str) -> None:
    await at_rest(here)
    caller = {"busy": "13600008101", "silent": "13600008111", "trunk-down": "13600008121"}[how]
    if how == "trunk-down":
        await here.notice(SITE, "Unavail")
    else:
        await here.far_end(SITE, behaviour=Refuse(486) if how == "busy" else RingForEver())
    call = await citizen(here, caller)
    await here.fact(caller, Kind.NOT_ANSWERED, seat=PLACE)
    body = {"agent": PLACE, "to": "paused", "by": "测试", "reason": "不再试"}
    await here.hotline.ask("/api/supervise/force", body)
    again = await citizen(here, f"{caller[:-1]}9")
    await here.fact(f"{caller[:-1]}9", Kind.WAITING)
    moved = await here.hotline.ask(
        "/api/supervise/move", {"group": "site", "to": "general", "by": "测试", "reason": "分流"}
    )
    assert moved["moved"] == 2
    seat = await here.agent("1001", "8001", SEAT_HZ)
    talk = await seat.wait_talking(20)
    assert talk.caller == caller, "first in line"
    answered, entered = await here.fact(caller, Kind.ANSWERED), await here.fact(caller, Kind.ENTERED)
    assert abs(answered.data["waited_ms"] - (answered.at - entered.at).total_seconds() * 1000) < 1500
    await call.hang_up()
    await again.hang_up()


async def test_a_closed_sub_centre_is_offered_nothing_and_its_callers_overflow(here: Scene) -> None:
    call = await citizen(here, "13600008201", CLOSED)
    await here.fact("13600008201", Kind.WAITING)
    assert "分中心的席位没有开放" in await explained(here, "13600008201")
    seat = await here.agent("1001", "8001", SEAT_HZ)
    assert (await seat.wait_talking(20)).caller == "13600008201"
    await call.hang_up()


async def test_a_restart_knows_who_talks_there(here: Scene) -> None:
    await at_rest(here)
    site = await here.far_end(SITE, tone_hz=FAR_HZ, behaviour=Answer())
    call = await citizen(here, "13600008301")
    talk = await there(site)
    await here.seat_becomes(PLACE, "talking")
    await here.hotline.signal_engine(signal.SIGKILL)
    await here.hotline.start_engine()
    await here.seat_becomes(PLACE, "talking")
    later = await citizen(here, "13600008302")
    await here.fact("13600008302", Kind.WAITING)
    await hear_each_other((call, CITIZEN_HZ), (talk, FAR_HZ))
    await talk.hang_up()
    assert (await there(site)).caller == "13600008302"
    await call.hang_up()
    await later.hang_up()
    await until(lambda: here.hotline.seat_is(PLACE, "ready"), "the place to be free")
