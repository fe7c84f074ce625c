"""Who changed an agent's state and why is kept: what people, phones and rules did, and nothing of each call."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from database.connection import Database
from ivr.model import Script
from ledger.model import NO_CALL, Fact, Kind
from ledger.store import add_facts, deeds
from ledger.story import tell
from queues.events import AgentSignedIn, Answered, Forced, Paused, SeatReachable, SeatUnreachable, TalkEnded
from queues.states import AgentState
from telephony.model import AgentId, GroupId, SeatId
from tests.support.engine_harness import House, call_id

pytestmark = [pytest.mark.unit, pytest.mark.asyncio]

SEAT, AGENT, GENERAL = SeatId("8001"), AgentId("1001"), GroupId("general")
AT = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)


def told(here: House) -> list[str]:
    return [fact["text"] for fact in here.ledger.of(Kind.AGENT_STATE)]


async def test_every_change_that_no_call_made_is_kept_with_its_reason() -> None:
    here = House()
    for event in (
        AgentSignedIn(AGENT, SEAT, (GENERAL,)),
        Paused(SEAT, "用餐"),
        SeatUnreachable(SEAT),
        SeatReachable(SEAT),
        Forced(SEAT, AgentState.READY),
    ):
        here.queues.apply(event)
    assert told(here) == [
        "座席8001工号1001：未签入→示闲，签入",
        "座席8001工号1001：示闲→示忙（用餐），示忙",
        "座席8001工号1001：示忙→话机失联，话机失去联系",
        "座席8001工号1001：话机失联→示忙（用餐），话机恢复联系",
        "座席8001工号1001：示忙→示闲，班长强制",
    ]
    await here.queues.stop()


async def test_a_plain_call_adds_nothing() -> None:
    here = House()
    here.queues.apply(AgentSignedIn(AGENT, SEAT, (GENERAL,)))
    here.desk.place(here.question(Script.OFFER))
    here.queues.apply(Answered(call_id(1), SEAT))
    here.queues.apply(TalkEnded(call_id(1), SEAT))
    assert len(told(here)) == 1, "the sign-in alone"
    await here.queues.stop()


async def test_places_of_a_sub_centre_are_not_told_of_one_by_one() -> None:
    here = House()
    here.queues.apply(AgentSignedIn(AgentId("12366001"), SeatId("12366001"), (GENERAL,), site="subcentre-12366"))
    assert told(here) == []


async def test_one_agents_history_has_deeds_and_states_and_no_others(database: Database) -> None:
    def fact(number: int, kind: Kind, **data: Any) -> Fact:
        return Fact(f"F{number}", kind, NO_CALL, AT + timedelta(seconds=number), data)

    facts = [
        fact(1, Kind.OPERATOR_ACTION, what="force-pause", by="班长1010", agent="1001", reason="抽调"),
        fact(2, Kind.AGENT_STATE, agent="1001", text="座席8001工号1001：示闲→示忙，班长强制"),
        fact(3, Kind.AGENT_STATE, agent="1002", text="座席8002工号1002：示闲→话机失联，话机失去联系"),
        fact(4, Kind.OPERATOR_ACTION, what="close-group", by="班长1010", group="market", reason="停电"),
    ]
    async with database.transaction() as session:
        await add_facts(session, facts)
    async with database.reading() as session:
        mine = await deeds(session, 10, agent="1001")
        assert [one.id for one in mine] == ["F2", "F1"]
        assert [one.id for one in await deeds(session, 10)] == ["F4", "F1"]
    assert tell([mine[0]])[0].text == "座席8001工号1001：示闲→示忙，班长强制"
