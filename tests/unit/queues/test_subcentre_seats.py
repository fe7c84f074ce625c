"""The places of sub-centres: open in their hours, counted, offered through the dialplan's own door, found again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from calls.switch.state_snapshot import parse_switch_state
from ivr.model import Script
from ivr.ports import SeatAssignment, SupervisorAction
from ledger.model import Kind
from queues.model import NotAllowed
from queues.states import AgentState
from queues.subcentre_seats import Sites, seen_places
from routing.model import Group, Snapshot
from telephony.model import AgentId, GroupId, SeatId
from tests.support.engine_harness import TABLE, House, call_id, channel, event

pytestmark = [pytest.mark.unit, pytest.mark.asyncio]

SITE, TAX = "subcentre-12366", GroupId("tax")
PLACE = "12366001"
THERE = f"PJSIP/{SITE}-0000000c"
MONDAY_MORNING = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
NIGHT = MONDAY_MORNING + timedelta(hours=14)


def with_site(capacity: int = 2, schedule: str = "office") -> Snapshot:
    group = Group(TAX, "税务", 15, 0, trunk=SITE, capacity=capacity, schedule=schedule)
    return replace(TABLE, groups={**TABLE.groups, TAX: group})


def house(table: Snapshot) -> tuple[House, Sites]:
    here = House(table)
    return here, Sites(lambda: here.table, here.queues)


async def test_places_open_and_close_with_the_hours() -> None:
    here, sites = house(with_site())
    sites.look(NIGHT)
    assert here.queues.acd.seats == {}
    sites.look(MONDAY_MORNING)
    assert [(seat.id, seat.state, seat.groups) for seat in here.queues.acd.seats.values()] == [
        (PLACE, AgentState.READY, (TAX,)), ("12366002", AgentState.READY, (TAX,)),
    ]  # fmt: skip
    assert here.link.sent == [], "no member of a queue of the switch"
    sites.look(NIGHT)
    assert here.state(PLACE) is AgentState.SIGNED_OUT


async def test_a_smaller_capacity_takes_places_away() -> None:
    here, sites = house(with_site(2, ""))
    sites.look(NIGHT)
    here.table = with_site(1, "")
    sites.look(NIGHT)
    assert (here.state(PLACE), here.state("12366002")) == (AgentState.READY, AgentState.SIGNED_OUT)


async def test_a_call_there_is_followed_like_at_a_seat_and_told_as_the_sub_centres() -> None:
    here, sites = house(with_site())
    sites.look(MONDAY_MORNING)
    place = here.desk.place(here.question(Script.OFFER, group=TAX))
    assert isinstance(place, SeatAssignment)
    assert (place.seat, place.ring_seconds) == (PLACE, 15)
    here.news.hear(event("DialBegin", Uniqueid=call_id(1), DestChannel=THERE))
    assert here.state(PLACE) is AgentState.RINGING
    here.news.hear(event("DialEnd", Uniqueid=call_id(1), DestChannel=THERE, DialStatus="ANSWER"))
    assert here.state(PLACE) is AgentState.TALKING
    (answer,) = here.ledger.of(Kind.ANSWERED)
    assert (answer["by"], answer["seat"], answer["group"]) == ("subcentre", PLACE, TAX)
    here.news.hear(event("Hangup", Uniqueid="hl1-1795351322.9", Linkedid=call_id(1), Channel=THERE, Cause="16"))
    assert here.state(PLACE) is AgentState.READY


async def test_a_talk_there_can_be_taken_over_but_not_listened_to() -> None:
    here, sites = house(with_site())
    sites.look(MONDAY_MORNING)
    here.desk.place(here.question(Script.OFFER, group=TAX))
    here.news.hear(event("DialEnd", Uniqueid=call_id(1), DestChannel=THERE, DialStatus="ANSWER"))
    with pytest.raises(NotAllowed, match="可以接管"):
        here.supervision.join(AgentId("1010"), SupervisorAction.LISTEN, AgentId(PLACE), "质检")
    assert here.supervision.talk_of(AgentId(PLACE)).call == call_id(1)


async def test_not_answered_there_the_caller_waits_on_at_its_age() -> None:
    here, sites = house(with_site())
    sites.look(MONDAY_MORNING)
    here.desk.place(here.question(Script.OFFER, group=TAX))
    since = here.queues.acd.tickets[call_id(1)].since_ms
    here.desk.on_no_answer(here.question(Script.OFFER, group=TAX), SeatId(PLACE), "BUSY")
    assert here.state(PLACE) is AgentState.NOT_RESPONDING
    assert here.queues.acd.tickets[call_id(1)].since_ms == since


async def test_the_switch_shows_which_place_has_the_call() -> None:
    variables = {"HL_CALL": str(call_id(1)), "HL_PARTY": "caller", "HL_STAGE": "connect", "HL_GROUP": "tax"}
    caller = event(
        "Status", Uniqueid=call_id(1), Channel=channel(1), BridgeID="b",
        Variable=[f"{name}={value}" for name, value in variables.items()],
    )  # fmt: skip
    there = event(
        "Status", Uniqueid="hl1-1795351322.9", Channel=THERE, BridgeID="b",
        Variable=[f"HL_CALL={call_id(1)}", "HL_PARTY=agent", f"HL_SEAT={PLACE}"],
    )  # fmt: skip
    (seen,) = parse_switch_state([caller, there], (), ()).callers
    assert (seen.seat, seen.bridged) == (PLACE, True)


async def test_after_a_start_every_place_is_known_and_the_open_ones_are_taken() -> None:
    at_night = list(seen_places(with_site(), NIGHT))
    assert [(one.seat, one.sign_in, one.site) for one in at_night] == [(PLACE, None, SITE), ("12366002", None, SITE)]
    assert all(one.sign_in is not None for one in seen_places(with_site(), MONDAY_MORNING))
