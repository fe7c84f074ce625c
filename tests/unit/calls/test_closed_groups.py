"""A group that a supervisor has closed: no new callers, also after a restart; who and why; and who waits."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import cast

import pytest

from calls.closed_groups import ClosedGroups
from calls.supervision import Supervision
from ivr.model import Script
from ledger.model import Kind
from queues.model import NotAllowed
from routing.closed_groups import avoiding
from routing.model import TargetKind
from telephony.ami_link import AmiLink
from telephony.model import GroupId
from tests.flow.counter import decision
from tests.support.engine_harness import House, call_id

pytestmark = [pytest.mark.unit, pytest.mark.asyncio]

GENERAL, MARKET, SOCIAL = GroupId("general"), GroupId("market"), GroupId("social-security")
WHO, WHY = "班长1010", "停电"


async def test_new_callers_go_where_they_go_out_of_hours_and_waiting_ones_stay() -> None:
    here = House()
    here.desk.place(here.question(Script.OFFER, group=SOCIAL))
    assert here.desk.route(here.question(Script.ENTER, 2, number="12333")).group == SOCIAL
    assert await here.supervision.close_group(SOCIAL, WHO, WHY, move=False) == 0
    new = here.desk.route(here.question(Script.ENTER, 3, number="12333"))
    assert (new.group, new.target.id, "已由班长关闭" in new.reason) == (GENERAL, GENERAL, True)
    assert here.queues.acd.tickets[call_id(1)].group == SOCIAL
    await here.supervision.open_group(SOCIAL, WHO, "来电")
    assert here.desk.route(here.question(Script.ENTER, 4, number="12333")).group == SOCIAL
    told = [(fact["what"], fact["by"], fact["group"], fact["reason"]) for fact in here.ledger.of(Kind.OPERATOR_ACTION)]
    assert told == [("close-group", WHO, SOCIAL, WHY), ("open-group", WHO, SOCIAL, "来电")]


async def test_who_waits_is_moved_at_its_age_when_asked_for() -> None:
    here = House()
    here.desk.place(here.question(Script.OFFER, group=MARKET))
    since = here.queues.acd.tickets[call_id(1)].since_ms
    assert await here.supervision.close_group(MARKET, WHO, WHY, move=True) == 1
    ticket = here.queues.acd.tickets[call_id(1)]
    assert (ticket.group, ticket.since_ms) == (GENERAL, since)
    await here.queues.stop()


async def test_the_group_of_12345_is_never_closed_and_nothing_twice() -> None:
    here = House()
    deeds = here.supervision
    for group, word in ((GENERAL, "不能关闭"), (GroupId("nosuch"), "没有技能组")):
        with pytest.raises(NotAllowed, match=word):
            await deeds.close_group(group, WHO, WHY, move=False)
    with pytest.raises(NotAllowed, match="没有关闭"):
        await deeds.open_group(MARKET, WHO, WHY)
    await deeds.close_group(MARKET, WHO, WHY, move=False)
    with pytest.raises(NotAllowed, match="已经关闭"):
        await deeds.close_group(MARKET, WHO, WHY, move=False)


async def test_a_restart_remembers_and_a_damaged_file_closes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "closed-groups.json"
    await ClosedGroups(path).close(MARKET, "班长1010：停电")
    assert ClosedGroups(path).shown() == {"market": "班长1010：停电"}
    await ClosedGroups(path).open(MARKET)
    assert ClosedGroups(path).shown() == {}
    path.write_text("{", encoding="utf-8")
    assert ClosedGroups(path).shown() == {}


async def test_calls_do_not_wait_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow, asked = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def fsync(_: int) -> None:
        loop.call_soon_threadsafe(asked.set)
        assert slow.wait(20)

    monkeypatch.setattr("os.fsync", fsync)
    closures = ClosedGroups(tmp_path / "closed-groups.json")
    closing = asyncio.create_task(closures.close(MARKET, WHY))
    try:
        await asyncio.wait_for(asked.wait(), 20)  # questions would be answered now
        assert closures.shown() == {}, "not closed before it is kept"
    finally:
        slow.set()
    await closing
    assert closures.shown() == {"market": WHY}


async def test_what_the_disk_does_not_keep_is_refused(tmp_path: Path) -> None:
    house = House()
    deeds = Supervision(
        lambda: house.table,
        house.queues,
        house.calls,
        cast("AmiLink", house.link),
        ClosedGroups(tmp_path / "no" / "file"),
    )
    with pytest.raises(NotAllowed, match="没有关闭"):
        await deeds.close_group(MARKET, WHO, WHY, move=False)
    assert deeds.closures.shown() == {}
    assert house.ledger.of(Kind.OPERATOR_ACTION) == []


async def test_nobody_widens_into_a_closed_group_and_other_calls_are_as_they_were() -> None:
    plain = decision(overflow=((20, MARKET), (40, SOCIAL)))
    assert avoiding(plain, {MARKET}, GENERAL).overflow == ((40, SOCIAL),)
    assert avoiding(plain, set(), GENERAL) is plain
    assert avoiding(plain, {GroupId("transport")}, GENERAL) is plain
    closed = avoiding(decision(group=MARKET, overflow=((20, GENERAL),)), {MARKET}, GENERAL)
    assert (closed.group, closed.overflow, closed.target.kind) == (GENERAL, (), TargetKind.GROUP)
