from __future__ import annotations

import pytest

from queues.effects import RosterChanged, SeatStateChanged, TalkOver, Withdraw
from queues.events import (
    AgentSignedIn,
    CallHeld,
    Event,
    Forced,
    NotAnswered,
    Paused,
    PolicyChanged,
    Ready,
    Ringing,
    SeatBusyElsewhere,
    SeatFree,
    SeatReachable,
    SeatUnreachable,
    SignedOut,
    Tick,
    TicketLeft,
    WrapUpEnded,
    WrapUpExtended,
)
from queues.model import NotAllowed, OfferFailure, SeatReason, SignIn
from queues.states import AgentState
from telephony.model import GroupId
from tests.unit.queues.floor import POLICY, Floor, agent_id, call_id, moves, offers, seat_id

pytestmark = pytest.mark.unit

S = AgentState
A1, A2, S1, S2 = agent_id(1), agent_id(2), seat_id(1), seat_id(2)
GENERAL = GroupId("general")


def rosters(effects: tuple[object, ...]) -> list[tuple[str, SignIn | None]]:
    return [(e.seat, e.new) for e in effects if isinstance(e, RosterChanged)]


def floor_in(state: AgentState) -> Floor:
    """One agent, brought into this state the way it happens."""
    floor = Floor()
    if state is S.SIGNED_OUT:
        floor.tell(SeatFree(S1))
        return floor
    floor.sign_in(1)
    if state is S.PAUSED:
        floor.tell(Paused(S1, "小休"))
    elif state is S.UNREACHABLE:
        floor.tell(SeatUnreachable(S1))
    elif state is S.BUSY:
        floor.tell(SeatBusyElsewhere(S1))
    elif state is not S.READY:
        floor.join(1)
        if state is S.RINGING:
            floor.tell(Ringing(call_id(1), S1))
        elif state is S.NOT_RESPONDING:
            floor.tell(NotAnswered(call_id(1), S1, OfferFailure.NO_ANSWER))
            floor.tell(TicketLeft(call_id(1)))
        elif state in (S.TALKING, S.HOLD, S.WRAP_UP):
            floor.talk(1, 1)
            if state is S.HOLD:
                floor.tell(CallHeld(call_id(1), S1))
            if state is S.WRAP_UP:
                floor.end(1, 1)
    assert floor.state(1) is state
    return floor


EVENTS: dict[str, Event] = {
    "ready": Ready(S1),
    "pause": Paused(S1, "用餐"),
    "out": SignedOut(S1),
    "lost": SeatUnreachable(S1),
    "back": SeatReachable(S1),
    "use": SeatBusyElsewhere(S1),
    "free": SeatFree(S1),
    "more": WrapUpExtended(S1, 30),
    "done": WrapUpEnded(S1),
}
TABLE = """
state           ready  pause   out         lost         back   use   free   more  done
signed-out      no     no      no          same         same   same  same   no    no
ready           same   paused  signed-out  unreachable  same   busy  same   no    no
reserved        same   same    same        unreachable  same   same  same   no    no
ringing         same   same    same        same         same   same  same   no    no
talking         same   same    same        same         same   same  same   no    no
hold            same   same    same        same         same   same  same   no    no
wrap-up         ready  paused  signed-out  same         same   same  same   same  ready
paused          ready  same    signed-out  unreachable  same   same  same   no    no
not-responding  ready  paused  signed-out  same         same   same  same   no    no
unreachable     same   same    signed-out  same         ready  same  same   no    no
busy            same   paused  signed-out  unreachable  same   same  ready  no    no
"""  # no = refused


def table() -> list[tuple[AgentState, str, str]]:
    header, *rows = (line.split() for line in TABLE.strip().splitlines())
    return [(AgentState(row[0]), event, cell) for row in rows for event, cell in zip(header[1:], row[1:], strict=True)]


def test_the_table_is_whole() -> None:
    assert {(state, event) for state, event, _ in table()} == {(state, event) for state in S for event in EVENTS}


@pytest.mark.parametrize(("state", "event", "then"), table())
def test_what_each_event_does_in_each_state(state: AgentState, event: str, then: str) -> None:
    floor = floor_in(state)
    if then == "no":
        with pytest.raises(NotAllowed) as caught:
            floor.tell(EVENTS[event])
        assert "座席8001" in caught.value.reason
        assert floor.state(1) is state
    else:
        floor.tell(EVENTS[event])
        assert floor.state(1) is (state if then == "same" else AgentState(then))


@pytest.mark.parametrize("state", [S.RESERVED, S.RINGING, S.TALKING, S.HOLD])
@pytest.mark.parametrize(
    ("wish", "then"),
    [(Paused(S1, "用餐"), S.PAUSED), (SignedOut(S1), S.SIGNED_OUT)],
)
def test_a_wish_during_a_call_is_kept_until_it_is_over(state: AgentState, wish: Event, then: AgentState) -> None:
    floor = floor_in(state)
    assert len(rosters(floor.tell(wish))) == 1  # durable at once
    if state in (S.TALKING, S.HOLD):
        floor.end(1, 1)
        if then is S.PAUSED:
            assert floor.state(1) is S.WRAP_UP
            floor.tell(WrapUpEnded(S1))
    else:
        floor.tell(NotAnswered(call_id(1), S1, OfferFailure.NO_ANSWER))
    assert floor.state(1) is then


def test_ready_during_a_call_takes_the_wishes_back() -> None:
    floor = floor_in(S.TALKING)
    floor.tell(Paused(S1, "用餐"))
    assert rosters(floor.tell(SignedOut(S1))) == [(S1, None)]
    assert rosters(floor.tell(Ready(S1))) == [(S1, SignIn(A1, S1, (GENERAL,)))]
    floor.end(1, 1)
    floor.tell(Tick(), after=10)
    assert floor.state(1) is S.READY


def test_signing_in_again_changes_groups_only() -> None:
    floor = floor_in(S.PAUSED)
    effects = floor.sign_in(1, "market", "general", "market")
    assert rosters(effects) == [(S1, SignIn(A1, S1, (GENERAL, GroupId("market")), "小休"))]
    assert moves(effects) == []
    assert floor.sign_in(1, "general", "market") == ()


def test_new_groups_bring_waiting_calls_at_once() -> None:
    floor = floor_in(S.READY)
    floor.join(1, "market")
    assert offers(floor.sign_in(1, "market")) == [("1", S1)]


def test_an_agent_who_moves_leaves_the_old_seat() -> None:
    floor = floor_in(S.PAUSED)
    effects = floor.tell(AgentSignedIn(A1, S2, (GENERAL,)))
    assert moves(effects) == [(S1, S.PAUSED, S.SIGNED_OUT), (S2, S.SIGNED_OUT, S.READY)]
    assert rosters(effects) == [(S1, None), (S2, SignIn(A1, S2, (GENERAL,)))]
    assert floor.acd.seat_of == {A1: S2}


def test_the_next_shift_replaces_who_forgot_to_sign_out() -> None:
    floor = floor_in(S.READY)
    effects = floor.tell(AgentSignedIn(A2, S1, (GENERAL,)))
    assert moves(effects) == [(S1, S.READY, S.SIGNED_OUT), (S1, S.SIGNED_OUT, S.READY)]
    assert [e.agent for e in effects if isinstance(e, SeatStateChanged)] == [A1, A2]
    assert floor.acd.seat_of == {A2: S1}


@pytest.mark.parametrize("state", [S.RESERVED, S.RINGING, S.TALKING])
def test_nobody_signs_in_over_a_call(state: AgentState) -> None:
    floor = floor_in(state)
    with pytest.raises(NotAllowed, match="8001"):
        floor.tell(AgentSignedIn(A2, S1, (GENERAL,)))
    with pytest.raises(NotAllowed, match="8002"):
        floor.tell(AgentSignedIn(A1, S2, (GENERAL,)))
    assert floor.acd.seat_of == {A1: S1}
    assert S2 not in floor.acd.seats


def test_signing_in_rests_where_the_phone_is() -> None:
    floor = Floor()
    floor.tell(SeatUnreachable(S1))
    floor.sign_in(1)
    assert floor.state(1) is S.UNREACHABLE
    floor.tell(SeatBusyElsewhere(S2))
    floor.sign_in(2, pause="培训")
    assert floor.state(2) is S.PAUSED
    floor.tell(Ready(S2))
    assert floor.state(2) is S.BUSY


@pytest.mark.parametrize("state", [s for s in S if s is not S.SIGNED_OUT])
@pytest.mark.parametrize("to", [S.READY, S.PAUSED, S.SIGNED_OUT])
def test_a_supervisor_frees_a_seat_from_any_state(state: AgentState, to: AgentState) -> None:
    floor = floor_in(state)
    effects = floor.tell(Forced(S1, to, "班长安排"))
    contact = floor.seat(1).reachable
    in_use = floor.seat(1).in_use
    if to is S.SIGNED_OUT:
        assert floor.state(1) is S.SIGNED_OUT
    elif not contact:
        assert floor.state(1) is S.UNREACHABLE
    elif to is S.READY and in_use:
        assert floor.state(1) is S.BUSY
    elif to is S.READY and state in (S.RESERVED, S.RINGING):
        assert offers(effects) == [("1", S1)]
    else:
        assert floor.state(1) is to
    if state in (S.RESERVED, S.RINGING):
        [withdrawn] = [e for e in effects if isinstance(e, Withdraw)]
        assert withdrawn.back_to_wait is not bool(offers(effects))
        assert call_id(1) in floor.acd.tickets
    elif state is S.TALKING:
        assert any(isinstance(e, TalkOver) for e in effects)
        assert call_id(1) not in floor.acd.tickets


def test_a_supervisor_cannot_force_work() -> None:
    floor = floor_in(S.READY)
    with pytest.raises(NotAllowed, match="talking"):
        floor.tell(Forced(S1, S.TALKING))


def test_wrap_up_ends_by_itself_when_it_should_and_not_earlier() -> None:
    floor = floor_in(S.WRAP_UP)
    assert floor.acd.next_deadline() == floor.now + 10_000
    floor.tell(Tick(), after=9.999)
    assert floor.state(1) is S.WRAP_UP
    effects = floor.tell(Tick(), after=0.001)
    assert [(e.new, e.why) for e in effects if isinstance(e, SeatStateChanged)] == [(S.READY, SeatReason.WRAP_UP_OVER)]


def test_wrap_up_is_not_cut_short_by_a_phone_that_comes_and_goes() -> None:
    floor = floor_in(S.WRAP_UP)
    for event in (SeatUnreachable(S1), SeatReachable(S1), SeatBusyElsewhere(S1), SeatFree(S1)):
        floor.tell(event, after=1)
        assert floor.state(1) is S.WRAP_UP
    floor.tell(SeatUnreachable(S1))
    floor.tell(Tick(), after=10)
    assert floor.state(1) is S.UNREACHABLE


def test_wrap_up_is_extended_up_to_the_policy() -> None:
    floor = floor_in(S.WRAP_UP)
    began = floor.now
    [effect] = floor.tell(WrapUpExtended(S1, 30), after=5)
    assert isinstance(effect, SeatStateChanged)
    assert (effect.why, effect.until_ms) == (SeatReason.WRAP_UP_EXTENDED, began + 40_000)
    floor.tell(WrapUpExtended(S1, 9999))
    assert floor.acd.next_deadline() == began + POLICY.wrap_up_seconds_max * 1000
    with pytest.raises(NotAllowed, match="600"):
        floor.tell(WrapUpExtended(S1, 1))
    with pytest.raises(NotAllowed, match="大于0"):
        floor.tell(WrapUpExtended(S1, 0))


@pytest.mark.parametrize(
    ("why", "state", "back_seconds"),
    [
        (OfferFailure.NO_ANSWER, S.NOT_RESPONDING, 60),
        (OfferFailure.REJECTED, S.NOT_RESPONDING, 60),
        (OfferFailure.BUSY, S.NOT_RESPONDING, 5),
        (OfferFailure.UNREACHABLE, S.NOT_RESPONDING, 15),
        (OfferFailure.ERROR, S.NOT_RESPONDING, 5),
    ],
)
def test_a_seat_that_did_not_take_the_call_is_left_in_peace_for_a_while(
    why: OfferFailure, state: AgentState, back_seconds: int
) -> None:
    floor = floor_in(S.RESERVED)
    floor.tell(NotAnswered(call_id(1), S1, why))
    assert floor.state(1) is state
    floor.tell(TicketLeft(call_id(1)))
    floor.tell(Tick(), after=back_seconds - 0.001)
    assert floor.state(1) is state
    floor.tell(Tick(), after=0.001)
    assert floor.state(1) is S.READY


def test_policy_may_keep_a_seat_not_responding_until_its_agent_says_ready() -> None:
    floor = floor_in(S.RESERVED)
    floor.tell(PolicyChanged(type(POLICY)(back_after={OfferFailure.NO_ANSWER: None})))
    floor.tell(NotAnswered(call_id(1), S1, OfferFailure.NO_ANSWER))
    assert floor.acd.next_deadline() is None
    assert offers(floor.tell(Ready(S1), after=9999)) == [("1", S1)]


@pytest.mark.parametrize(
    ("phone", "why", "state"),
    [
        (SeatBusyElsewhere(S1), OfferFailure.BUSY, S.BUSY),
        (SeatUnreachable(S1), OfferFailure.UNREACHABLE, S.UNREACHABLE),
        (SeatUnreachable(S1), OfferFailure.NO_ANSWER, S.UNREACHABLE),
    ],
)
def test_a_failure_that_the_phone_explains_rests_there(phone: Event, why: OfferFailure, state: AgentState) -> None:
    floor = floor_in(S.RINGING)
    floor.tell(phone)
    floor.tell(NotAnswered(call_id(1), S1, why))
    assert floor.state(1) is state


def test_a_device_still_in_use_after_the_talk_is_not_rung() -> None:
    floor = Floor()
    floor.sign_in(1, "market")  # no wrap-up
    floor.join(1, "market")
    floor.tell(SeatBusyElsewhere(S1))
    floor.talk(1, 1)
    floor.join(2, "market")
    assert offers(floor.end(1, 1)) == []
    assert floor.state(1) is S.BUSY
    assert offers(floor.tell(SeatFree(S1))) == [("2", S1)]
