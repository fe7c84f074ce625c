from __future__ import annotations

from dataclasses import replace

import pytest

from queues.effects import Offer
from queues.events import PolicyChanged, Ready, Tick, TicketJoined, TicketLeft, WrapUpEnded
from queues.states import AgentState
from telephony.model import GroupId, Priority
from tests.unit.queues.floor import POLICY, Floor, call_id, offers, seat_id

pytestmark = pytest.mark.unit


def test_a_new_call_takes_the_longest_idle_seat() -> None:
    floor = Floor()
    floor.sign_in(3)
    floor.sign_in(1, after=1)
    floor.sign_in(2, after=1)
    assert [offers(floor.join(n)) for n in (1, 2, 3)] == [[("1", "8003")], [("2", "8001")], [("3", "8002")]]


def test_equal_idleness_is_broken_by_seat_id() -> None:
    floor = Floor()
    floor.sign_in(2)
    floor.sign_in(1)
    assert offers(floor.join(1)) == [("1", "8001")]


@pytest.mark.parametrize(
    ("calls", "order"),  # each call: serial, priority, age in seconds
    [
        ([(1, 0, 10), (2, 0, 20), (3, 0, 5)], "213"),
        ([(1, 0, 60), (2, 3, 1), (3, 3, 2)], "321"),
        ([(12, 0, 5), (3, 0, 5)], "3 12"),
    ],
)
def test_a_freed_seat_takes_priority_then_age_then_sequence(calls: list[tuple[int, int, int]], order: str) -> None:
    floor = Floor()
    for serial, priority, age in calls:
        floor.join(serial, age=age, priority=priority)
    floor.sign_in(1)
    taken = []
    for _ in calls:
        call = floor.seat(1).call
        assert call is not None
        serial = int(call.rpartition(".")[2])
        taken.append(str(serial))
        floor.talk(serial, 1)
        floor.end(serial, 1)
        floor.tell(WrapUpEnded(seat_id(1)))
    assert taken == (order.split() if " " in order else list(order))


def test_nobody_waits_for_ever_for_a_group_that_a_publish_took_away() -> None:
    floor = Floor()
    floor.join(1, "market")
    floor.tell(TicketJoined(call_id(2), GroupId("market"), floor.now))  # a promised callback
    floor.sign_in(1)
    assert floor.ticket(1).seat is None
    without = {group: row for group, row in POLICY.groups.items() if group != "market"}
    told = floor.tell(PolicyChanged(replace(POLICY, groups=without, heir=GroupId("general"))))
    assert offers(told) == [("1", "8001")]
    assert offers(floor.sign_in(2)) == [("2", "8002")]
    assert [effect.group for effect in told if isinstance(effect, Offer)] == ["general"], "whose ring time holds"


def test_a_freed_seat_takes_the_best_call_over_all_its_groups() -> None:
    floor = Floor()
    floor.join(1, "market", age=5)
    floor.join(2, "general", age=9)
    floor.join(3, "housing-fund", age=99)
    assert offers(floor.sign_in(1, "general", "market")) == [("2", "8001")]


def test_widening_begins_when_its_seconds_of_waiting_are_over_whatever_the_prompt_took() -> None:
    floor = Floor()
    floor.sign_in(1, "general")
    floor.join(1, "market", age=30, overflow=((20, "housing-fund"), (40, "general")))
    assert floor.acd.next_deadline() == floor.now + 20_000
    assert offers(floor.tell(Tick(), after=20)) == []
    assert floor.ticket(1).asks == ("market", "housing-fund")
    assert offers(floor.tell(Tick(), after=19.999)) == []
    [offer] = [e for e in floor.tell(Tick(), after=0.001) if isinstance(e, Offer)]
    assert (offer.seat, offer.group) == ("8001", "general")


def test_widening_steps_may_come_in_any_order_and_name_a_group_twice() -> None:
    floor = Floor()
    floor.join(1, "market", overflow=((10, "general"), (0, "market"), (0, "housing-fund")))
    assert floor.ticket(1).asks == ("market", "housing-fund")
    floor.tell(Tick(), after=10)
    assert floor.ticket(1).asks == ("market", "general", "housing-fund")
    assert floor.acd.next_deadline() is None


def test_a_widened_call_stands_by_its_age_among_the_others() -> None:
    floor = Floor()
    floor.join(1, "market", overflow=((10, "general"),))
    floor.join(2, "general", after=5)
    floor.tell(Tick(), after=5)
    assert offers(floor.sign_in(1, "general")) == [("1", "8001")]
    assert floor.acd.position(call_id(2)) == 1


def test_the_late_timer_is_not_unfair() -> None:
    floor = Floor()
    floor.join(1, "market", age=9, overflow=((10, "general"),))
    floor.join(2, "general", age=1)
    assert offers(floor.sign_in(1, "general", after=11)) == [("1", "8001")]


def test_one_turn_that_frees_many_gives_the_first_calls_the_longest_idle_seats() -> None:
    floor = Floor()
    floor.tell(PolicyChanged(POLICY))
    for n in (1, 2, 3):
        floor.sign_in(n)
        floor.join(n)
        floor.talk(n, n)
    for n in (3, 1, 2):
        floor.end(n, n)
    for n in (11, 12, 13, 14):
        floor.join(n, priority=Priority.REPEAT if n == 14 else 0)
    floor.sign_in(4, "market")
    assert offers(floor.tell(Tick(), after=10)) == [("14", "8001"), ("11", "8002"), ("12", "8003")]


def test_position_counts_those_who_wait_for_the_same_group() -> None:
    floor = Floor()
    for n in (1, 2, 3):
        floor.join(n, after=1)
    floor.join(9, "market", age=99)
    floor.join(4, priority=Priority.REPEAT, after=1)
    assert [floor.acd.position(call_id(n)) for n in (4, 1, 2, 3, 9, 77)] == [1, 2, 3, 4, 1, None]
    floor.tell(TicketLeft(call_id(1)))
    assert floor.acd.position(call_id(2)) == 2


def test_a_pause_costs_the_place_in_the_line_of_seats() -> None:
    floor = Floor()
    floor.sign_in(1, pause="小休")
    floor.sign_in(2, after=1)
    floor.tell(Ready(seat_id(1)), after=1)
    assert offers(floor.join(1)) == [("1", "8002")]


def test_lines_are_empty_when_all_is_done() -> None:
    floor = Floor()
    floor.sign_in(1, "general", "market")
    floor.join(1, "market", overflow=((5, "general"), (10, "housing-fund")))
    floor.talk(1, 1)
    floor.tell(TicketLeft(call_id(1)))
    assert floor.state(1) is AgentState.READY  # market has no wrap-up
    assert all(len(line) == 0 for line in floor.acd.waiting.values())
    assert {str(name): len(line) for name, line in floor.acd.ready.items()} == {
        "general": 1, "market": 1, "*": 1, "=1001": 1,
    }  # fmt: skip
    assert len(floor.acd.deadlines) == 0


def test_of_two_seats_freed_in_one_turn_the_one_idle_longer_is_taken() -> None:
    floor = Floor()
    floor.sign_in(1)
    floor.join(1)
    floor.talk(1, 1)
    floor.sign_in(2, after=1)
    floor.join(2)
    floor.end(1, 1)
    floor.join(3, after=1)
    effects = floor.tell(TicketLeft(call_id(2)), after=9)  # and the wrap-up of 8001 is over
    assert offers(effects) == [("3", "8002")]
    assert floor.state(1) is AgentState.READY


def test_a_call_that_several_groups_may_answer_takes_the_longest_idle_over_all_of_them() -> None:
    floor = Floor()
    floor.sign_in(2, "general")
    floor.sign_in(1, "market", after=1)
    assert offers(floor.join(1, "market", overflow=((0, "general"),))) == [("1", "8002")]
    floor.sign_in(4, "market")
    floor.sign_in(3, "general", after=1)
    assert offers(floor.join(2, "general", overflow=((0, "market"),))) == [("2", "8001")]
    assert offers(floor.join(3, "general", overflow=((0, "market"),))) == [("3", "8004")]
