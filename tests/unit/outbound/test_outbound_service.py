"""Agents' calls against a switch that is made up: trunks in order, the disk, a crash at every step."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ledger.model import Kind
from outbound import service
from outbound.model import OutboundCall, Refusal, State
from outbound.service import NotCalled
from queues.events import AgentSignedIn
from queues.states import AgentState
from routing.model import AgentCallOut, Trunk
from telephony.errors import AmiDown
from telephony.events import OriginateOutcome
from telephony.model import AgentId, CallId, GroupId, SeatId, Var
from tests.support.engine_harness import TABLE, House

pytestmark = pytest.mark.unit

AGENT, SEAT, CHANNEL = AgentId("1001"), SeatId("8001"), CallId("hl1-1795351329.7")
MOBILE = "13800138000"


@pytest.fixture
async def house(monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setattr(service, "HANG_UP_SECONDS", 0)
    monkeypatch.setattr(service, "ANSWER_SECONDS", 0)
    agent = replace(TABLE.agents["1001"], call_out=AgentCallOut.NATIONAL)
    second = Trunk("pstn-2", "pstn", "", "192.0.2.9", 5060, "第二家运营商")
    made = House()
    made.table = replace(
        made.table,
        agents={**made.table.agents, "1001": agent},
        trunks={**made.table.trunks, "pstn-2": second},
        call_out=replace(made.table.call_out, schedule=""),
    )
    made.queues.apply(AgentSignedIn(AGENT, SEAT, (GroupId("general"),)))
    return made


def originates(house: House, *answers: Any, cause: str = "34") -> list[dict[str, Any]]:
    """Each Originate comes to the next of these: an outcome's reason, or an error; hung up with ``cause`` before."""
    asked: list[dict[str, Any]] = []
    outcomes = list(answers)

    async def originate(channel: str, **headers: Any) -> OriginateOutcome:
        asked.append({"channel": channel, **headers})
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        if outcome != 4 and cause:
            house.outbound.hung_up(CallId(headers["channel_id"]), cause, human=False)
        return OriginateOutcome(outcome == 4, outcome, channel, None)

    house.link.originate = originate
    return asked


async def settled(house: House, true: Callable[[], bool]) -> None:
    for _ in range(200):
        if true():
            return
        await asyncio.sleep(0)
    raise AssertionError(list(house.outbound.calls.values()))


def only(house: House) -> OutboundCall:
    (call,) = house.outbound.calls.values()
    return call


async def test_a_call_is_on_the_disk_before_it_is_dialled_and_shows_12345(house: House) -> None:
    asked = originates(house, 4)
    call = await house.outbound.from_phone(SEAT, CHANNEL, f"+86{MOBILE}")
    assert [data["state"] for data in house.ledger.of(Kind.OUTBOUND)] == ["dialling"]
    await settled(house, lambda: bool(asked))
    (headers,) = asked
    assert headers["channel"].startswith("PJSIP/pstn/sip:13800138000@")
    assert (headers["caller_id"], headers["channel_id"], headers["exten"]) == ("12345", call.id, SEAT)
    assert headers["variables"][Var.FETCH] == CHANNEL
    house.outbound.on_connected(call.id, SEAT, "PJSIP/pstn-00000001")
    assert (only(house).state, house.state(SEAT)) == (State.TALKING, AgentState.TALKING)
    house.outbound.hung_up(call.id, "16", human=True)
    assert only(house).state is State.OVER


async def test_a_trunk_that_does_not_take_the_call_is_followed_by_the_next(house: House) -> None:
    asked = originates(house, 8, 4)
    await house.outbound.from_phone(SEAT, CHANNEL, MOBILE)
    await settled(house, lambda: len(asked) == 2)
    assert [headers["channel"].split("/")[1] for headers in asked] == ["pstn", "pstn-2"]
    assert len({headers["channel_id"] for headers in asked}) == 1
    assert only(house).state is State.DIALLING


async def test_who_is_busy_is_not_dialled_by_another_trunk(house: House) -> None:
    asked = originates(house, 5, cause="17")
    await house.outbound.from_phone(SEAT, CHANNEL, MOBILE)
    await settled(house, lambda: only(house).state is State.UNREACHED)
    assert (len(asked), only(house).why) == (1, "busy")
    await settled(house, lambda: any(action == "Redirect" for action, _ in house.link.sent))
    redirect = next(headers for action, headers in house.link.sent if action == "Redirect")
    assert (redirect["Channel"], redirect["Exten"]) == (CHANNEL, "busy")


async def test_no_trunk_at_all_takes_it(house: House) -> None:
    asked = originates(house, AmiDown("gone"), AmiDown("gone"))
    await house.outbound.from_phone(SEAT, CHANNEL, MOBILE)
    await settled(house, lambda: only(house).state is State.UNREACHED)
    assert (len(asked), only(house).why) == (2, "unreachable")
    assert house.ledger.kinds().count(Kind.ENDED) == 1


async def test_what_the_disk_refuses_is_not_dialled(house: House) -> None:
    asked = originates(house)
    house.ledger.stalled = True
    with pytest.raises(NotCalled) as no:
        await house.outbound.from_phone(SEAT, CHANNEL, MOBILE)
    assert no.value.refusal is Refusal.AWAY
    assert (asked, only(house).state) == ([], State.CANCELLED)


async def test_an_answer_that_did_not_arrive_dials_nobody(house: House) -> None:
    asked = originates(house)
    await house.outbound.from_phone(SEAT, CHANNEL, MOBILE)
    house.outbound.undelivered(CHANNEL)
    for _ in range(50):
        await asyncio.sleep(0)
    assert (asked, only(house).state) == ([], State.CANCELLED)


async def test_an_agent_calls_one_at_a_time(house: House) -> None:
    originates(house, 4)
    await house.outbound.from_phone(SEAT, CHANNEL, MOBILE)
    with pytest.raises(NotCalled) as no:
        await house.outbound.from_page(AGENT, "13800138001", by="测试")
    assert no.value.refusal is Refusal.BUSY


async def test_after_a_crash_a_call_that_is_not_there_is_over_and_never_dialled_again(house: House) -> None:
    originates(house, 4)
    call = await house.outbound.from_phone(SEAT, CHANNEL, MOBILE)
    await settled(house, lambda: bool(house.link.sent) or True)
    again = House()
    asked = originates(again)
    again.outbound.learn([call])
    again.outbound.seen()
    again.outbound._settle()
    assert (asked, only(again).state, only(again).why) == ([], State.UNREACHED, "unknown")
    assert again.outbound.history.of_number(MOBILE, call.asked_at.replace(year=2000)) == 1


async def test_a_talk_that_ended_before_the_earlier_calls_were_read_is_over_and_not_unreached(house: House) -> None:
    originates(house, 4)
    call = await house.outbound.from_phone(SEAT, CHANNEL, MOBILE)
    await settled(house, lambda: bool(house.link.sent) or True)
    again = House()
    again.outbound.seen()
    again.outbound.hung_up(call.id, "16", human=True)
    again.outbound.learn([call])
    again.outbound._settle()
    assert only(again).state is State.OVER
