"""Why this agent, why not the others: the whole of a call and of an agent."""

from __future__ import annotations

import pytest

from queues.events import AgentSignedIn, Paused, TicketJoined
from queues.explain import explain_agent, explain_call
from telephony.model import AgentId, GroupId, Priority
from tests.unit.queues.floor import Floor, agent_id, call_id, seat_id
from tests.unit.queues.test_order import GENERAL, floor_with

pytestmark = pytest.mark.unit


def sign_in(floor: Floor, number: int, level: int, *languages: str) -> None:
    able = AgentSignedIn(agent_id(number), seat_id(number), (GENERAL,), None, {GENERAL: level}, frozenset(languages))
    floor.tell(able)


def lines(floor: Floor, serial: int) -> list[str]:
    return list(explain_call(floor.acd, call_id(serial), floor.now))


def test_a_call_that_was_offered_says_why_this_agent_and_why_not_the_others() -> None:
    floor = floor_with()
    sign_in(floor, 2, 2)
    floor.now += 9_000
    sign_in(floor, 1, 1)
    floor.now += 5_000
    floor.sign_in(3, "market")
    floor.tell(Paused(seat_id(3), "用餐"))
    floor.join(1, age=30)
    best = "当时在可接的示闲座席中等级最好、空闲最久（5秒）"
    assert lines(floor, 1) == [
        "来电a-1760000000.1要技能组general，来电至今30秒",
        f"在座席8001（工号1001），已分配来电；分配理由：服务技能组general，1级，{best}，其次是座席8002",
        "座席8002（工号1002）：分配时排在其次：等级不如，或空闲没有座席8001久",
        "座席8003（工号1003）当前示忙，原因：用餐",
    ]


def test_a_call_that_waits_says_its_place_and_what_everybody_lacks() -> None:
    floor = floor_with(level_seconds=10, language_seconds=60)
    floor.sign_in(1, "market")
    sign_in(floor, 2, 2)
    sign_in(floor, 3, 1, "teochew")
    floor.join(1)
    floor.talk(1, 3)
    floor.join(2, priority=Priority.REPEAT)
    floor.tell(TicketJoined(call_id(3), GENERAL, floor.now, language="teochew"))
    floor.now += 4_000
    assert lines(floor, 2)[:3] == [
        "来电a-1760000000.2要技能组general，重复来电，按早到60秒排队，来电至今4秒",
        "排在第1位，现在可接的是：general",
        "座席8001（工号1001）：技能组不符：来电现在要general，座席8001（工号1001）服务market",
    ]
    assert lines(floor, 2)[3].endswith("技能等级2级，来电先等等级更好的座席；再等6秒扩展到2级后可以接")
    assert "会teochew的座席，56秒后不再限语言" in lines(floor, 3)[1]
    assert lines(floor, 3)[3].endswith("来电要会teochew的座席；再等56秒后不再限语言")


def test_a_call_of_the_nuisance_list_says_that_it_stands_back() -> None:
    floor = floor_with()
    floor.join(1, priority=Priority.NUISANCE)
    assert lines(floor, 1)[0].startswith("来电a-1760000000.1要技能组general，骚扰名单来电，按晚到600秒排队，")


def test_a_call_kept_for_the_last_agent_says_so() -> None:
    floor = floor_with()
    sign_in(floor, 1, 1)
    floor.join(1)
    floor.talk(1, 1)
    sign_in(floor, 2, 1)
    floor.tell(TicketJoined(call_id(2), GENERAL, floor.now, preferred=agent_id(1)))
    assert lines(floor, 2)[1] == "排在第1位，现在可接的是：工号1001（上次的座席），最多再等20秒"
    assert lines(floor, 2)[2] == "座席8002（工号1002）：来电先等上次的座席工号1001，最多再等20秒"


def test_an_agent_says_state_skills_and_why_not_the_first_calls_that_wait() -> None:
    floor = floor_with()
    floor.sign_in(1, "market")
    for serial in range(1, 13):
        floor.join(serial, after=1)
    told = explain_agent(floor.acd, agent_id(1), floor.now)
    assert told[:2] == ("工号1001在座席8001，示闲12秒，因为签入", "服务的技能组：market（1级）")
    assert [line.partition("：")[0] for line in told[2:]] == [f"来电{call_id(n)}" for n in range(1, 11)]
    assert all("技能组不符" in line for line in told[2:])


def test_an_agent_with_a_call_says_why_it_has_it() -> None:
    floor = floor_with()
    sign_in(floor, 1, 1, "hakka")
    floor.join(1)
    told = explain_agent(floor.acd, agent_id(1), floor.now)
    assert told[1] == "服务的技能组：general（1级）；语言：hakka"
    assert "没有别的座席可接" in told[3]


def test_who_is_not_here_is_told_of() -> None:
    floor = floor_with()
    assert lines(floor, 7) == ["来电a-1760000000.7不在排队中：尚未进入、已结束或已由其他方式处理"]
    assert explain_agent(floor.acd, AgentId("1007"), floor.now) == ("工号1007没有签入，不会分到来电",)
    assert GroupId("general") == GENERAL
