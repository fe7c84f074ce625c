"""What an agent's page asks for: the words of the table, earlier calls of a number, and the wrap-up's own call."""

from __future__ import annotations

import json

import pytest

from telephony.model import AgentId
from tests.support.engine_harness import call_id
from tests.support.web_harness import NUMBER, Hall, talks

pytestmark = pytest.mark.unit

EARLIER = f"/api/calls/{call_id(1)}/earlier"
NOTE = f"/api/calls/{call_id(12)}/note"


async def test_the_desk_offers_what_the_table_has(hall: Hall) -> None:
    words = (await hall.ask("GET", "/api/desk", token=await hall.session("agent"))).body
    table = hall.house.table
    assert words["pause_reasons"] == list(table.pause_reasons.values())
    assert [one["id"] for one in words["partners"]] == list(table.partners)
    assert {"water-outage"} <= {one["id"] for one in words["order_types"]}
    assert [one["key"] for one in words["wrap_up_codes"]] == [one.key for one in table.wrap_up_codes.values()]
    assert words["wrap_up_code_required"] is False
    assert words["seats"] == list(table.seats)


@pytest.mark.parametrize("prefix", ["", "+86", "86", "0086", "0"])
async def test_earlier_calls_of_the_number_and_what_is_open_are_told_without_the_number(
    hall: Hall, prefix: str
) -> None:
    await talks(hall)
    hall.control.callers[call_id(1)] = prefix + NUMBER
    answer = await hall.ask("GET", EARLIER, token=await hall.session("agent"))
    assert [one["call"] for one in answer.body["calls"]] == [call_id(2)]  # not the call itself
    assert {one["id"] for one in answer.body["messages"]} == {call_id(1), call_id(2), call_id(12)}
    assert {one["id"] for one in answer.body["callbacks"]} == {call_id(1), call_id(2), call_id(12)}
    assert NUMBER not in json.dumps(answer.body)


async def test_a_withheld_number_has_no_earlier_calls_and_a_call_of_the_past_is_refused(hall: Hall) -> None:
    await talks(hall)
    token = await hall.session("agent")
    assert (await hall.ask("GET", EARLIER, token=token)).status == 404
    hall.control.callers[call_id(1)] = ""
    found = (await hall.ask("GET", EARLIER, token=token)).body
    assert found == {"calls": [], "messages": [], "callbacks": [], "orders": []}


async def test_a_note_of_the_wrap_up_is_the_agents_and_nobody_elses(hall: Hall) -> None:
    token = await hall.session("agent")
    told = {"summary": "已转 110", "address": ""}
    assert (await hall.ask("POST", NOTE, told, token=token)).status == 403
    hall.control.finishing[AgentId("1001")] = call_id(12)
    assert (await hall.ask("POST", NOTE, told, token=token)).status == 200
    assert hall.control.noted == [(call_id(12), "", "已转 110")]
    assert (await hall.ask("POST", f"/api/calls/{call_id(12)}/transfer", {"target": "110"}, token=token)).status == 403
