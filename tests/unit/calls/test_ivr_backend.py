"""The engine as a conversation sees it: table, queue and ledger behind one counter."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from calls.policy_from_table import policy_from_table
from ivr.model import Script
from ivr.ports import Queued, SeatAction, SeatAssignment
from ledger.model import Kind
from queues.events import AgentSignedIn, PolicyChanged
from queues.states import AgentState
from routing.model import CallerList, ListedCaller
from telephony.model import AgentId, Priority, SeatId, Stage
from tests.support.engine_harness import House, call_id

pytestmark = pytest.mark.unit

SEAT, AGENT = SeatId("8001"), AgentId("1001")


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = House()
    yield made
    await made.queues.stop()


def sign_in(house: House, seat: str = "8001", agent: str = "1001") -> None:
    house.queues.apply(AgentSignedIn(AgentId(agent), SeatId(seat), house.table.agents[agent].groups))


async def test_a_route_is_the_table_s_and_the_call_is_known(house: House) -> None:
    decision = house.desk.route(house.question(Script.ENTER, number="12345"))
    assert decision.rule == "hotline"
    assert house.calls.live[call_id(1)].stage is Stage.GREET


@pytest.mark.parametrize(("withheld", "found"), [(False, CallerList.PRIORITY), (True, None)])
async def test_a_withheld_number_is_on_no_list(
    house: House, monkeypatch: pytest.MonkeyPatch, withheld: bool, found: CallerList | None
) -> None:
    row = ListedCaller("13800000001", CallerList.PRIORITY, "行动不便")
    monkeypatch.setattr(house, "table", replace(house.table, callers={row.number: row}))
    asked = house.question(Script.ENTER, number="12345", caller="13800000001", withheld=withheld)
    assert house.desk.route(asked).list is found
    assert house.desk.standing(asked).priority == (Priority.NORMAL if withheld else Priority.LISTED)


async def test_a_free_seat_rings_at_once_without_a_redirect(house: House) -> None:
    sign_in(house)
    place = house.desk.place(house.question(Script.OFFER))
    assert place == SeatAssignment(SEAT, AGENT, ring_seconds=20)
    await house.settle()
    assert not any(action == "Redirect" for action, _ in house.link.sent), "its own question is the way to the seat"
    assert house.ledger.of(Kind.OFFERED)[0]["seat"] == "8001"
    assert len(house.ledger.of(Kind.RECORDING)) == 1


async def test_who_waits_is_told_once_and_keeps_its_place(house: House) -> None:
    first = house.desk.place(house.question(Script.OFFER, 1, since_ms=house.now - 9_000))
    second = house.desk.place(house.question(Script.OFFER, 2, since_ms=house.now - 60_000))
    assert first == Queued(1, first_time=True)
    assert second == Queued(1, first_time=True), "it rang earlier"
    again = house.desk.place(house.question(Script.OFFER, 1))
    assert again == Queued(2, first_time=False)


async def test_an_engine_that_came_back_does_not_tell_again(house: House) -> None:
    assert house.desk.place(house.question(Script.WAITING)) == Queued(1, first_time=False)


async def test_a_free_seat_takes_the_waiting_caller_by_redirect(house: House) -> None:
    house.desk.place(house.question(Script.OFFER))
    sign_in(house)
    await house.settle()
    redirects = [headers for action, headers in house.link.sent if action == "Redirect"]
    assert redirects == [{"Channel": "PJSIP/pstn-00000001", "Context": "connect", "Exten": "8001", "Priority": "1"}]


def dropping(house: House, seconds: float) -> None:
    """Calls 1 and 2 ring; 1 talks at 8001 for so long, and its agent hangs up. A short talk is one under 3 s."""
    groups = {group.id: replace(group, short_talk_seconds=3) for group in house.table.groups.values()}
    house.queues.apply(PolicyChanged(policy_from_table(replace(house.table, groups=groups))))
    sign_in(house)
    house.desk.route(house.question(Script.ENTER, number="12345"))
    house.desk.place(house.question(Script.OFFER))
    house.desk.place(house.question(Script.OFFER, 2))
    house.dial("DialBegin", 1, "8001")
    house.dial("DialEnd", 1, "8001", DialStatus="ANSWER")
    house.now += int(seconds * 1000)
    house.seat_hangup("8001", 1)


async def test_who_is_answered_and_dropped_waits_on_at_its_place(house: House) -> None:
    dropping(house, 2.9)
    assert house.desk.on_short_talk(house.question(Script.AFTER))
    assert house.state("8001") is AgentState.NOT_RESPONDING
    assert house.desk.place(house.question(Script.AFTER)) == Queued(1, first_time=False)


async def test_who_is_dropped_goes_to_a_free_seat_by_the_answer_alone(house: House) -> None:
    dropping(house, 2.9)
    sign_in(house, "8002", "1002")  # rings for call 2
    house.hangup(2)
    await house.settle()
    house.link.sent.clear()
    assert house.desk.on_short_talk(house.question(Script.AFTER))
    assert house.desk.place(house.question(Script.AFTER)) == SeatAssignment(
        SeatId("8002"), AgentId("1002"), ring_seconds=20
    )
    await house.settle()
    assert not any(action == "Redirect" for action, _ in house.link.sent)
    assert sum(house.queues.acd.strays.values()) == 0


async def test_a_talk_that_was_one_is_rated(house: House) -> None:
    dropping(house, 3)
    assert not house.desk.on_short_talk(house.question(Script.AFTER))
    assert house.desk.on_talk_ended(house.question(Script.AFTER))


async def test_a_caller_who_hangs_up_at_once_does_not_come_back_into_the_line(house: House) -> None:
    dropping(house, 1)
    house.hangup(1)
    assert call_id(1) not in house.queues.acd.tickets
    assert house.state("8001") is AgentState.WRAP_UP


async def test_a_missing_group_is_the_default_and_a_missing_age_is_now(house: House) -> None:
    house.desk.place(house.question(Script.OFFER, group="", since_ms=0))
    ticket = house.queues.acd.tickets[call_id(1)]
    assert ticket.group == house.table.default_group
    assert ticket.since_ms > 0


@pytest.mark.parametrize(
    ("dial_status", "why"),
    [
        ("NOANSWER", "no-answer"),
        ("BUSY", "busy"),
        ("CONGESTION", "rejected"),
        ("CHANUNAVAIL", "unreachable"),
        ("", "error"),
        ("nonsense", "error"),
    ],
)
async def test_a_seat_that_did_not_answer_is_written_down_with_its_reason(
    house: House, dial_status: str, why: str
) -> None:
    sign_in(house)
    house.desk.place(house.question(Script.OFFER))
    house.desk.on_no_answer(house.question(Script.OFFER), SEAT, dial_status)
    assert house.ledger.of(Kind.NOT_ANSWERED) == [{"seat": "8001", "agent": "1001", "why": why}]
    assert house.queues.seat_of(call_id(1)) is None


async def test_a_talk_is_over_once_and_rated_once(house: House) -> None:
    sign_in(house)
    house.desk.place(house.question(Script.OFFER))
    house.dial("DialBegin", 1, "8001")
    house.dial("DialEnd", 1, "8001", DialStatus="ANSWER")
    assert house.state("8001") is AgentState.TALKING
    house.now += 60_000
    assert house.desk.on_talk_ended(house.question(Script.AFTER))
    assert house.state("8001") is AgentState.WRAP_UP
    assert house.calls.live[call_id(1)].stage is Stage.AFTER
    assert not house.desk.on_talk_ended(house.question(Script.AFTER)), "one rating per call"


async def test_nobody_reached_nobody_rated(house: House) -> None:
    house.desk.place(house.question(Script.OFFER))
    assert not house.desk.on_talk_ended(house.question(Script.AFTER))


async def test_an_answer_that_did_not_arrive_gives_the_seat_back_without_blame(house: House) -> None:
    sign_in(house)
    house.desk.place(house.question(Script.OFFER))
    for _ in range(2):
        house.desk.on_answer_lost(house.question(Script.OFFER))
        assert call_id(1) not in house.queues.acd.tickets
        assert house.state("8001") is AgentState.READY
    assert house.ledger.of(Kind.NOT_ANSWERED) == []


async def test_who_waits_and_was_not_told_is_not_in_our_line(house: House) -> None:
    house.desk.place(house.question(Script.OFFER))
    house.desk.on_answer_lost(house.question(Script.OFFER))
    assert call_id(1) not in house.queues.acd.tickets


@pytest.mark.parametrize("asks_again", [False, True])
async def test_who_was_redirected_while_asking_keeps_the_seat(house: House, asks_again: bool) -> None:
    house.desk.place(house.question(Script.OFFER))
    sign_in(house)
    if asks_again:
        assert isinstance(house.desk.place(house.question(Script.WAITING)), SeatAssignment)
    house.desk.on_answer_lost(house.question(Script.WAITING))
    assert house.state("8001") is AgentState.RESERVED
    assert house.queues.acd.tickets[call_id(1)].seat == SEAT


async def test_who_talks_is_not_taken_from_the_agent(house: House) -> None:
    sign_in(house)
    house.desk.place(house.question(Script.OFFER))
    house.dial("DialBegin", 1, "8001")
    house.dial("DialEnd", 1, "8001", DialStatus="ANSWER")
    house.desk.on_answer_lost(house.question(Script.OFFER))
    assert house.state("8001") is AgentState.TALKING


async def test_levels_are_the_table_s(house: House) -> None:
    assert [house.desk.rating_level(house.question(Script.RATED, key=key)) for key in ("5", "1", "9", "", "*")] == [
        5,
        1,
        0,
        0,
        0,
    ]


async def test_an_agent_s_day_by_the_keys_of_a_phone(house: House) -> None:
    press = house.desk.seat_key
    assert press(SEAT, SeatAction.SIGN_IN, AGENT) == "seat-signed-in"
    assert press(SEAT, SeatAction.PAUSE, "") == "seat-paused-1"
    assert house.queues.acd.seats[SEAT].pause == "小休"
    assert press(SEAT, SeatAction.PAUSE, "3") == "seat-paused-3"
    assert house.queues.acd.seats[SEAT].pause == "用餐"
    assert press(SEAT, SeatAction.PAUSE, "9") == "seat-pause-unknown"
    assert house.queues.acd.seats[SEAT].pause == "用餐"
    assert press(SEAT, SeatAction.READY, "") == "seat-ready"
    assert press(SEAT, SeatAction.EXTEND, "") == "seat-not-wrapping-up"
    assert press(SEAT, SeatAction.SIGN_OUT, "") == "seat-signed-out"
    assert house.state("8001") is AgentState.SIGNED_OUT
    deeds = [
        (deed["what"], deed["by"], deed["agent"], deed["reason"]) for deed in house.ledger.of(Kind.OPERATOR_ACTION)
    ]
    assert deeds == [
        ("sign-in", "话机8001", "1001", ""),
        ("pause", "话机8001", "1001", "小休"),
        ("pause", "话机8001", "1001", "用餐"),
        ("ready", "话机8001", "1001", ""),
        ("sign-out", "话机8001", "1001", ""),
    ]


async def test_a_key_extends_the_wrap_up_by_a_minute(house: House) -> None:
    sign_in(house)
    house.desk.place(house.question(Script.OFFER))
    house.dial("DialEnd", 1, "8001", DialStatus="ANSWER")
    house.now += 60_000
    house.seat_hangup("8001", 1)
    assert house.state("8001") is AgentState.WRAP_UP
    assert house.desk.seat_key(SEAT, SeatAction.EXTEND, "") == "seat-extended"
    assert house.queues.acd.seats[SEAT].until_ms == house.now + 70_000


@pytest.mark.parametrize("action", [SeatAction.SIGN_OUT, SeatAction.READY, SeatAction.PAUSE])
async def test_a_seat_that_nobody_signed_in_at_says_so(house: House, action: SeatAction) -> None:
    assert house.desk.seat_key(SEAT, action, "") == "seat-not-signed-in"
    assert SEAT not in house.queues.acd.seats


@pytest.mark.parametrize("agent", ["", "7777", "1", "99999999"])
async def test_an_unknown_agent_may_not_sign_in(house: House, agent: str) -> None:
    assert await house.desk.sign_in_refusal(SEAT, AgentId(agent), "4711") == "seat-pin-wrong"
    assert SEAT not in house.queues.acd.seats


@pytest.mark.parametrize("action", list(SeatAction))
async def test_a_sign_in_that_the_switch_could_not_remember_is_refused(house: House, action: SeatAction) -> None:
    sign_in(house)
    house.link.up = False
    assert house.desk.seat_key(SEAT, action, AGENT) == "seat-key-failed"
    assert await house.desk.sign_in_refusal(SEAT, AGENT, "4711") == "seat-key-failed"
    assert house.state("8001") is AgentState.READY


async def test_an_agent_in_a_talk_cannot_move_to_another_seat(house: House) -> None:
    sign_in(house)
    house.desk.place(house.question(Script.OFFER))
    assert house.desk.seat_key(SeatId("8002"), SeatAction.SIGN_IN, AGENT) == "seat-key-failed"
    assert house.queues.acd.seat_of[AGENT] == SEAT


async def test_a_key_never_says_done_when_nothing_changed(house: House) -> None:
    press = house.desk.seat_key
    sign_in(house)
    assert press(SEAT, SeatAction.PAUSE, "3") == "seat-paused-3"
    assert press(SEAT, SeatAction.SIGN_IN, AGENT) == "seat-still-paused"
    assert house.queues.acd.seats[SEAT].pause == "用餐"
    assert press(SEAT, SeatAction.READY, "") == "seat-ready"
    house.desk.place(house.question(Script.OFFER))
    house.dial("DialEnd", 1, "8001", DialStatus="ANSWER")
    assert press(SEAT, SeatAction.SIGN_IN, AGENT) == "seat-in-call"
    assert press(SEAT, SeatAction.READY, "") == "seat-after-call"
    assert press(SEAT, SeatAction.PAUSE, "3") == "seat-after-call"
    assert press(SEAT, SeatAction.SIGN_OUT, "") == "seat-after-call"
    assert house.state("8001") is AgentState.TALKING


@pytest.mark.parametrize(("talked_ms", "rated"), [(0, False), (999, False), (1000, True)])
async def test_a_talk_in_which_nobody_spoke_is_not_rated(house: House, talked_ms: int, rated: bool) -> None:
    sign_in(house)
    house.desk.place(house.question(Script.OFFER))
    house.dial("DialBegin", 1, "8001")
    house.dial("DialEnd", 1, "8001", DialStatus="ANSWER")
    house.now += talked_ms
    assert house.desk.on_talk_ended(house.question(Script.AFTER)) is rated
