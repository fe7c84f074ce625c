from __future__ import annotations

from typing import TypeVar

import pytest

from queues.effects import Connected, Offer, OfferFailed, TalkOver, TicketWaiting, Withdraw
from queues.events import (
    Answered,
    Event,
    Forced,
    NotAnswered,
    Ready,
    Ringing,
    SeatUnreachable,
    TalkEnded,
    Tick,
    TicketJoined,
    TicketLeft,
)
from queues.model import OfferFailure, SeatReason, TicketPhase, UnexpectedEvent
from queues.skill_lanes import lane
from queues.states import AgentState
from telephony.model import CallId, GroupId, NodeId
from tests.unit.queues.floor import Floor, call_id, moves, offers, seat_id

pytestmark = pytest.mark.unit

S = AgentState
C1, C2, C3 = call_id(1), call_id(2), call_id(3)
S1, S2 = seat_id(1), seat_id(2)


E = TypeVar("E")


def of(effects: tuple[object, ...], kind: type[E]) -> list[E]:
    return [e for e in effects if isinstance(e, kind)]


def test_an_offer_says_all_that_the_shell_needs() -> None:
    floor = Floor()
    floor.sign_in(1, "market")
    effects = floor.join(1, "general", age=12, overflow=((0, "market"),))
    [offer] = of(effects, Offer)
    assert offer == Offer(
        reservation=f"{C1}/1",
        call=C1,
        channel="PJSIP/pstn-1",
        node=NodeId("a"),
        seat=S1,
        agent=floor.seat(1).agent or pytest.fail("nobody"),
        group=GroupId("market"),
        ring_seconds=15,
        waited_ms=12_000,
        deadline_ms=floor.now + 20_000,
    )


def test_a_call_from_offer_to_the_end() -> None:
    floor = Floor()
    floor.sign_in(1)
    floor.join(1, age=3)
    floor.tell(Ringing(C1, S1), after=0.1)
    [connected] = of(floor.tell(Answered(C1, S1), after=4), Connected)
    assert (connected.waited_ms, connected.group) == (7100, "general")
    effects = floor.end(1, 1, after=60)
    [over] = of(effects, TalkOver)
    assert (over.talk_ms, over.agent) == (60_000, "1001")
    assert moves(effects) == [(S1, S.TALKING, S.WRAP_UP)]
    assert floor.acd.tickets == {}
    assert floor.tell(TicketLeft(C1)) == ()
    assert not floor.acd.strays


def test_who_does_not_answer_is_passed_over_at_once_and_the_age_stays() -> None:
    floor = Floor()
    floor.sign_in(1)
    floor.sign_in(2, after=1)
    floor.join(1, age=5)
    since = floor.ticket(1).since_ms
    floor.tell(Ringing(C1, S1))
    effects = floor.tell(NotAnswered(C1, S1, OfferFailure.NO_ANSWER), after=20)
    assert [(e.seat, e.why) for e in of(effects, OfferFailed)] == [(S1, OfferFailure.NO_ANSWER)]
    [offer] = of(effects, Offer)
    assert (offer.seat, offer.waited_ms, offer.reservation) == (S2, 25_000, f"{C1}/2")
    assert floor.ticket(1).since_ms == since
    assert floor.state(1) is S.NOT_RESPONDING


def test_a_requeued_call_keeps_its_place() -> None:
    floor = Floor()
    floor.sign_in(1)
    floor.join(1)
    floor.join(2, after=1)
    floor.tell(NotAnswered(C1, S1, OfferFailure.NO_ANSWER), after=20)
    assert [floor.acd.position(c) for c in (C1, C2)] == [1, 2]
    assert offers(floor.tell(Ready(S1))) == [("1", S1)]


def test_a_caller_who_leaves_frees_the_seat_which_keeps_its_place() -> None:
    floor = Floor()
    floor.sign_in(1)
    floor.sign_in(2, after=1)
    floor.join(1, after=1)
    effects = floor.tell(TicketLeft(C1), after=3)
    [withdrawn] = of(effects, Withdraw)
    assert (withdrawn.why, withdrawn.back_to_wait, withdrawn.seat) == (SeatReason.CALLER_LEFT, False, S1)
    assert offers(floor.join(2)) == [("2", S1)]


def test_a_caller_who_leaves_while_waiting_or_talking() -> None:
    floor = Floor()
    floor.sign_in(1)
    floor.join(1)
    floor.join(2)
    floor.talk(1, 1)
    assert floor.tell(TicketLeft(C2)) == ()
    assert floor.acd.position(C2) is None
    assert of(floor.tell(TicketLeft(C1)), TalkOver)
    assert floor.state(1) is S.WRAP_UP
    assert floor.acd.tickets == {}


def test_silence_ends_a_reservation_and_holds_the_call_back_a_moment() -> None:
    floor = Floor()
    floor.sign_in(1)
    floor.sign_in(2, after=1)
    floor.join(1)
    effects = floor.tell(Tick(), after=25)
    [withdrawn] = of(effects, Withdraw)
    assert (withdrawn.why, withdrawn.back_to_wait) == (SeatReason.TIMEOUT, True)
    assert offers(effects) == []
    assert floor.acd.next_deadline() == floor.now + 1000
    assert offers(floor.tell(Tick(), after=1)) == [("1", S2)]


def test_a_call_that_cannot_be_moved_does_not_take_its_group_down() -> None:
    floor = Floor()
    for number in range(1, 8):
        floor.sign_in(number)
    floor.join(1)
    holds = []
    for _ in range(6):
        seat = floor.ticket(1).seat
        assert seat is not None
        floor.tell(NotAnswered(C1, seat, OfferFailure.ERROR))
        held = floor.ticket(1).held_until_ms
        assert held is not None
        holds.append((held - floor.now) // 1000)
        assert [s.state for s in floor.acd.seats.values()].count(S.READY) >= 3
        floor.tell(Tick(), after=holds[-1])
    assert holds == [1, 2, 4, 8, 10, 10]


def test_contact_lost_before_ringing_moves_the_call_on() -> None:
    floor = Floor()
    floor.sign_in(1)
    floor.sign_in(2, after=1)
    floor.join(1)
    effects = floor.tell(SeatUnreachable(S1))
    [withdrawn] = of(effects, Withdraw)
    assert (withdrawn.why, withdrawn.back_to_wait) == (SeatReason.CONTACT_LOST, False)  # the offer moves the caller
    assert offers(effects) == [("1", S2)]


def test_joining_again_is_harmless_and_never_changes_the_age() -> None:
    floor = Floor()
    floor.join(1, age=30)
    since, joined = floor.ticket(1).since_ms, floor.ticket(1).joined_ms
    assert floor.join(1, age=0, after=10) == ()
    effects = floor.join(1, age=0, priority=2, after=10)
    assert [(e.again, e.priority) for e in of(effects, TicketWaiting)] == [(True, 2)]
    assert (floor.ticket(1).since_ms, floor.ticket(1).joined_ms) == (since, joined)
    floor.join(1, "market", age=0, after=10)
    assert (floor.ticket(1).since_ms, floor.ticket(1).joined_ms) == (since, floor.now)
    assert len(floor.acd.waiting[lane(GroupId("general"))]) == 0


def test_joining_while_offered_changes_nothing() -> None:
    floor = Floor()
    floor.sign_in(1)
    floor.join(1)
    assert floor.join(1) == ()
    assert floor.acd.strays == {UnexpectedEvent.JOINED_WHILE_OFFERED: 1}
    assert floor.state(1) is S.RESERVED


def test_a_talking_call_that_joins_again_waits_with_its_age() -> None:
    floor = Floor()
    floor.sign_in(1)
    floor.join(1, age=5)
    since = floor.ticket(1).since_ms
    floor.talk(1, 1)
    effects = floor.join(1, "market", age=0, after=60)
    assert of(effects, TalkOver)
    assert floor.ticket(1).phase is TicketPhase.WAITING
    assert floor.ticket(1).since_ms == since
    assert floor.end(1, 1) == ()  # the late end of the old talk
    assert floor.ticket(1).phase is TicketPhase.WAITING
    assert floor.acd.strays == {UnexpectedEvent.JOINED_WHILE_TALKING: 1, UnexpectedEvent.TALK_ENDED: 1}


LATE: list[tuple[Event, UnexpectedEvent]] = [
    (Ringing(C2, S1), UnexpectedEvent.RINGING),
    (Ringing(C1, S2), UnexpectedEvent.RINGING),
    (Ringing(C1, S1), UnexpectedEvent.RINGING),
    (Answered(C2, S1), UnexpectedEvent.ANSWERED_UNKNOWN_CALL),
    (Answered(C1, S1), UnexpectedEvent.ANSWERED_TWICE),
    (NotAnswered(C1, S1, OfferFailure.BUSY), UnexpectedEvent.NOT_ANSWERED),
    (NotAnswered(C2, S2, OfferFailure.BUSY), UnexpectedEvent.NOT_ANSWERED),
    (TalkEnded(C1, S2), UnexpectedEvent.TALK_ENDED),
    (TalkEnded(C2, S1), UnexpectedEvent.TALK_ENDED),
]


@pytest.mark.parametrize(("event", "stray"), LATE)
def test_late_and_doubled_messages_are_counted_and_change_nothing(event: Event, stray: UnexpectedEvent) -> None:
    floor = Floor()
    floor.sign_in(1)
    floor.join(1)
    floor.talk(1, 1)
    assert floor.tell(event) == ()
    assert floor.acd.strays == {stray: 1}
    assert floor.state(1) is S.TALKING


def test_an_end_that_comes_before_its_answer_does_not_lose_the_waiting_call() -> None:
    floor = Floor()
    floor.sign_in(1)
    floor.join(1)
    assert floor.end(1, 1) == ()
    assert floor.ticket(1).phase is TicketPhase.OFFERED


def test_an_answer_after_the_reservation_timed_out_is_believed() -> None:
    floor = Floor()
    floor.sign_in(1)
    floor.join(1)
    floor.tell(Tick(), after=25)
    effects = floor.tell(Answered(C1, S1))
    assert of(effects, Connected)
    assert floor.state(1) is S.TALKING
    assert floor.acd.strays == {UnexpectedEvent.ANSWERED_WITHOUT_OFFER: 1}


def test_an_answer_elsewhere_withdraws_the_offer_but_does_not_move_the_caller() -> None:
    floor = Floor()
    floor.sign_in(1)
    floor.sign_in(2, after=1)
    floor.join(1)
    effects = floor.tell(Answered(C1, S2))
    [withdrawn] = of(effects, Withdraw)
    assert (withdrawn.seat, withdrawn.back_to_wait) == (S1, False)
    assert (floor.state(1), floor.state(2)) == (S.READY, S.TALKING)


def test_an_answer_at_a_seat_reserved_for_another_call_puts_that_one_back() -> None:
    floor = Floor()
    floor.sign_in(1)
    floor.join(1)
    floor.tell(Tick(), after=25)
    floor.tell(Tick(), after=15)  # back, and offered again
    assert floor.ticket(1).phase is TicketPhase.OFFERED
    floor.join(2)
    effects = floor.tell(Answered(C2, S1))
    [withdrawn] = of(effects, Withdraw)
    assert (withdrawn.call, withdrawn.back_to_wait) == (C1, True)
    assert floor.seat(1).call == C2
    assert floor.acd.position(C1) == 1


def test_a_seat_that_answers_a_second_call_has_ended_the_first() -> None:
    floor = Floor()
    floor.sign_in(1)
    floor.join(1)
    floor.talk(1, 1)
    floor.join(2)
    effects = floor.tell(Answered(C2, S1), after=9)
    assert [e.call for e in of(effects, TalkOver)] == [C1]
    assert floor.seat(1).call == C2
    assert floor.seat(1).since_ms == floor.now
    assert C1 not in floor.acd.tickets
    assert floor.acd.strays[UnexpectedEvent.TALK_REPLACED] == 1


def test_a_call_answered_at_a_second_seat_has_left_the_first() -> None:
    floor = Floor()
    floor.sign_in(1)
    floor.sign_in(2, after=1)
    floor.join(1)
    floor.talk(1, 1)
    floor.tell(Answered(C1, S2))
    assert (floor.state(1), floor.state(2)) == (S.WRAP_UP, S.TALKING)
    assert floor.ticket(1).seat == S2


def test_an_answer_where_nobody_is_signed_in_still_keeps_the_call_out_of_the_queue() -> None:
    floor = Floor()
    floor.join(1)
    [connected] = of(floor.tell(Answered(C1, S1)), Connected)
    assert connected.agent is None
    assert offers(floor.sign_in(2)) == []
    floor.end(1, 1)
    assert floor.state(1) is S.SIGNED_OUT


def test_a_call_answered_after_its_agent_was_forced_out() -> None:
    floor = Floor()
    floor.sign_in(1)
    floor.join(1)
    floor.tell(Forced(S1, S.SIGNED_OUT))
    floor.tell(Answered(C1, S1))
    assert floor.ticket(1).phase is TicketPhase.TALKING


def test_the_node_comes_from_the_call_id() -> None:
    floor = Floor()
    floor.tell(TicketJoined(CallId("b2-1760000000.7"), GroupId("general"), floor.now))
    floor.tell(TicketJoined(CallId("odd"), GroupId("general"), floor.now))
    assert [t.node for t in floor.acd.tickets.values()] == ["b2", "a"]


def test_a_failure_of_another_seat_does_not_cost_the_offer() -> None:
    floor = Floor()
    floor.sign_in(1)
    floor.sign_in(2, after=1)
    floor.join(1)
    floor.tell(NotAnswered(C1, S1, OfferFailure.NO_ANSWER))
    assert floor.ticket(1).seat == S2
    assert floor.tell(NotAnswered(C1, S1, OfferFailure.NO_ANSWER)) == ()  # said twice
    assert (floor.ticket(1).seat, floor.state(2)) == (S2, S.RESERVED)
    assert floor.acd.strays == {UnexpectedEvent.NOT_ANSWERED: 1}
