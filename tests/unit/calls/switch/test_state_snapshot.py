"""Asterisk's lists, as 22.10.1 wrote them, read into our picture; and lists that nobody should believe."""

from __future__ import annotations

import pytest

from calls.switch.state_snapshot import (
    SwitchState,
    parse_switch_state,
    read_switch,
    seats,
    tickets,
    to_adopt,
    transfers_of,
)
from queues.model import TicketPhase
from queues.restore import restore
from queues.states import AgentState
from telephony.events import Event
from telephony.model import GroupId, NodeId, SeatId, Stage
from tests.support.engine_harness import NOW, TABLE, House, Link, call_id, channel, event, seat_channel
from transfers.states import Form, Progress, TransferState

pytestmark = pytest.mark.unit

GENERAL = GroupId("general")


def caller(serial: int, stage: str, *, age: int = 5, group: str = "general", **more: str) -> Event:
    told = {
        "HL_CALL": call_id(serial), "HL_PARTY": "caller", "HL_STAGE": stage, "HL_SINCE": str(NOW - age * 1000),
        "HL_GROUP": group, "HL_OVERFLOW": "market:20", "HL_PRIORITY": "(null)", "HL_SEAT": "(null)",
    } | {key: value for key, value in more.items() if key.startswith("HL_")}  # fmt: skip
    shown = {key: value for key, value in more.items() if not key.startswith("HL_")}
    return event(
        "Status",
        Channel=channel(serial), Uniqueid=call_id(serial), Linkedid=call_id(serial), ChannelStateDesc="Up",
        **({"BridgeID": "", "Application": "Wait"} | shown), Variable=[f"{key}={value}" for key, value in told.items()],
    )  # fmt: skip


def at_seat(serial: int, seat: str) -> Event:
    told = [f"HL_CALL={call_id(serial)}", "HL_PARTY=agent", "HL_STAGE=(null)", "HL_SINCE=(null)"]
    return event(
        "Status", Channel=seat_channel(seat), Uniqueid=f"hl1-1795351329.{serial}", Linkedid=call_id(serial),
        BridgeID="b", Application="AppDial", Variable=told,
    )  # fmt: skip


def member(queue: str, agent: str, seat: str, *, paused: str = "0", reason: str = "") -> Event:
    return event("QueueMember", Queue=queue, Name=agent, Location=f"PJSIP/{seat}", StateInterface=f"PJSIP/{seat}",
                 Membership="dynamic", Penalty="0", Status="1", Paused=paused, PausedReason=reason)  # fmt: skip


def device(seat: str, state: str) -> Event:
    return event("DeviceStateChange", Device=f"PJSIP/{seat}", State=state)


def rebuilt(seen: SwitchState) -> House:
    house = House()
    acd, effects = restore(NodeId("hl1"), house.queues.acd.policy, seats(seen, TABLE), tickets(seen, GENERAL), NOW)
    assert effects == () or acd.tickets
    house.queues.acd = acd
    return house


def test_waiting_callers_keep_their_order_and_their_age() -> None:
    lines = [
        caller(4, "wait", age=99, HL_PRIORITY="-1"),
        caller(1, "wait", age=5),
        caller(2, "wait", age=90),
        caller(3, "wait", age=40, HL_PRIORITY="9"),
    ]
    acd = rebuilt(parse_switch_state(lines, [], [])).queues.acd
    assert [acd.position(call_id(serial)) for serial in (3, 2, 1)] == [1, 2, 3]
    assert acd.tickets[call_id(2)].since_ms == NOW - 90_000
    assert acd.tickets[call_id(2)].overflow == ((20, "market"),)
    assert acd.tickets[call_id(2)].channel == channel(2)


def test_who_talks_is_left_in_peace() -> None:
    seen = parse_switch_state(
        [caller(1, "connect", BridgeID="b", Application="Dial", HL_SEAT="8001"), at_seat(1, "8001")],
        [member("duty", "1001", "8001"), member("group-general", "1001", "8001")],
        [device("8001", "INUSE")],
    )
    (ticket,) = tickets(seen, GENERAL)
    assert (ticket.phase, ticket.seat) == (TicketPhase.TALKING, "8001")
    assert rebuilt(seen).state("8001") is AgentState.TALKING


def test_a_phone_that_rings_keeps_its_caller() -> None:
    seen = parse_switch_state(
        [caller(1, "connect", Application="Dial"), at_seat(1, "8001")],
        [member("duty", "1001", "8001"), member("group-general", "1001", "8001")],
        [device("8001", "RINGING")],
    )
    (ticket,) = tickets(seen, GENERAL)
    assert (ticket.phase, ticket.seat) == (TicketPhase.OFFERED, "8001")
    assert rebuilt(seen).state("8001") is AgentState.RESERVED


def test_sign_ins_pauses_and_phones_come_back() -> None:
    seen = parse_switch_state(
        [],
        [
            event("QueueParams", Queue="duty"),
            member("duty", "1001", "8001"),
            member("group-general", "1001", "8001"),
            member("duty", "1002", "8002", paused="1", reason="小休"),
            member("duty", "1003", "8003"),
        ],
        [
            device("8001", "NOT_INUSE"),
            device("8002", "NOT_INUSE"),
            device("8003", "UNAVAILABLE"),
            device("8004", "INUSE"),
        ],
    )
    house = rebuilt(seen)
    assert [house.state(seat) for seat in ("8001", "8002", "8003", "8004")] == [
        AgentState.READY, AgentState.PAUSED, AgentState.UNREACHABLE, AgentState.SIGNED_OUT,
    ]  # fmt: skip
    assert house.queues.acd.seats[SeatId("8002")].pause == "小休"
    assert {one.seat for one in seats(seen, TABLE)} == {*TABLE.seats, *TABLE.page_phones}


def test_a_seat_without_a_device_state_has_no_phone() -> None:
    assert not any(seat.reachable for seat in seats(parse_switch_state([], [], []), TABLE))


def test_who_waits_in_app_queue_is_to_be_brought_back() -> None:
    seen = parse_switch_state(
        [
            caller(1, "fallback", Application="Queue"),
            caller(2, "fallback", Application="Queue", BridgeID="b"),
            caller(3, "wait"),
            caller(4, "fallback", Application="Playback"),
        ],
        [],
        [],
    )
    assert [one.call for one in to_adopt(seen)] == [call_id(1)]


def test_the_duty_queue_is_no_group() -> None:
    seen = parse_switch_state(
        [caller(1, "wait", group="duty"), caller(2, "wait", group=""), caller(3, "wait", group="market")], [], []
    )
    assert [ticket.ticket.group for ticket in tickets(seen, GENERAL)] == ["general", "general", "market"]


@pytest.mark.parametrize("stage", ["ring", "greet", "after", "emergency", "fallback", "", "nonsense", "(null)"])
def test_a_caller_who_does_not_concern_the_queue_is_known_all_the_same(stage: str) -> None:
    seen = parse_switch_state([caller(1, stage)], [], [])
    assert tickets(seen, GENERAL) == []
    assert seen.callers[0].stage in set(Stage)


@pytest.mark.parametrize(
    "line",
    [
        event("Status"),
        event("Status", Channel="", Uniqueid="", Variable=[]),
        caller(1, "wait", HL_PARTY="agent"),
        caller(1, "wait", HL_PARTY="(null)"),
        caller(1, "wait", HL_CALL="hl1-1795351322.2"),
        caller(1, "wait", HL_CALL="(null)"),
        caller(1, "wait", HL_CALL="../../x"),
        event("Status", Channel="x", Uniqueid="x", Variable=["HL_CALL=x", "HL_PARTY=caller"]),
        event("Status", Channel="x", Uniqueid=call_id(1), Variable="HL_PARTY=caller"),
    ],
)
def test_a_channel_that_is_no_caller_s_is_not_taken_for_one(line: Event) -> None:
    assert parse_switch_state([line], [], []).callers == ()


@pytest.mark.parametrize("text", ["", "-5", "٣", "1e9", "9" * 40, "x"])
def test_an_age_or_priority_that_is_none_is_nought(text: str) -> None:
    (one,) = parse_switch_state([caller(1, "wait", HL_SINCE=text, HL_PRIORITY=text)], [], []).callers
    assert (one.since_ms, one.priority) == (0, 0)


def test_members_that_are_not_ours_are_named_and_ignored() -> None:
    seen = parse_switch_state(
        [], [member("duty", "x", "8001"), member("other", "1001", "8001"), event("QueueMember")], []
    )
    assert seen.roster.sign_ins == ()
    assert len(seen.roster.faults) == 2


def test_devices_that_are_no_phones_are_not_seats() -> None:
    seen = parse_switch_state(
        [], [], [event("DeviceStateChange"), event("DeviceStateChange", Device="Queue:duty_avail", State="X")]
    )
    assert seen.device_states == {}


async def test_all_three_lists_are_asked_for() -> None:
    link = Link()
    asked: list[str] = []
    link.during = asked.append
    link.lists = {"Status": [caller(1, "wait")], "QueueStatus": [member("duty", "1001", "8001")], "DeviceStateList": []}
    seen = await read_switch(link)  # type: ignore[arg-type]
    assert asked == ["Status", "QueueStatus", "DeviceStateList"]
    assert [one.call for one in seen.callers] == [call_id(1)]


def centre_leg(serial: int, name: str, state: str, target: str = "110") -> Event:
    told = [f"HL_CALL={call_id(serial)}", "HL_PARTY=centre", f"HL_TRANSFER={target}"]
    return event("Status", Channel=name, Uniqueid=f"hl1-1795351330.{serial}", ChannelStateDesc=state, Variable=told)


@pytest.mark.parametrize(
    ("bridge", "agent", "state", "seen"),
    [
        ("", True, "Ringing", TransferState.CONSULT_DIALLING),
        ("", True, "Up", TransferState.CONSULTING),
        ("b", True, "Ringing", TransferState.DIALLING),
        ("b", True, "Up", TransferState.ANSWERED),
        ("b", False, "Ringing", TransferState.WAITING),
        ("b", False, "Up", TransferState.AGENT_LEFT),
    ],
)
def test_a_consultation_is_known_again_after_a_restart(
    bridge: str, agent: bool, state: str, seen: TransferState
) -> None:
    legs = [centre_leg(1, "PJSIP/utility-water-00000002", state, "1701")]
    legs += [at_seat(1, "8001")] if agent else []
    found = transfers_of([caller(1, "conference", BridgeID=bridge), *legs])[call_id(1)]
    assert (found.state, found.form, found.target) == (seen, Form.ATTENDED, "701")


@pytest.mark.parametrize(
    ("state", "seen"),
    [
        ("Down", (TransferState.DIALLING, Progress.SILENT)),
        ("Ringing", (TransferState.DIALLING, Progress.RINGING)),
        ("Up", (TransferState.ANSWERED, Progress.SILENT)),
    ],
)
def test_a_centre_that_rings_is_known_again_after_a_restart(state: str, seen: tuple[TransferState, Progress]) -> None:
    legs = [
        centre_leg(1, "Local/110@reach-00000001;2", "Up"), centre_leg(1, "PJSIP/emergency-110-00000002", state),
    ]  # fmt: skip
    found = transfers_of([caller(1, "conference"), at_seat(1, "8001"), *legs])[call_id(1)]
    assert ((found.state, found.progress), found.trunk) == (seen, "emergency-110")
