"""Who comes first and who may answer: head starts, levels, languages, preferred agents, overflow, moves, hold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from queues.acd import Acd
from queues.effects import HeldTooLong, LastResort, Moved, TalkOver
from queues.events import (
    AgentSignedIn,
    Answered,
    CallHeld,
    CallResumed,
    MoveCall,
    Paused,
    PolicyChanged,
    Ready,
    SignedOut,
    TalkEnded,
    Tick,
    TicketJoined,
    WrapUpEnded,
)
from queues.model import NotAllowed, TicketPhase
from queues.policy import GroupPolicy, Overflow, Policy
from queues.states import AgentState
from telephony.model import GroupId, NodeId, OverflowTo, OverflowWhen, Priority
from tests.unit.queues.floor import POLICY, START, Floor, agent_id, call_id, offers, seat_id

pytestmark = pytest.mark.unit

S = AgentState
GENERAL, MARKET = GroupId("general"), GroupId("market")


def floor_with(**general: object) -> Floor:
    """A floor whose general group has these settings, and market none."""
    given = GroupPolicy(20, 0, **general)  # type: ignore[arg-type]
    return Floor(Acd(NodeId("a"), Policy(groups={GENERAL: given, MARKET: GroupPolicy(15, 0)}, levels=3)))


def sign_in(floor: Floor, number: int, *, level: int = 1, languages: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    levels = {GENERAL: level}
    return offers(
        floor.tell(AgentSignedIn(agent_id(number), seat_id(number), (GENERAL,), None, levels, frozenset(languages)))
    )


def join(floor: Floor, serial: int, *, preferred: int | None = None, language: str = "") -> list[tuple[str, str]]:
    agent = None if preferred is None else agent_id(preferred)
    return offers(
        floor.tell(TicketJoined(call_id(serial), GENERAL, floor.now, 0, (), f"PJSIP/pstn-{serial}", agent, language))
    )


def served(floor: Floor, number: int, count: int) -> list[int]:
    """Who comes to this seat, one after the other."""
    order = []
    for _ in range(count):
        call = floor.seat(number).call
        assert call is not None
        order.append(int(call.rpartition(".")[2]))
        floor.talk(order[-1], number)
        floor.end(order[-1], number)
    return order


# Order


@pytest.mark.parametrize(
    ("priority", "seconds"),
    [(Priority.REPEAT, 60), (Priority.DROPPED, 180), (Priority.CENTRE, 300), (Priority.FIRST, 3600), (6, 180), (1, 0)],
)
def test_a_priority_is_a_head_start_of_so_many_seconds(priority: int, seconds: int) -> None:
    floor = floor_with()
    floor.join(1, age=seconds + 2)
    floor.join(2, age=1, priority=priority)
    floor.join(3, age=seconds)
    sign_in(floor, 1)
    assert served(floor, 1, 3) == [1, 2, 3]


def test_a_caller_of_the_nuisance_list_is_served_after_the_others_but_not_for_ever() -> None:
    floor = floor_with()
    floor.join(1, age=599, priority=Priority.NUISANCE)
    floor.join(2)
    sign_in(floor, 1)
    assert served(floor, 1, 2) == [2, 1]
    floor = floor_with()
    floor.join(1, age=601, priority=Priority.NUISANCE)
    floor.join(2)
    sign_in(floor, 1)
    assert served(floor, 1, 2) == [1, 2]


def test_nobody_starves_behind_an_endless_stream_of_a_higher_class() -> None:
    """A rule starves a queue: a centre calls every second, and the normal caller waits its head start only."""
    floor = floor_with()
    sign_in(floor, 1)
    floor.join(1)
    floor.talk(1, 1)
    floor.join(2)
    started = floor.now
    serial = 10
    while floor.ticket(2).phase is TicketPhase.WAITING:
        serial += 1
        floor.join(serial, priority=Priority.CENTRE, after=1)
        call = floor.seat(1).call
        assert call is not None
        floor.tell(TalkEnded(call, seat_id(1)))
        now = floor.seat(1).call
        assert now is not None
        floor.talk(int(now.rpartition(".")[2]), 1)
        assert floor.now - started <= 301_000
    assert floor.now - started >= 299_000


def test_age_survives_being_moved_to_another_group_and_nobody_else_moves() -> None:
    floor = floor_with()
    floor.join(1, "market", age=50)
    floor.join(2, age=100)
    floor.join(3, age=20)
    [moved] = [e for e in floor.tell(MoveCall(call_id(1), GENERAL), after=5) if isinstance(e, Moved)]
    assert (moved.old, moved.group, moved.channel) == (MARKET, GENERAL, "PJSIP/pstn-1")
    assert floor.ticket(1).since_ms == START - 50_000
    assert [floor.acd.position(call_id(n)) for n in (2, 1, 3)] == [1, 2, 3]
    assert floor.acd.queued == {GENERAL: 3, MARKET: 0}


def test_what_the_channel_says_late_does_not_move_a_moved_call_back() -> None:
    floor = floor_with()
    floor.join(1, "market", age=50)
    floor.tell(MoveCall(call_id(1), GENERAL))
    floor.join(1, "market")  # asked before the channel was told
    assert floor.ticket(1).group == GENERAL
    floor.join(1, "general", after=10)
    assert floor.ticket(1).joined_ms == START


def test_a_call_that_rings_can_be_moved_and_one_that_talks_cannot() -> None:
    floor = floor_with()
    sign_in(floor, 1)
    floor.join(1)
    assert floor.state(1) is S.RESERVED
    floor.tell(MoveCall(call_id(1), MARKET))
    assert (floor.state(1), floor.ticket(1).phase) == (S.READY, TicketPhase.WAITING)
    floor.join(2)
    floor.talk(2, 1)
    for wrong, said in ((2, "通话中"), (9, "不在排队中"), (1, "已在技能组")):
        with pytest.raises(NotAllowed, match=said):
            floor.tell(MoveCall(call_id(wrong), MARKET))


# Skills


def test_the_best_level_that_is_ready_takes_the_call() -> None:
    floor = floor_with()
    for number, level in ((1, 3), (2, 1), (3, 2)):
        sign_in(floor, number, level=level)
    assert [join(floor, n) for n in (1, 2, 3)] == [[("1", "8002")], [("2", "8003")], [("3", "8001")]]


def test_levels_open_one_after_the_other() -> None:
    floor = floor_with(level_seconds=10)
    sign_in(floor, 3, level=3)
    sign_in(floor, 2, level=2)
    assert join(floor, 1) == join(floor, 2) == []
    assert floor.acd.next_deadline() == floor.now + 10_000
    assert offers(floor.tell(Tick(), after=10)) == [("1", "8002")]
    assert offers(floor.tell(Tick(), after=9.999)) == []
    assert offers(floor.tell(Tick(), after=0.001)) == [("2", "8003")]


def test_a_level_beyond_what_the_table_knows_still_serves() -> None:
    floor = floor_with(level_seconds=10)
    sign_in(floor, 1, level=9)
    join(floor, 1)
    assert offers(floor.tell(Tick(), after=20)) == [("1", "8001")]


def test_who_speaks_the_language_is_waited_for_but_not_for_ever() -> None:
    floor = floor_with(language_seconds=30)
    sign_in(floor, 1)
    sign_in(floor, 2, languages=("teochew",))
    assert join(floor, 1, language="teochew") == [("1", "8002")]
    assert join(floor, 2, language="teochew") == []
    assert offers(floor.tell(Tick(), after=30)) == [("2", "8001")]


def test_nobody_is_waited_for_who_is_not_there() -> None:
    floor = floor_with()
    sign_in(floor, 1)
    assert join(floor, 1, language="hakka") == [("1", "8001")]
    sign_in(floor, 2)
    assert join(floor, 2, preferred=7) == [("2", "8002")]


def test_the_agent_of_the_last_talk_is_waited_for_but_not_for_ever() -> None:
    floor = floor_with(preferred_seconds=20)
    sign_in(floor, 1)
    join(floor, 1)
    floor.talk(1, 1)
    sign_in(floor, 2)
    assert join(floor, 2, preferred=1) == []
    assert offers(floor.end(1, 1, after=5)) == [("2", "8001")]
    floor.talk(2, 1)
    assert join(floor, 3, preferred=1) == []
    assert offers(floor.tell(Tick(), after=20)) == [("3", "8002")]


def test_a_preferred_agent_who_rests_is_not_waited_for() -> None:
    floor = floor_with()
    sign_in(floor, 1)
    floor.tell(Paused(seat_id(1), "用餐"))
    sign_in(floor, 2)
    assert join(floor, 1, preferred=1) == [("1", "8002")]


def test_a_published_table_moves_seats_and_calls_to_their_new_lanes() -> None:
    floor = floor_with(level_seconds=60)
    sign_in(floor, 2, level=2)
    assert join(floor, 1) == []
    assert offers(floor.tell(PolicyChanged(POLICY))) == [("1", "8002")]


# Overflow


def row(when: OverflowWhen, value: int, to: OverflowTo, target: str = "") -> Overflow:
    return Overflow(when, value, to, target)


W, T = OverflowWhen, OverflowTo


def test_a_call_overflows_by_waiting_time_to_a_neighbour_and_then_to_everyone() -> None:
    floor = floor_with(overflow=(row(W.WAITED, 10, T.GROUP, "market"), row(W.WAITED, 30, T.EVERYONE)))
    floor.sign_in(1, "market")
    floor.sign_in(2, "transport")
    floor.join(1)
    floor.join(2)
    assert offers(floor.tell(Tick(), after=10)) == [("1", "8001")]
    assert offers(floor.tell(Tick(), after=20)) == [("2", "8002")]


def test_a_newcomer_overflows_from_a_line_that_is_long_enough_and_those_before_it_do_not() -> None:
    floor = floor_with(overflow=(row(W.LENGTH, 2, T.GROUP, "market"),))
    for serial in (1, 2, 3):
        floor.join(serial, after=1)
    assert [floor.ticket(n).asks for n in (1, 2, 3)] == [("general",), ("general",), ("general", "market")]
    assert offers(floor.sign_in(1, "market")) == [("3", "8001")]


def test_a_call_overflows_at_once_when_nobody_is_signed_in_and_when_the_last_one_leaves() -> None:
    floor = floor_with(overflow=(row(W.NOBODY, 0, T.GROUP, "market"),))
    floor.sign_in(1, "market")
    assert offers(floor.join(1)) == [("1", "8001")]
    floor.sign_in(2, "general", pause="用餐")
    floor.sign_in(3, "market")
    assert offers(floor.join(2)) == []
    floor.tell(SignedOut(seat_id(2)))
    assert offers(floor.tell(Tick(), after=10)) == [("2", "8003")]


def test_a_call_overflows_when_the_wait_will_be_long() -> None:
    floor = floor_with(overflow=(row(W.EXPECTED, 60, T.GROUP, "market"),))
    sign_in(floor, 1)
    join(floor, 1)
    floor.talk(1, 1)
    join(floor, 2)
    assert floor.ticket(2).asks == ("general",)  # nothing is known yet
    floor.end(1, 1, after=50)  # a talk of 50 s
    floor.talk(2, 1)
    join(floor, 3)
    assert floor.acd.expected_wait_ms(floor.ticket(3)) == 50_000
    assert floor.ticket(3).asks == ("general",)
    join(floor, 4)
    assert floor.acd.expected_wait_ms(floor.ticket(4)) == 100_000
    assert floor.ticket(4).asks == ("general", "market")
    floor.tell(Paused(seat_id(1), "用餐"))
    floor.end(2, 1, after=10)
    assert floor.ticket(3).asks == ("general", "market")  # with nobody at work the wait cannot end


def test_last_resorts_come_one_by_one_and_the_caller_stays_in_line() -> None:
    floor = floor_with(
        overflow=(
            row(W.NOBODY, 0, T.DUTY_PHONE, "06638000000"),
            row(W.NOBODY, 0, T.CALLBACK),
            row(W.WAITED, 90, T.MESSAGE),
        )
    )

    def told(effects: tuple[object, ...]) -> list[tuple[str, str]]:
        return [(e.kind, e.target) for e in effects if isinstance(e, LastResort)]

    assert told(floor.join(1)) == [("duty-phone", "06638000000")]
    assert told(floor.tell(Tick(), after=29)) == []
    assert told(floor.tell(Tick(), after=1)) == [("callback", "")]
    assert told(floor.tell(Tick(), after=30)) == []
    assert told(floor.tell(Tick(), after=30)) == [("message", "")]
    assert told(floor.tell(Tick(), after=300)) == []
    assert sign_in(floor, 1) == [("1", "8001")]


# Hold, and a talk cut short


def test_a_customer_forgotten_on_hold_is_told_of_again_and_again() -> None:
    floor = floor_with()
    sign_in(floor, 1)
    join(floor, 1)
    floor.talk(1, 1)
    floor.tell(CallHeld(call_id(1), seat_id(1)))
    assert floor.state(1) is S.HOLD
    for times in (1, 2):
        [told] = [e for e in floor.tell(Tick(), after=120) if isinstance(e, HeldTooLong)]
        assert (told.call, told.agent, told.held_ms) == (call_id(1), agent_id(1), times * 120_000)
    floor.tell(CallResumed(call_id(1), seat_id(1)))
    assert (floor.state(1), floor.acd.next_deadline()) == (S.TALKING, None)
    [over] = [e for e in floor.end(1, 1) if isinstance(e, TalkOver)]
    assert over.talk_ms == 240_000


@pytest.mark.parametrize("news", [CallHeld, CallResumed])
def test_hold_without_a_talk_is_counted(news: type[CallHeld] | type[CallResumed]) -> None:
    floor = floor_with()
    sign_in(floor, 1)
    floor.tell(news(call_id(1), seat_id(1)))
    assert (floor.state(1), sum(floor.acd.strays.values())) == (S.READY, 1)


def test_who_is_answered_and_dropped_keeps_the_place_and_goes_to_another_agent() -> None:
    floor = floor_with(short_talk_seconds=3)
    sign_in(floor, 1)
    join(floor, 1)
    floor.talk(1, 1)
    floor.join(2, after=1)
    floor.tell(TalkEnded(call_id(1), seat_id(1), by_agent=True), after=1.9)
    assert floor.state(1) is S.NOT_RESPONDING
    assert [floor.acd.position(call_id(n)) for n in (1, 2)] == [1, 2]
    assert floor.ticket(1).since_ms == START
    assert sign_in(floor, 2) == [("1", "8002")]
    assert offers(floor.tell(Tick(), after=15)) == [("2", "8001")]


@pytest.mark.parametrize(("seconds", "by_agent"), [(3.0, True), (1.0, False)])
def test_a_talk_that_was_one_is_over(seconds: float, by_agent: bool) -> None:
    floor = floor_with(short_talk_seconds=3)
    sign_in(floor, 1)
    join(floor, 1)
    floor.talk(1, 1)
    floor.tell(TalkEnded(call_id(1), seat_id(1), by_agent), after=seconds)
    assert call_id(1) not in floor.acd.tickets
    assert floor.state(1) is S.READY


def test_a_dropped_caller_does_not_hold_the_seat_that_pauses() -> None:
    floor = Floor(Acd(NodeId("a"), replace(POLICY, default=GroupPolicy(20, 0, short_talk_seconds=3), groups={})))
    floor.sign_in(1)
    floor.join(1)
    floor.talk(1, 1)
    floor.tell(Paused(seat_id(1), "小休"))
    floor.tell(TalkEnded(call_id(1), seat_id(1), by_agent=True))
    assert floor.state(1) is S.PAUSED
    assert offers(floor.tell(Ready(seat_id(1)))) == [("1", "8001")]
    with pytest.raises(NotAllowed):
        floor.tell(WrapUpEnded(seat_id(1)))


def test_a_seat_where_nobody_is_signed_in_is_empty_again_after_a_talk_that_was_none() -> None:
    floor = floor_with(short_talk_seconds=3)
    floor.join(1)
    floor.tell(Answered(call_id(1), seat_id(1)))
    floor.tell(TalkEnded(call_id(1), seat_id(1), by_agent=True))
    assert floor.state(1) is S.SIGNED_OUT
    assert floor.ticket(1).phase is TicketPhase.WAITING
