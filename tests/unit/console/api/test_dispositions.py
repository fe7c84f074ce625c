"""What a call came to, over the API: whose word it is, and when the wrap-up may be ended by hand."""

from __future__ import annotations

import pytest

from calls.model import DispositionRequest
from ivr.model import Script
from telephony.model import AgentId
from tests.support.engine_harness import call_id
from tests.support.web_harness import Hall, talks

pytestmark = pytest.mark.unit

ME = AgentId("1001")
SAY = f"/api/calls/{call_id(1)}/wrap-up"
ANSWERED = {"code": "answered", "remark": "已告知"}


async def test_an_agent_says_it_of_his_own_talk_and_wrap_up_and_of_no_other_call(hall: Hall) -> None:
    await talks(hall)
    hall.control.refuses = ""
    token = await hall.session("agent")
    answer = await hall.ask("POST", SAY, ANSWERED, token=token)
    assert (answer.status, answer.body["name"]) == (200, "当场答复")
    (said,) = hall.control.said
    assert said == (call_id(1), DispositionRequest("answered", "已告知", said[1].by, ME))
    other = f"/api/calls/{call_id(12)}/wrap-up"
    assert (await hall.ask("POST", other, ANSWERED, token=token)).status == 403
    hall.control.finishing[ME] = call_id(12)
    assert (await hall.ask("POST", other, ANSWERED, token=token)).status == 200
    assert hall.control.said[-1][1].agent == ME


async def test_a_supervisor_is_somebody_else_and_gives_the_reason(hall: Hall) -> None:
    await talks(hall)
    hall.control.refuses = ""
    told = ANSWERED | {"reason": "质检更正"}
    assert (await hall.ask("POST", SAY, told, token=await hall.session("supervisor"))).status == 200
    ((_, wish),) = hall.control.said
    assert (wish.agent, wish.reason) == (None, "质检更正")
    assert wish.by.startswith("张三")


@pytest.mark.parametrize("body", [{}, {"code": ""}, {"code": 1}, {"code": "a" * 41}, ANSWERED | {"remark": "长" * 201}])
async def test_nonsense_is_refused_with_what_would_be_right(hall: Hall, body: dict[str, object]) -> None:
    answer = await hall.ask("POST", SAY, body, token=await hall.session("supervisor"))
    assert answer.status == 400
    assert "字以内" in answer.body["error"]
    assert hall.control.said == []


@pytest.mark.parametrize(("path", "body"), [("wrap-up", {"end": True}), ("ready", {})])
async def test_whoever_owes_a_code_does_not_end_the_wrap_up_at_the_desk_but_a_supervisor_may(
    hall: Hall, path: str, body: dict[str, object]
) -> None:
    house, boss = hall.house, await hall.session("supervisor")
    assert (await hall.ask("POST", "/api/agents/1001/sign-in", {"seat": "8001"}, token=boss)).status == 200
    house.desk.place(house.question(Script.OFFER))
    house.dial("DialEnd", 1, "8001", DialStatus="ANSWER")
    house.now += 60_000
    house.seat_hangup("8001", 1)
    hall.control.owing.add(ME)
    answer = await hall.ask("POST", f"/api/agents/1001/{path}", body, token=await hall.session("agent"))
    assert (answer.status, "先选处理结果" in answer.body["error"]) == (409, True)
    assert house.state("8001") == "wrap-up"
    extended = await hall.ask(
        "POST", "/api/agents/1001/wrap-up", {"extend_seconds": 30}, token=await hall.session("agent")
    )
    assert extended.status == 200
    assert (await hall.ask("POST", f"/api/agents/1001/{path}", body, token=boss)).body["state"] == "ready"


async def test_calls_are_searched_by_code_and_the_codes_have_names(hall: Hall) -> None:
    token = await hall.session("supervisor")
    found = await hall.ask("GET", "/api/calls?wrap_up_code=-", token=token)
    assert hall.past.asked[-1].wrap_up_code == "-"
    assert found.body["names"]["wrap_up_codes"]["answered"] == "当场答复"


async def test_a_story_links_the_other_calls_of_its_number_and_an_agent_gets_those_he_may_open(hall: Hall) -> None:
    for user, agent in (("agent", "1001"), ("supervisor", "")):
        hall.past.asked.clear()
        found = (await hall.ask("GET", f"/api/calls/{call_id(1)}", token=await hall.session(user))).body["related"]
        assert set(found) == {"links", "earlier", "later"}
        assert [one["call"] for one in found["later"]] == ([] if agent else [call_id(2)])
        assert {(asked.agent, asked.caller) for asked in hall.past.asked} == {(agent, "13800138000")}
        assert all(one["caller"] == "138****8000" for one in found["later"])
