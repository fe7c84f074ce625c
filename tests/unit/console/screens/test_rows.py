"""What pages watch: an agent's own desk with all that it needs, the floor, and which rows a change concerns."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from console.screens.topics import Topic
from engine.wiring.orders import steps_of
from ivr.flows.enter import enter
from ivr.flows.offer import offer
from ivr.model import Script
from orders.service import OrderRequest
from queues.events import AgentSignedIn, CallHeld, Paused, SeatReachable
from telephony.model import AgentId, GroupId, SeatId
from tests.support.engine_harness import NOW, House, call_id, channel, event

pytestmark = pytest.mark.unit

CALLER = "13800138000"
GROUP = GroupId("social-security")
ME = AgentId("1001")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(folder=tmp_path)
    made.orders.learn([])
    made.queues.apply(SeatReachable(SeatId("8001")))
    made.queues.apply(AgentSignedIn(ME, SeatId("8001"), (GROUP,)))
    yield made
    await made.orders.stop()
    await made.queues.stop()


def rings(house: House, serial: int = 1, **more: Any) -> None:
    """Somebody calls 12333 and the agent's phone rings."""
    asked = {"number": "12333", "caller": CALLER, "group": ""} | more
    enter(house.question(Script.ENTER, serial, **asked), house.desk)
    offer(house.question(Script.OFFER, serial, **asked | {"group": GROUP}), house.desk)
    house.dial("DialBegin", serial, "8001")


def talks(house: House, serial: int = 1) -> None:
    house.dial("DialEnd", serial, "8001", DialStatus="ANSWER")


def me(house: House) -> Any:
    """As the page gets it."""
    return json.loads(json.dumps(house.screens.desk(ME)))


async def test_a_call_on_the_agent_s_desk_has_its_line_its_caller_masked_and_its_age(house: House) -> None:
    assert set(me(house)) == {"seat"}
    assert (me(house)["seat"]["state"], me(house)["seat"]["words"]) == ("ready", "示闲")
    rings(house)
    desk = me(house)
    assert (desk["seat"]["state"], desk["call"]["phase"]) == ("ringing", "ringing")
    assert (desk["call"]["line"], desk["call"]["caller"]) == ("12333 人社", "138****8000")
    assert (desk["call"]["since_ms"], desk["call"]["group_name"]) == (NOW - 5000, house.table.groups[GROUP].name)
    assert CALLER not in json.dumps(desk)
    house.now += 3000
    talks(house)
    assert (me(house)["call"]["phase"], me(house)["call"]["talk_since_ms"]) == ("talking", NOW + 3000)
    house.now += 4000
    house.queues.apply(CallHeld(call_id(1), SeatId("8001")))
    assert (me(house)["call"]["phase"], me(house)["call"]["held_since_ms"]) == ("hold", NOW + 7000)


async def test_why_a_caller_is_served_first_and_what_was_pressed_is_told_in_words(house: House) -> None:
    house.queues.apply(Paused(SeatId("8001"), "小休"))
    rings(house, priority=3)
    urgent = next(key for key, action in house.table.waiting_keys.items() if action == "urgent")
    question = house.question(Script.WAITING, 1, group=GROUP, key=urgent, priority=3)
    house.desk.waiting_key(question)
    house.desk.waiting_key(question)
    row = house.screens.row(Topic.CALLS, call_id(1))
    assert isinstance(row, dict)
    assert (row["reasons"], row["pressed"], row["phase"]) == (["重复来电"], ["情况紧急"], "waiting")
    assert me(house)["seat"]["pause"] == "小休"


async def test_a_call_that_a_centre_sends_says_so(house: House) -> None:
    trunk = next(trunk for trunk in house.table.trunks.values() if trunk.number == "110")
    from_there = f"PJSIP/{trunk.id}-0000000a"
    house.calls.get_or_create(call_id(1), from_there)
    question = house.question(Script.ENTER, 1, number="12345", caller=CALLER)
    assert house.desk.standing(type(question)(question.script, from_there, question.call, caller=CALLER)).priority == 7
    rings(house, priority=7)
    assert me(house)["call"]["reasons"] == ["110 转来"]


async def test_the_wrap_up_keeps_the_call_s_notes_until_the_next_call(house: House) -> None:
    rings(house)
    talks(house)
    house.calls.live[call_id(1)].address = "东山路 1 号"
    house.now += 60_000
    house.hangup(1)
    desk = me(house)
    assert (desk["seat"]["state"], desk["call"]["phase"], desk["call"]["address"]) == ("wrap-up", "over", "东山路 1 号")
    assert desk["seat"]["until_ms"] > house.now
    house.now = desk["seat"]["until_ms"]
    house.queues.apply(Paused(SeatId("8001"), "小休"))
    assert "call" not in me(house)


async def test_a_transfer_is_told_in_words_with_its_trunk_and_its_ringing(house: House) -> None:
    rings(house)
    talks(house)
    told = {"UserEvent": "OneKey", "Call": call_id(1), "Target": "110", "Form": "one-key"}
    house.news.hear(event("UserEvent", **told, State="asked"))
    dialler = "hl1-1795351329.77"
    dials = {"State": "dialling", "Trunk": "emergency-110", "Uniqueid": dialler}
    house.news.hear(event("UserEvent", **told, **dials))
    row = me(house)["transfer"]
    assert (row["target"], row["state"], row["words"], row["form_words"]) == ("110", "dialling", "呼叫中", "一键转接")
    assert row["trunk_name"] == house.table.trunks["emergency-110"].name
    house.screens.watch(lambda: None)
    house.news.hear(event("DialState", Uniqueid=dialler, DialStatus="RINGING"))
    assert ME in (house.screens.changed()[Topic.ME] or ())
    assert me(house)["transfer"]["words"] == "呼叫中，对方振铃"
    assert me(house)["call"]["phase"] == "conference"
    routes = house.screens.rows(Topic.ROUTES)
    assert (routes["emergency-110"]["calls"], routes["emergency-119"]["calls"]) == (1, 0)


async def test_urgent_orders_of_the_call_are_on_the_desk(house: House) -> None:
    rings(house)
    talks(house)
    kind = house.table.order_types["water-outage"]
    wish = OrderRequest(
        call_id(1), "k1", kind.id, kind.name, "东山路", "水管爆裂", CALLER, "1001", steps_of(house.table, kind), 60
    )
    house.screens.watch(lambda: None)
    order, _ = await house.orders.raise_(wish)
    row = me(house)["orders"][order.number]
    assert (row["place"], row["state"]) == ("东山路", "dispatched")
    changed = house.screens.changed()
    assert changed[Topic.WORK] is None
    assert ME in (changed[Topic.ME] or ())
    work: Any = house.screens.rows(Topic.WORK)
    assert work["orders"] == {"open": 1, "overdue": 0, "dispatched": 1}


async def test_every_change_of_a_call_marks_its_row_its_desk_and_its_group(house: House) -> None:
    woken: list[int] = []
    house.screens.watch(lambda: woken.append(1))
    rings(house)
    changed = house.screens.changed()
    assert (changed[Topic.CALLS], changed[Topic.ME], changed[Topic.AGENTS]) == ({call_id(1)}, {ME}, {ME})
    assert Topic.GROUPS in changed
    assert woken == [1], "once, until the changes are taken"
    talks(house)
    assert Topic.MEASURES in house.screens.changed()
    house.hangup(1)
    changed = house.screens.changed()
    assert changed[Topic.CALLS] == {call_id(1)}
    assert house.screens.row(Topic.CALLS, call_id(1)) is None
    house.screens.watch(None)
    rings(house, 2)
    assert house.screens.changed() == {}, "nobody looks"


async def test_floor_groups_and_measures_are_rows(house: House) -> None:
    rings(house)
    agents: Any = house.screens.rows(Topic.AGENTS)
    name = house.table.agents[ME].name
    assert (agents[ME]["name"], agents[ME]["state"], agents[ME]["call"]) == (name, "ringing", call_id(1))
    assert house.screens.row(Topic.AGENTS, ME) == agents[ME]
    assert house.screens.row(Topic.AGENTS, "1002") is None
    groups: Any = house.screens.rows(Topic.GROUPS)
    assert (groups[GROUP]["ringing"], groups["all"]["agents"], groups[GROUP]["closed"]) == (1, 1, False)
    await house.supervision.close_group(GROUP, "班长", "演练", move=False)
    groups = house.screens.rows(Topic.GROUPS)
    assert groups[GROUP]["closed"] is True
    measures: Any = house.screens.rows(Topic.MEASURES)
    assert (measures["all"]["aims"]["percent"], measures["all"]["calls"]) == (95, 0)


async def test_alarms_and_routes_are_told_when_they_change(house: House) -> None:
    house.screens.watch(lambda: None)
    backup = next(trunk for trunk in house.table.trunks.values() if trunk.role == "emergency-backup")
    partner, trunk = next((one, one.trunks[0]) for one in house.table.partners.values() if one.trunks)
    house.news.hear(event("DeviceStateChange", Device=f"PJSIP/{backup.id}", State="UNAVAILABLE"))
    house.news.hear(event("DeviceStateChange", Device=f"PJSIP/{trunk}", State="UNAVAILABLE"))
    assert set(house.screens.changed()) == {Topic.ALARMS, Topic.ROUTES}
    alarms: Any = house.screens.rows(Topic.ALARMS)
    assert [key for key in alarms if trunk in key] == [], "a partner's line that is gone is no alarm"
    assert backup.name in alarms[f"trunk-{backup.id}"]["text"]
    routes: Any = house.screens.rows(Topic.ROUTES)
    assert (routes[backup.id]["up"], routes[backup.id]["place"], routes[backup.id]["kind"]) == (False, 1, "emergency")
    assert routes[f"{partner.id}/{trunk}"] | {"since_ms": 0} == {
        "target": partner.id, "kind": "partner", "name": house.table.trunks[trunk].name, "place": 0, "up": False,
        "since_ms": 0, "calls": 0, "partner": partner.name, "key": partner.key,
    }  # fmt: skip
    house.news.hear(event("DeviceStateChange", Device=f"PJSIP/{backup.id}", State="NOT_INUSE"))
    assert set(house.screens.changed()) == {Topic.ALARMS, Topic.ROUTES}
    assert house.screens.rows(Topic.ALARMS) == {}


async def test_announcements_are_told_with_who_raised_them(house: House) -> None:
    name = next(iter(house.table.announcements))
    house.screens.watch(lambda: None)
    await house.announcements.start(name, "班长", "台风")
    assert Topic.ANNOUNCEMENTS in house.screens.changed()
    rows: Any = house.screens.rows(Topic.ANNOUNCEMENTS)
    assert rows[name]["raised"]["by"] == "班长"


async def test_who_is_not_signed_in_has_a_desk_that_says_so(house: House) -> None:
    desk: Any = house.screens.desk(AgentId("1002"))
    assert (desk["seat"]["state"], desk["seat"]["seat"]) == ("signed-out", None)
    assert house.screens.rows(Topic.ME) == {}
    assert channel(1) not in json.dumps(house.screens.rows(Topic.CALLS))
