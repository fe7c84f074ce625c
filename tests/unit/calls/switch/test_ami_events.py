"""What Asterisk tells, as it told it (headers taken from a real 22.10.1), and what it must never tell us into."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from ivr.model import Script
from ledger.model import Kind
from queues.events import AgentSignedIn, MoveCall
from queues.states import AgentState
from telephony.model import AgentId, GroupId, SeatId, Stage
from tests.support.engine_harness import House, call_id, channel, event, seat_channel

pytestmark = pytest.mark.unit


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = House()
    made.queues.apply(AgentSignedIn(AgentId("1001"), SeatId("8001"), made.table.agents["1001"].groups))
    yield made
    await made.queues.stop()


def offered(house: House, serial: int = 1) -> None:
    house.desk.route(house.question(Script.ENTER, serial, number="12345"))
    house.desk.place(house.question(Script.OFFER, serial))


def talking(house: House, serial: int = 1) -> None:
    offered(house, serial)
    house.dial("DialBegin", serial, "8001")
    house.dial("DialEnd", serial, "8001", DialStatus="ANSWER")


async def test_a_seat_rings_and_answers(house: House) -> None:
    offered(house)
    assert house.state("8001") is AgentState.RESERVED
    house.dial("DialBegin", 1, "8001")
    assert house.state("8001") is AgentState.RINGING
    house.dial("DialEnd", 1, "8001", DialStatus="ANSWER")
    assert house.state("8001") is AgentState.TALKING
    assert house.calls.live[call_id(1)].stage is Stage.TALK
    (answered,) = house.ledger.of(Kind.ANSWERED)
    assert (answered["seat"], answered["agent"], answered["by"], answered["waited_ms"]) == (
        "8001",
        "1001",
        "agent",
        5000,
    )
    assert len(house.ledger.of(Kind.RECORDING)) == 1


@pytest.mark.parametrize("status", ["NOANSWER", "BUSY", "CANCEL", "CHANUNAVAIL", ""])
async def test_a_seat_that_does_not_answer_is_left_to_the_dialplan_s_question(house: House, status: str) -> None:
    offered(house)
    house.dial("DialBegin", 1, "8001")
    house.dial("DialEnd", 1, "8001", DialStatus=status)
    assert house.state("8001") is AgentState.RINGING


async def test_the_caller_hangs_up_while_it_rings(house: House) -> None:
    offered(house)
    house.dial("DialBegin", 1, "8001")
    house.hangup(1)
    assert house.state("8001") is AgentState.READY
    assert house.ledger.of(Kind.ENDED) == [{"cause": "16", "by": "caller"}]
    assert house.calls.live == {}


async def test_a_caller_on_hold_is_known_and_a_caller_who_holds_is_not(house: House) -> None:
    talking(house)
    at_seat = {"Channel": seat_channel("8001"), "Uniqueid": "hl1-1795351329.99", "Linkedid": call_id(1)}
    house.news.hear(event("Hold", **at_seat, MusicClass="default"))
    assert house.state("8001") is AgentState.HOLD
    house.news.hear(event("Unhold", **at_seat))
    assert house.state("8001") is AgentState.TALKING
    house.news.hear(event("Hold", Channel=channel(1), Uniqueid=call_id(1), Linkedid=call_id(1)))
    assert house.state("8001") is AgentState.TALKING
    assert house.ledger.of(Kind.HELD) == [{"seat": "8001", "agent": "1001", "music": "default"}]
    assert house.ledger.of(Kind.RESUMED) == [{"seat": "8001", "agent": "1001"}]


async def test_a_hold_of_no_call_is_nobody_s_fact(house: House) -> None:
    house.news.hear(event("Hold", Channel=seat_channel("8001"), Uniqueid="hl1-1795351329.99", Linkedid=call_id(9)))
    assert house.ledger.of(Kind.HELD) == []


async def test_a_moved_call_says_so_on_its_channel(house: House) -> None:
    for seat_busy in (1, 2):
        offered(house, seat_busy)
    house.queues.apply(MoveCall(call_id(2), GroupId("market"), ((20, GroupId("general")),)))
    await house.settle()
    assert [told for action, told in house.link.sent if action == "Setvar"] == [
        {"Channel": channel(2), "Variable": "HL_GROUP", "Value": "market"},
        {"Channel": channel(2), "Variable": "HL_OVERFLOW", "Value": "general:20"},
    ]


async def test_the_agent_hangs_up_first_and_the_call_goes_on(house: House) -> None:
    talking(house)
    house.now += 1_000
    house.seat_hangup("8001", 1)
    assert house.state("8001") is AgentState.WRAP_UP
    assert call_id(1) in house.calls.live
    assert house.desk.on_talk_ended(house.question(Script.AFTER)), "the one who was talked to may be rated"
    house.hangup(1)
    assert house.ledger.of(Kind.ENDED) == [{"cause": "16", "by": "system"}]
    assert len(house.ledger.of(Kind.TALK_ENDED)) == 1


async def test_the_caller_hangs_up_in_the_talk(house: House) -> None:
    talking(house)
    house.now += 3_000
    house.hangup(1)
    house.seat_hangup("8001", 1)
    assert house.state("8001") is AgentState.WRAP_UP
    (over,) = house.ledger.of(Kind.TALK_ENDED)
    assert over["talk_ms"] == 3_000


async def test_an_end_is_told_once_and_only_of_known_calls(house: House) -> None:
    offered(house)
    house.hangup(1)
    house.hangup(1)
    house.hangup(2)
    assert len(house.ledger.of(Kind.ENDED)) == 1


async def test_a_subcentre_and_a_centre_answer(house: House) -> None:
    for serial, trunk, by in ((1, "subcentre-12366", "subcentre"), (2, "emergency-110", "emergency")):
        house.desk.route(house.question(Script.ENTER, serial, number="12345"))
        house.dial("DialEnd", serial, trunk, DialStatus="ANSWER")
        answered = house.ledger.of(Kind.ANSWERED)[-1]
        assert (answered["seat"], answered["by"]) == (trunk, by)
        assert house.desk.on_talk_ended(house.question(Script.AFTER, serial))


async def test_a_call_that_the_dialplan_took_alone_enters_the_ledger(house: House) -> None:
    told = {"Channel": channel(1), "Call": call_id(1), "Number": "12333", "Caller": "13800001234"}
    house.news.hear(event("UserEvent", UserEvent="Fallback", **told))
    assert [kind for kind, call, _ in house.ledger.facts if call == call_id(1)] == [Kind.ENTERED, Kind.FALLBACK]
    assert house.ledger.of(Kind.ENTERED)[0] | {"rule": ""} == {"number": "12333", "caller": "13800001234", "rule": ""}
    house.dial("DialEnd", 1, "8001", DialStatus="ANSWER")
    assert house.ledger.of(Kind.ANSWERED) == [{"seat": "8001", "agent": "1001", "by": "fallback"}]


async def test_a_known_call_that_falls_back_leaves_our_line(house: House) -> None:
    offered(house)
    house.news.hear(event("UserEvent", UserEvent="Fallback", Channel=channel(1), Call=call_id(1)))
    assert call_id(1) not in house.queues.acd.tickets
    assert house.state("8001") is AgentState.READY
    assert len(house.ledger.of(Kind.ENTERED)) <= 1


async def test_an_emergency_call_is_recorded_and_told(house: House) -> None:
    told = {"Channel": channel(1), "Call": call_id(1), "Target": "110", "Number": "110", "Caller": ""}
    house.news.hear(event("UserEvent", UserEvent="Emergency", **told))
    assert house.calls.live[call_id(1)].stage is Stage.EMERGENCY
    assert Kind.RECORDING in house.ledger.kinds()


async def test_who_reaches_a_centre_by_a_key_is_recorded_and_the_ledger_knows(house: House) -> None:
    house.desk.place(house.question(Script.OFFER, group="market"))
    told = {"Call": call_id(1), "Target": "110", "State": "asked", "Form": "caller-key"}
    house.news.hear(event("UserEvent", UserEvent="OneKey", **told))
    house.dial("DialEnd", 1, "emergency-110", DialStatus="ANSWER")
    assert len(house.ledger.of(Kind.RECORDING)) == 1


async def test_who_waits_in_app_queue_although_we_are_here_is_named(house: House) -> None:
    offered(house)
    house.news.hear(event("QueueCallerJoin", Channel=channel(1), Uniqueid=call_id(1), Queue="group-general"))
    house.news.hear(event("QueueCallerJoin", Channel=channel(9), Uniqueid=call_id(9), Queue="group-general"))
    assert house.sent_away == [call_id(1)]


async def test_one_key_news_is_written_down_and_ends_with_the_call(house: House) -> None:
    talking(house)
    for state in ("asked", "dialling", "answered"):
        house.news.hear(
            event("UserEvent", UserEvent="OneKey", Call=call_id(1), Target="110", State=state, Form="one-key")
        )
    assert house.calls.live[call_id(1)].stage is Stage.CONFERENCE
    house.hangup(1)
    assert [data["state"] for data in house.ledger.of(Kind.TRANSFER)] == ["asked", "dialling", "answered", "ended"]


async def test_who_joins_and_leaves_a_conference(house: House) -> None:
    talking(house)
    house.news.hear(event("UserEvent", UserEvent="OneKey", Call=call_id(1), Target="110", State="answered"))
    for name in (channel(1), seat_channel("8001"), "Local/110@reach-00000001;1"):
        house.news.hear(event("ConfbridgeJoin", Conference=call_id(1), Channel=name))
    house.news.hear(event("ConfbridgeLeave", Conference=call_id(1), Channel="Local/110@reach-00000001;1"))
    assert [(data["party"], data["action"]) for data in house.ledger.of(Kind.PARTY)] == [
        ("caller", "joined"), ("agent", "joined"), ("centre", "joined"), ("centre", "left"),
    ]  # fmt: skip
    assert house.ledger.of(Kind.TRANSFER)[-1]["state"] == "centre-left"


async def test_an_agent_whose_phone_is_gone_has_left_the_transfer(house: House) -> None:
    talking(house)
    house.news.hear(event("UserEvent", UserEvent="OneKey", Call=call_id(1), Target="110", State="answered"))
    house.seat_hangup("8001", 1)
    assert [data["state"] for data in house.ledger.of(Kind.TRANSFER)] == ["answered", "agent-left"]


async def test_a_caller_who_asked_for_a_centre_by_a_key_is_in_no_line_any_more(house: House) -> None:
    house.desk.place(house.question(Script.OFFER))
    house.news.hear(
        event("UserEvent", UserEvent="OneKey", Call=call_id(1), Target="110", State="asked", Form="caller-key")
    )
    assert call_id(1) not in house.queues.acd.tickets
    assert house.calls.live[call_id(1)].stage is Stage.EMERGENCY


async def test_a_call_from_a_centre_brings_its_reference(house: House) -> None:
    for told, kept in (("4a51313139", "JQ119"), ("JQ-2026.7", "JQ-2026.7"), ("00ff", "00ff"), ("", "")):
        house.news.hear(event("UserEvent", UserEvent="FromCentre", Call=call_id(1), Centre="110", Reference=told))
        assert house.ledger.of(Kind.FROM_CENTRE)[-1] == {"centre": "110", "reference": kept}


async def test_a_citizen_handed_over_is_told_with_the_number(house: House) -> None:
    told = {"Call": call_id(1), "Centre": "110", "Reference": "4a51", "Number": "12333"}
    house.news.hear(event("UserEvent", UserEvent="FromCentre", **told))
    assert house.ledger.of(Kind.FROM_CENTRE) == [{"centre": "110", "reference": "JQ", "number": "12333"}]


async def test_a_route_that_goes_down_is_told_once_and_again_when_it_is_back(house: House) -> None:
    for state in ("UNAVAILABLE", "INVALID", "NOT_INUSE", "INUSE"):
        house.news.hear(event("DeviceStateChange", Device="PJSIP/emergency-110", State=state))
    house.news.hear(event("DeviceStateChange", Device="PJSIP/utility-water", State="UNAVAILABLE"))
    told = [(data["alarm"], data["raised"]) for data in house.ledger.of(Kind.ALARM)]
    assert told == [("trunk-emergency-110", True), ("trunk-emergency-110", False)]
    assert house.alarms.standing == {}


async def test_a_phone_comes_and_goes(house: House) -> None:
    for state, seat_state in (
        ("UNAVAILABLE", AgentState.UNREACHABLE),
        ("NOT_INUSE", AgentState.READY),
        ("INUSE", AgentState.BUSY),
        ("RINGING", AgentState.BUSY),
        ("UNKNOWN", AgentState.READY),
        ("INVALID", AgentState.UNREACHABLE),
    ):
        house.news.hear(event("DeviceStateChange", Device="PJSIP/8001", State=state))
        assert house.state("8001") is seat_state


HOSTILE = ("", "x", "hl1-1795351322.1\n", "${X}", "../..", "1" * 300, "PJSIP/8001-0000000b")


@pytest.mark.parametrize("text", HOSTILE)
async def test_whatever_is_missing_or_hostile_changes_nothing(house: House, text: str) -> None:
    offered(house)
    before = (list(house.ledger.facts), house.state("8001"), dict(house.calls.live))
    for name in ("DialBegin", "DialEnd", "Hangup", "QueueCallerJoin", "DeviceStateChange", "NoSuchEvent"):
        house.news.hear(event(name))
        house.news.hear(event(name, Uniqueid=text, Channel=text, DestChannel=text, DialStatus="ANSWER", Device=text))
    for kind in ("OneKey", "Fallback", "Emergency", "Other", text):
        house.news.hear(event("UserEvent", UserEvent=kind))
        house.news.hear(event("UserEvent", UserEvent=kind, Call=text, Target="110", State="asked"))
    for name in ("ConfbridgeJoin", "ConfbridgeLeave"):
        house.news.hear(event(name, Conference=text, Channel=text))
    assert (list(house.ledger.facts), house.state("8001"), dict(house.calls.live)) == before


async def test_a_seat_that_is_not_in_the_table_is_nobody(house: House) -> None:
    house.news.hear(event("DeviceStateChange", Device="PJSIP/9999", State="NOT_INUSE"))
    house.news.hear(event("DeviceStateChange", Device="Queue:duty_avail", State="NOT_INUSE"))
    assert set(house.queues.acd.seats) == {SeatId("8001")}


async def test_a_caller_who_claims_a_number_of_syntax_has_none(house: House) -> None:
    house.news.hear(event("UserEvent", UserEvent="Fallback", Call=call_id(1), Number="${X}", Caller="1;2"))
    entered = house.ledger.of(Kind.ENTERED)[0]
    assert (entered["number"], entered["caller"]) == ("", "")


async def test_a_partners_route_is_an_alarm_that_is_not_grave_once_it_had_answered(house: House) -> None:
    for state in ("UNAVAILABLE", "NOT_INUSE", "INUSE", "UNAVAILABLE", "INVALID", "NOT_INUSE"):
        house.news.hear(event("DeviceStateChange", Device="PJSIP/utility-water", State=state))
        standing = house.alarms.standing.get("trunk-utility-water")
        assert standing is None or not standing.grave
    for state in ("NOT_INUSE", "UNAVAILABLE"):
        house.news.hear(event("DeviceStateChange", Device="PJSIP/drill-110", State=state))
    told = [(data["alarm"], data["raised"]) for data in house.ledger.of(Kind.ALARM)]
    assert told == [("trunk-utility-water", True), ("trunk-utility-water", False)]
