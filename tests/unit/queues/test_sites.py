"""Places of a sub-centre in the ACD: offered calls like seats, resting together when the site does not answer."""

from __future__ import annotations

import pytest

from queues.call_rules import wish_of
from queues.effects import RosterChanged
from queues.events import AgentSignedIn, Answered, NotAnswered, SeatSeen, SignedOut, Tick, TicketSeen
from queues.explain import explain_call
from queues.model import OfferFailure, SignIn, TicketPhase
from queues.restore import restore
from queues.states import AgentState
from telephony.model import AgentId, GroupId, NodeId, SeatId
from tests.unit.queues.floor import POLICY, Floor, call_id, offers

pytestmark = pytest.mark.unit

SITE, OTHER = "subcentre-12366", "subcentre-12367"


def place(number: int) -> SeatId:
    return SeatId(f"12366{number:03d}")


def opened(floor: Floor, *numbers: int, site: str = SITE, group: str = "market") -> None:
    for number in numbers:
        floor.tell(AgentSignedIn(AgentId(place(number)), place(number), (GroupId(group),), site=site))


def state(floor: Floor, number: int) -> AgentState:
    return floor.acd.seats[place(number)].state


def test_so_many_calls_at_once_and_the_next_when_one_has_ended() -> None:
    floor = Floor()
    opened(floor, 1, 2)
    first, second, third = floor.join(1, "market"), floor.join(2, "market", after=1), floor.join(3, "market", after=1)
    assert (offers(first), offers(second), offers(third)) == ([("1", place(1))], [("2", place(2))], [])
    floor.tell(Answered(call_id(1), place(1)))
    assert offers(floor.end(1, 12366001 - 8000, after=60)) == [("3", place(1))]


@pytest.mark.parametrize(
    "why", [OfferFailure.NO_ANSWER, OfferFailure.BUSY, OfferFailure.REJECTED, OfferFailure.UNREACHABLE]
)
def test_one_place_that_does_not_take_it_speaks_for_the_free_ones_of_its_site(why: OfferFailure) -> None:
    floor = Floor()
    opened(floor, 1, 2, 3)
    opened(floor, 4, site=OTHER, group="general")
    floor.join(1, "market")
    floor.tell(Answered(call_id(1), place(1)))
    floor.join(2, "market", after=1)
    after = floor.tell(NotAnswered(call_id(2), place(2), why), 5)
    assert offers(after) == [], "not tried at the next place at once"
    assert floor.ticket(2).phase is TicketPhase.WAITING
    assert [state(floor, n) for n in (1, 2, 3, 4)] == [
        AgentState.TALKING, AgentState.NOT_RESPONDING, AgentState.NOT_RESPONDING, AgentState.READY,
    ]  # fmt: skip
    floor.join(3, "market", age=60)
    again = floor.tell(Tick(), 61)
    assert offers(again)[0] == ("3", place(2)), "in the order of age, when they are back"


def test_a_fault_of_ours_rests_one_place_alone() -> None:
    floor = Floor()
    opened(floor, 1, 2)
    floor.join(1, "market")
    floor.tell(NotAnswered(call_id(1), place(1), OfferFailure.ERROR), 1)
    assert (state(floor, 1), state(floor, 2)) == (AgentState.NOT_RESPONDING, AgentState.READY)


def test_callers_of_another_group_widen_to_a_site_like_to_any_group() -> None:
    floor = Floor()
    opened(floor, 1)
    assert offers(floor.join(1, "general", overflow=((30, "market"),))) == []
    assert offers(floor.tell(Tick(), 30)) == [("1", place(1))]


def test_a_site_that_closes_ends_no_talk_and_gets_no_more() -> None:
    floor = Floor()
    opened(floor, 1)
    floor.join(1, "market")
    floor.tell(Answered(call_id(1), place(1)))
    floor.tell(SignedOut(place(1)), 10)
    assert state(floor, 1) is AgentState.TALKING
    floor.join(2, "market")
    assert offers(floor.end(1, 12366001 - 8000, after=10)) == []
    assert state(floor, 1) is AgentState.SIGNED_OUT


def test_places_are_in_no_queue_of_the_switch() -> None:
    floor = Floor()
    told = floor.tell(AgentSignedIn(AgentId(place(1)), place(1), (GroupId("market"),), site=SITE))
    assert not [effect for effect in told if isinstance(effect, RosterChanged)]


def test_explain_names_the_place_that_is_taken_and_the_site_that_is_closed() -> None:
    floor = Floor()
    floor.join(1, "market")
    assert "分中心的席位没有开放" in explain_call(floor.acd, call_id(1), floor.now)[1]
    opened(floor, 1)
    floor.tell(Answered(call_id(1), place(1)))
    floor.join(2, "market", after=1)
    told = explain_call(floor.acd, call_id(2), floor.now)
    assert f"分中心{SITE}的席位{place(1)}当前通话中，来电{call_id(1)}" in told
    assert f"在分中心{SITE}的席位{place(1)}，通话中" in explain_call(floor.acd, call_id(1), floor.now)[1]


def test_after_a_restart_who_talks_there_still_does_also_when_it_has_closed() -> None:
    floor = Floor()
    floor.join(1, "market")
    seen = TicketSeen(wish_of(floor.ticket(1)), TicketPhase.TALKING, place(1))
    sign_in = SignIn(AgentId(place(2)), place(2), (GroupId("market"),), None)
    acd, _ = restore(
        NodeId("a"), POLICY, [SeatSeen(place(1), site=SITE), SeatSeen(place(2), sign_in, site=SITE)], [seen], floor.now
    )
    assert (acd.seats[place(1)].state, acd.seats[place(1)].site) == (AgentState.TALKING, SITE)
    assert acd.seats[place(2)].state is AgentState.READY
