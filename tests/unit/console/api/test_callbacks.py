"""Callbacks and messages handed over, closed and heard in the page: who may, what is kept, what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.model import Kind
from queues.events import AgentSignedIn
from queues.model import TicketPhase
from recordings.layout import recording_file
from routing.model import CallbackPolicy
from telephony.model import AgentId, CallId, GroupId, SeatId
from tests.support.engine_harness import call_id
from tests.support.web_harness import SOUND, Hall

pytestmark = pytest.mark.unit

MINE, FOREIGN = call_id(1), call_id(12)


async def test_a_message_is_handed_to_an_agent_or_a_group_and_keeps_its_deadline(hall: Hall) -> None:
    boss = await hall.session("supervisor")
    path = f"/api/messages/{FOREIGN}/hand"
    due = next(one for one in hall.control.mailbox.all() if one.id == FOREIGN).due_at
    told = (await hall.ask("POST", path, {"agent": "1010", "reason": "我来"}, token=boss)).body
    assert (told["holder"], told["group"], told["due_at"]) == ("1010", "market", due.isoformat())
    told = (await hall.ask("POST", path, {"group": "general", "reason": "派错了"}, token=boss)).body
    assert (told["holder"], told["group"]) == ("", "general")
    facts = [data for data in hall.house.ledger.of(Kind.MESSAGE) if data["state"] == "open"]
    assert [(one["group"], one["holder"]) for one in facts] == [("market", "1010"), ("general", "")]
    assert [(what, data.get("reason")) for what, _, data in hall.control.deeds if what == "message-hand"] == [
        ("message-hand", "我来"), ("message-hand", "派错了"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"reason": "试"}, 400),
        ({"agent": "1010"}, 400),
        ({"agent": "9999", "reason": "试"}, 400),
        ({"agent": 1010, "reason": "试"}, 400),
        ({"group": "nowhere", "reason": "试"}, 400),
        ({"group": ["general"], "reason": "试"}, 400),
    ],
)
async def test_nonsense_hands_nothing_over(hall: Hall, body: dict[str, object], status: int) -> None:
    boss = await hall.session("supervisor")
    for kind in ("messages", "callbacks"):
        answer = await hall.ask("POST", f"/api/{kind}/{MINE}/hand", body, token=boss)
        assert (answer.status, "error" in answer.body) == (status, True)
    assert hall.control.deeds == []


async def test_a_message_that_is_dealt_with_is_not_handed_over(hall: Hall) -> None:
    boss = await hall.session("supervisor")
    close = await hall.ask("POST", f"/api/messages/{MINE}/close", {"agent": "1010", "reason": "已回电"}, token=boss)
    assert close.status == 200
    answer = await hall.ask("POST", f"/api/messages/{MINE}/hand", {"agent": "1010", "reason": "试"}, token=boss)
    assert (answer.status, "1010" in answer.body["error"]) == (409, True)
    assert (await hall.ask("POST", "/api/messages/x/hand", {"agent": "1010", "reason": "试"}, token=boss)).status == 404


async def test_a_callback_goes_to_another_group_at_its_age_and_back_into_the_line(hall: Hall) -> None:
    boss = await hall.session("supervisor")
    path, before = f"/api/callbacks/{MINE}/hand", hall.control.callbacks.book.get(MINE)
    assert before is not None
    told = (await hall.ask("POST", path, {"group": "market", "reason": "市场监管的事"}, token=boss)).body
    assert (told["group"], told["since_ms"], told["state"]) == ("market", before.since_ms, "waiting")
    assert hall.control.deeds[-1][0] == "callback-hand"
    await hall.ask("POST", f"/api/callbacks/{MINE}/cancel", {"reason": "市民来电取消"}, token=boss)
    assert hall.control.deeds[-1][0] == "callback-cancel"
    assert (await hall.ask("POST", path, {"group": "general", "reason": "试"}, token=boss)).status == 409
    assert (await hall.ask("POST", "/api/callbacks/x/hand", {"group": "general"}, token=boss)).status == 404


async def test_a_callback_in_the_line_waits_for_the_other_group_as_long_as_before(hall: Hall) -> None:
    boss, house = await hall.session("supervisor"), hall.house
    house.table = replace(house.table, callback=CallbackPolicy())
    house.link.up = True
    await house.callbacks.resolve_in_doubt()
    house.callbacks.schedule_due()
    held = house.callbacks.book.get(MINE)
    assert held is not None
    before = house.queues.acd.tickets[held.call]
    assert before.group == "general"
    body = {"group": "market", "reason": "市场监管的事"}
    assert (await hall.ask("POST", f"/api/callbacks/{MINE}/hand", body, token=boss)).status == 200
    after = house.queues.acd.tickets[held.call]
    assert (after.group, after.since_ms, after.overflow) == ("market", before.since_ms, ())
    hall.house.queues.apply(AgentSignedIn(AgentId("1002"), SeatId("8002"), (GroupId("market"),)))
    assert house.queues.acd.tickets[held.call].phase is TicketPhase.OFFERED
    assert (
        await hall.ask("POST", f"/api/callbacks/{MINE}/hand", {**body, "group": "general"}, token=boss)
    ).status == 409


async def test_an_agent_hands_nothing_over_and_hears_nothing_in_the_page(hall: Hall) -> None:
    agent = await hall.session("agent")
    for path, body in (
        (f"/api/messages/{MINE}/hand", {"agent": "1001", "reason": "试"}),
        (f"/api/callbacks/{MINE}/hand", {"group": "general", "reason": "试"}),
        (f"/api/messages/{MINE}/look", {"reason": "核实"}),
    ):
        assert (await hall.ask("POST", path, body, token=agent)).status == 403


async def test_who_is_handed_a_message_may_see_its_number_also_out_of_another_group(hall: Hall) -> None:
    boss, agent = await hall.session("supervisor"), await hall.session("agent")
    path = f"/api/messages/{FOREIGN}/reveal"
    assert (await hall.ask("POST", path, {"reason": "回电"}, token=agent)).status == 403
    await hall.ask("POST", f"/api/messages/{FOREIGN}/hand", {"agent": "1001", "reason": "请处理"}, token=boss)
    assert (await hall.ask("POST", path, {"reason": "回电"}, token=agent)).status == 200


async def test_a_message_is_heard_after_its_reason_is_written_down_by_who_asked_and_nothing_else_with_it(
    hall: Hall,
) -> None:
    boss = await hall.session("supervisor")
    assert (await hall.ask("POST", f"/api/messages/{FOREIGN}/look", {"reason": ""}, token=boss)).status == 400
    told = (await hall.ask("POST", f"/api/messages/{FOREIGN}/look", {"reason": "核实投诉"}, token=boss)).body
    heard = await hall.ask("GET", told["sound"], token=boss)
    assert (heard.status, heard.raw, heard.headers["Cache-Control"]) == (200, SOUND, "no-store")
    (entry,) = (await hall.ask("GET", "/api/audit?action=look.message", token=await hall.session("auditor"))).body[
        "entries"
    ]
    assert (entry["reason"], entry["detail"]["call"]) == ("核实投诉", FOREIGN)
    ticket = told["look"]
    for other in (f"/api/messages/{MINE}/sound?look={ticket}", f"/api/recordings/{MINE}/sound?look={ticket}"):
        assert (await hall.ask("GET", other, token=boss)).status == 403
    stranger = await hall.session("auditor")
    assert (await hall.ask("GET", told["sound"], token=stranger)).status == 403
    gone = CallId("hl1-1795351322.99")
    assert (await hall.ask("POST", f"/api/messages/{gone}/look", {"reason": "核实"}, token=boss)).status == 404


async def test_a_message_behind_a_link_out_of_the_folder_is_not_there(hall: Hall) -> None:
    boss = await hall.session("supervisor")
    messages = hall.pages.parent / "messages"
    outside = hall.pages.parent / "outside.wav"
    outside.write_bytes(SOUND)
    file = messages / recording_file(MINE)
    file.unlink()
    file.symlink_to(outside)
    assert (await hall.ask("POST", f"/api/messages/{MINE}/look", {"reason": "核实"}, token=boss)).status == 404


async def test_an_agent_hears_and_closes_what_waits_for_his_groups_or_was_handed_to_him_and_it_is_kept(
    hall: Hall,
) -> None:
    boss, agent = await hall.session("supervisor"), await hall.session("agent")
    assert (await hall.ask("POST", "/api/agents/1001/sign-in", {"seat": "8001"}, token=agent)).status == 200
    for what, body in (("play", {"seat": "8001"}), ("close", {"agent": "1001", "reason": "已回电"})):
        refused = await hall.ask("POST", f"/api/messages/{FOREIGN}/{what}", body, token=agent)
        assert (refused.status, "技能组" in refused.body["error"]) == (403, True)
    assert (await hall.ask("POST", f"/api/messages/{MINE}/play", {"seat": "8001"}, token=agent)).status == 200
    await hall.ask("POST", f"/api/messages/{FOREIGN}/hand", {"agent": "1001", "reason": "请处理"}, token=boss)
    assert (await hall.ask("POST", f"/api/messages/{FOREIGN}/play", {"seat": "8001"}, token=agent)).status == 200
    kept = [(by, data["to"]) for what, by, data in hall.control.deeds if what == "message-play"]
    assert kept == [("张三（agent）", MINE), ("张三（agent）", FOREIGN)]
