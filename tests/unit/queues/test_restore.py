from __future__ import annotations

from dataclasses import replace

import pytest

from queues.acd import Acd
from queues.effects import Effect, Offer
from queues.events import Answered, SeatSeen, Tick, TicketJoined, TicketSeen
from queues.model import SignIn, TicketPhase, UnexpectedEvent
from queues.restore import restore
from queues.rules import apply
from queues.states import AgentState
from telephony.model import GroupId, NodeId, Priority, SeatId
from tests.unit.queues.floor import POLICY, START, agent_id, call_id, seat_id

pytestmark = pytest.mark.unit

S = AgentState
GENERAL = GroupId("general")


def seen(number: int, *, pause: str | None = None, idle: int | None = None) -> SeatSeen:
    return SeatSeen(seat_id(number), SignIn(agent_id(number), seat_id(number), (GENERAL,), pause), idle_since_ms=idle)


def call(
    serial: int, age: int, phase: TicketPhase = TicketPhase.WAITING, seat: SeatId | None = None, priority: int = 0
) -> TicketSeen:
    joined = TicketJoined(call_id(serial), GENERAL, START - age * 1000, priority, channel="PJSIP/pstn-1")
    return TicketSeen(joined, phase, seat)


def rebuild(seats: list[SeatSeen], tickets: list[TicketSeen]) -> tuple[Acd, tuple[Effect, ...]]:
    return restore(NodeId("a"), POLICY, seats, tickets, START)


def test_waiting_calls_keep_their_order_and_ages() -> None:
    acd, effects = rebuild([], [call(1, 10), call(2, 50), call(3, 30), call(4, 1, priority=Priority.REPEAT)])
    assert effects == ()
    assert [acd.position(call_id(n)) for n in (4, 2, 3, 1)] == [1, 2, 3, 4]
    assert acd.tickets[call_id(2)].since_ms == START - 50_000


def test_those_who_talk_or_ring_are_left_in_peace() -> None:
    acd, effects = rebuild(
        [seen(1), seen(2)],
        [call(1, 90, TicketPhase.TALKING, seat_id(1)), call(2, 9, TicketPhase.OFFERED, seat_id(2)), call(3, 5)],
    )
    assert effects == ()
    assert [acd.seats[seat_id(n)].state for n in (1, 2)] == [S.TALKING, S.RESERVED]
    assert acd.next_deadline() == START + 25_000
    apply(acd, Answered(call_id(2), seat_id(2)), START + 1)
    assert acd.seats[seat_id(2)].state is S.TALKING
    assert not acd.strays


def test_ready_seats_are_offered_at_once_longest_idle_first() -> None:
    _, effects = rebuild([seen(1, idle=START - 5), seen(2, idle=START - 9)], [call(1, 1), call(2, 2), call(3, 3)])
    assert [(e.call, e.seat) for e in effects if isinstance(e, Offer)] == [
        (call_id(3), seat_id(2)),
        (call_id(2), seat_id(1)),
    ]


@pytest.mark.parametrize(
    ("seat", "state"),
    [
        (seen(1), S.READY),
        (seen(1, pause="小休"), S.PAUSED),
        (replace(seen(1), reachable=False), S.UNREACHABLE),
        (replace(seen(1), in_use=True), S.BUSY),
        (SeatSeen(seat_id(1), in_use=True), S.SIGNED_OUT),
    ],
)
def test_a_seat_rests_where_the_switch_shows_it(seat: SeatSeen, state: AgentState) -> None:
    acd, effects = rebuild([seat], [])
    assert effects == ()
    assert acd.seats[seat_id(1)].state is state


def test_pause_and_phone_of_a_seat_in_a_call_count_after_it() -> None:
    paused = replace(seen(1, pause="用餐"), in_use=True)
    acd, _ = rebuild([paused], [call(1, 9, TicketPhase.TALKING, seat_id(1))])
    seat = acd.seats[seat_id(1)]
    assert (seat.state, seat.pause, seat.in_use) == (S.TALKING, "用餐", True)


@pytest.mark.parametrize(
    ("seats", "tickets", "waiting", "known"),
    [
        pytest.param(
            [seen(1)],
            [call(1, 9, TicketPhase.TALKING, seat_id(1)), call(2, 5, TicketPhase.TALKING, seat_id(1))],
            [],
            [1],
            id="two talk at one seat: the younger is let go, never queued",
        ),
        pytest.param(
            [seen(1)],
            [call(1, 9, TicketPhase.OFFERED, seat_id(1)), call(2, 5, TicketPhase.TALKING, seat_id(1))],
            [1],
            [1, 2],
            id="one talks and one rings at a seat: the ringing one waits",
        ),
        pytest.param([], [call(1, 9, TicketPhase.OFFERED, seat_id(1))], [1], [1], id="rings where nobody is signed in"),
        pytest.param([], [call(1, 9, TicketPhase.TALKING)], [], [], id="talks, nobody knows where"),
        pytest.param([], [call(1, 9), call(1, 5)], [1], [1], id="one call seen twice"),
        pytest.param([seen(1), seen(1)], [], [], [], id="one seat seen twice"),
        pytest.param([seen(1), replace(seen(1), seat=seat_id(2))], [], [], [], id="one agent at two seats"),
    ],
)
def test_contradictions_are_counted_and_nobody_is_lost(
    seats: list[SeatSeen], tickets: list[TicketSeen], waiting: list[int], known: list[int]
) -> None:
    acd, _ = rebuild(seats, tickets)
    assert acd.strays == {UnexpectedEvent.RESTORE_CONFLICT: 1}
    assert set(acd.tickets) == {call_id(n) for n in known}
    assert {c for c in acd.tickets if acd.position(c) is not None} == {call_id(n) for n in waiting}


def test_widening_counts_from_joining_where_known_else_from_ringing() -> None:
    ticket = TicketJoined(call_id(1), GroupId("market"), START - 30_000, overflow=((20, GENERAL),))
    acd, _ = rebuild([], [TicketSeen(ticket)])
    assert acd.tickets[call_id(1)].asks == ("market", "general")
    acd, _ = rebuild([], [TicketSeen(ticket, joined_ms=START - 15_000)])
    assert acd.tickets[call_id(1)].asks == ("market",)
    apply(acd, Tick(), START + 5000)
    assert acd.tickets[call_id(1)].asks == ("market", "general")
