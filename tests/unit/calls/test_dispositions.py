"""What a call came to: the agent says so, a supervisor corrects it with a reason, and nothing waits for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from calls.dispositions import Dispositions
from calls.model import DispositionRequest
from ledger.model import Fact, Kind
from ledger.records import CallRecord, fold
from queues.events import AgentSignedIn, Tick
from queues.model import NotAllowed
from queues.states import AgentState
from routing.model import WrapUpCode
from telephony.model import AgentId, CallId, GroupId, SeatId
from tests.support.engine_harness import House, call_id
from tests.unit.calls.switch.test_ami_events import talking

pytestmark = pytest.mark.unit

ME = AgentId("1001")
MINE = DispositionRequest("answered", "已告知", "张三", ME)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = House()
    made.queues.apply(AgentSignedIn(ME, SeatId("8001"), made.table.agents[ME].groups))
    yield made
    await made.queues.stop()


async def never(call: CallId) -> CallRecord | None:
    raise AssertionError("the ledger is not asked for a call that is at hand")


def past(**data: Any) -> Any:
    async def found(call: CallId) -> CallRecord | None:
        at = datetime(2026, 1, 1, tzinfo=UTC)
        facts = [Fact("1", Kind.ENTERED, call, at, {}), Fact("2", Kind.ANSWERED, call, at, data)]
        return fold(facts) if data else fold(facts[:1])

    return found


def wrap_ups(house: House) -> Dispositions:
    return Dispositions(lambda: house.table, house.calls)


async def test_an_agent_says_so_in_the_talk_and_says_it_anew_in_the_wrap_up(house: House) -> None:
    talking(house)
    house.now += 60_000
    said = wrap_ups(house)
    assert (await said.say(call_id(1), MINE, never)).name == "当场答复"
    house.seat_hangup("8001", 1)
    house.hangup(1)
    assert house.state("8001") is AgentState.WRAP_UP
    await said.say(call_id(1), replace(MINE, code="order", remark=""), never)
    assert house.ledger.of(Kind.WRAP_UP) == [
        {"code": "answered", "name": "当场答复", "agent": ME, "by": "张三", "remark": "已告知"},
        {"code": "order", "name": "已派工单", "agent": ME, "by": "张三"},
    ]
    assert house.calls.last_call_of[ME].dispositions[ME].code == "order"
    assert house.ledger.of(Kind.OPERATOR_ACTION) == []


async def test_a_code_is_owed_until_it_is_said_and_the_wrap_up_ends_in_time_all_the_same(house: House) -> None:
    said = wrap_ups(house)
    talking(house)
    house.now += 60_000
    house.seat_hangup("8001", 1)
    last = house.calls.last_call_of[ME]
    assert not said.owes(ME, last)  # the sample asks, and waits for nobody
    house.table = replace(house.table, wrap_up_code_required=True)
    assert said.owes(ME, last)
    house.now += 60_000
    house.queues.apply(Tick())
    assert house.state("8001") is AgentState.READY
    talking(house, 2)
    house.now += 60_000
    house.seat_hangup("8001", 2)
    assert said.owes(ME, house.calls.last_call_of[ME])
    await said.say(call_id(2), MINE, never)
    assert not said.owes(ME, house.calls.last_call_of[ME])
    house.table = replace(house.table, wrap_up_codes={})
    last.dispositions.clear()
    assert not said.owes(ME, last)  # nothing to choose, nothing owed


async def test_who_did_not_have_the_call_says_why_and_it_is_a_deed(house: House) -> None:
    said = wrap_ups(house)
    boss = DispositionRequest("nuisance", "", "班长")
    with pytest.raises(NotAllowed, match="写明原因"):
        await said.say(call_id(7), boss, past(agent="1001", group="general", by="agent"))
    assert house.ledger.of(Kind.WRAP_UP) == house.ledger.of(Kind.OPERATOR_ACTION) == []
    await said.say(call_id(7), replace(boss, reason="质检更正"), past(agent="1001", group="general", by="agent"))
    assert house.ledger.of(Kind.OPERATOR_ACTION) == [
        {"what": "wrap-up-code", "by": "班长", "agent": "1001", "to": "骚扰", "reason": "质检更正"}
    ]
    assert house.ledger.of(Kind.WRAP_UP) == [{"code": "nuisance", "name": "骚扰", "agent": "1001", "by": "班长"}]


@pytest.mark.parametrize(("told", "words"), [({}, "没有座席接听"), ({"by": "subcentre", "agent": ""}, "没有座席接听")])
async def test_a_call_that_no_agent_of_ours_had_comes_to_nothing(
    house: House, told: dict[str, str], words: str
) -> None:
    with pytest.raises(NotAllowed, match=words):
        await wrap_ups(house).say(call_id(7), DispositionRequest("answered", "", "班长", reason="x"), past(**told))
    assert house.ledger.of(Kind.WRAP_UP) == house.ledger.of(Kind.OPERATOR_ACTION) == []


async def test_a_call_that_nobody_knows_is_refused(house: House) -> None:
    async def nothing(call: CallId) -> CallRecord | None:
        return None

    with pytest.raises(NotAllowed, match="流水里没有呼叫"):
        await wrap_ups(house).say(call_id(7), DispositionRequest("answered", "", "班长", reason="x"), nothing)


async def test_a_code_of_another_group_is_refused_and_those_of_this_one_are_told(house: House) -> None:
    talking(house)
    group = GroupId(house.calls.live[call_id(1)].group)
    own = WrapUpCode("own", "1", "自有", (group,))
    house.table = replace(
        house.table, wrap_up_codes={"own": own, "other": WrapUpCode("other", "2", "别组", (GroupId("elsewhere"),))}
    )
    with pytest.raises(NotAllowed, match=r"没有处理结果 'other'；这个技能组可用 own（自有）"):
        await wrap_ups(house).say(call_id(1), replace(MINE, code="other"), never)
    assert house.ledger.of(Kind.WRAP_UP) == []
    assert (await wrap_ups(house).say(call_id(1), replace(MINE, code="own"), never)) is own


async def test_two_agents_of_one_call_each_have_their_own_word(house: House) -> None:
    talking(house)
    said, other = wrap_ups(house), AgentId("1002")
    await said.say(call_id(1), MINE, never)
    house.calls.live[call_id(1)].agent = other
    house.table = replace(house.table, wrap_up_code_required=True)
    assert said.owes(other, house.calls.live[call_id(1)])
    assert house.calls.live[call_id(1)].dispositions[ME].code == "answered"
