"""Last resorts: each taken once, with the caller's next question, and none back to where the call came from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ivr.model import Script
from ivr.ports import Queued, ResortTarget
from ledger.model import Kind
from queues.events import AgentSignedIn
from queues.model import TicketPhase
from routing.model import Overflow
from telephony.model import AgentId, GroupId, OverflowTo, OverflowWhen, SeatId
from tests.support.engine_harness import TABLE, House, call_id

pytestmark = [pytest.mark.unit, pytest.mark.asyncio]

GENERAL = GroupId("general")
T, W = OverflowTo, OverflowWhen


def house(*rows: Overflow) -> House:
    group = replace(TABLE.groups[GENERAL], overflow=rows)
    return House(replace(TABLE, groups={**TABLE.groups, GENERAL: group}))


def asks(here: House, script: Script = Script.WAITING, **more: Any) -> ResortTarget | None:
    question = here.question(script, **more)
    here.desk.place(question)
    return here.desk.way_out(question)


async def test_each_is_taken_once_and_the_caller_keeps_its_place() -> None:
    here = house(Overflow(W.NOBODY, 0, T.SUBCENTRE, "subcentre-12366"), Overflow(W.NOBODY, 0, T.MESSAGE))
    assert asks(here) == ResortTarget(T.SUBCENTRE, "subcentre-12366")
    assert here.queues.acd.tickets[call_id(1)].phase is TicketPhase.WAITING
    assert asks(here, Script.OFFER) is None, "the next one only after a pause"
    here.now += 31_000
    assert asks(here) == ResortTarget(T.MESSAGE)
    here.now += 600_000
    assert asks(here) is None
    assert [fact["to"] for fact in here.ledger.of(Kind.LAST_RESORT)] == ["subcentre", "message"]


async def test_who_left_the_line_for_a_message_and_said_nothing_is_not_asked_again() -> None:
    here = house(Overflow(W.NOBODY, 0, T.MESSAGE))
    assert asks(here) == ResortTarget(T.MESSAGE)
    assert here.desk.leave_line(here.question(Script.WAITING))
    here.now += 60_000
    assert asks(here, Script.MESSAGE) is None
    since = here.queues.acd.tickets[call_id(1)].since_ms
    assert since == here.question(Script.WAITING).since_ms, "back in line at its age"


async def test_a_call_does_not_go_back_to_the_sub_centre_that_it_came_from() -> None:
    here = house(Overflow(W.NOBODY, 0, T.SUBCENTRE, "subcentre-12366"), Overflow(W.NOBODY, 0, T.MESSAGE))
    open_now = {"12366": replace(TABLE.numbers["12366"], schedule="", group=GENERAL)}
    here.table = replace(here.table, numbers={**TABLE.numbers, **open_now})
    here.desk.route(here.question(Script.ENTER, number="12366"))
    assert asks(here) is None
    here.now += 31_000
    assert asks(here) == ResortTarget(T.MESSAGE)


@pytest.mark.parametrize(
    ("caller", "left"),
    [
        ("13600000001", "13800000000/06638000000"),
        ("13800000000", "06638000000"),
        ("+8613800000000", "06638000000"),
        ("", "13800000000/06638000000"),
    ],
)
async def test_a_duty_phone_is_not_rung_for_itself(caller: str, left: str) -> None:
    here = house(Overflow(W.NOBODY, 0, T.DUTY_PHONE, "13800000000/06638000000"))
    assert asks(here, caller=caller) == ResortTarget(T.DUTY_PHONE, left)


async def test_no_way_is_left_when_the_only_duty_phone_calls_itself() -> None:
    here = house(Overflow(W.NOBODY, 0, T.DUTY_PHONE, "13800000000"))
    assert asks(here, caller="13800000000") is None


async def test_the_caller_asks_again_when_a_row_falls_due_and_not_a_slice_later() -> None:
    here = house(Overflow(W.WAITED, 4, T.MESSAGE))
    question = here.question(Script.OFFER)
    place = here.desk.place(question)
    assert isinstance(place, Queued)
    assert place.seconds == 4
    here.now += 4_000
    again = here.desk.place(here.question(Script.WAITING))
    assert isinstance(again, Queued)
    assert again.seconds == 1


async def test_who_is_answered_elsewhere_is_out_of_our_line() -> None:
    here = house(Overflow(W.NOBODY, 0, T.DUTY_PHONE, "13800000000"))
    asks(here)
    here.dial("DialEnd", 1, "pstn", DialStatus="ANSWER")
    assert call_id(1) not in here.queues.acd.tickets
    (answered,) = here.ledger.of(Kind.ANSWERED)
    assert (answered["by"], answered["seat"]) == ("duty-phone", "pstn")


async def test_a_talk_with_whom_a_way_out_reached_is_known_to_be_recorded() -> None:
    here = house(Overflow(W.NOBODY, 0, T.DUTY_PHONE, "13800000000"))
    asks(here)
    assert Kind.RECORDING not in here.ledger.kinds(), "nobody has answered"
    here.dial("DialEnd", 1, "pstn", DialStatus="ANSWER")
    assert len(here.ledger.of(Kind.RECORDING)) == 1


async def test_what_a_caller_would_not_hear_on_its_way_out_is_told_when_it_is_back() -> None:
    here = house(Overflow(W.WAITED, 30, T.SUBCENTRE, "subcentre-12366"))
    here.desk._raised = lambda: ("announcement-flood",)
    here.desk.place(here.question(Script.OFFER, since_ms=here.now))
    here.now += 30_000
    before = here.desk.place(here.question(Script.WAITING))
    assert isinstance(before, Queued)
    assert before.news == (), "the way is taken by this very answer, whose prompts are the way's own"
    assert here.desk.way_out(here.question(Script.WAITING)) is not None
    back = here.desk.place(here.question(Script.WAITING))
    assert isinstance(back, Queued)
    assert back.news[:2] == ("announcement-flood", "position-1")


async def test_what_a_key_speaks_over_is_told_later() -> None:
    here = house()
    here.desk.place(here.question(Script.OFFER, since_ms=here.now))
    here.now += 30_000
    pressed = here.desk.place(here.question(Script.WAITING, key="4"))
    after = here.desk.place(here.question(Script.WAITING))
    assert isinstance(pressed, Queued)
    assert isinstance(after, Queued)
    assert (pressed.news, after.news[:1]) == ((), ("position-1",))


async def test_an_agent_who_becomes_free_comes_before_the_way_out() -> None:
    here = house(Overflow(W.WAITED, 0, T.MESSAGE))
    here.desk.place(here.question(Script.OFFER))
    here.queues.apply(AgentSignedIn(AgentId("1001"), SeatId("8001"), (GENERAL,)))
    assert here.queues.acd.tickets[call_id(1)].seat == SeatId("8001")
    assert here.desk.way_out(here.question(Script.WAITING)) is None
    await here.settle()
