"""What is stuck is known by two looks in a row, mended by the event that did not come, and counted."""

from __future__ import annotations

from typing import cast

import pytest

from calls.switch.consistency_check import ALARM, CERTAIN_SECONDS, LOOK_SECONDS, QUIET_SECONDS, ConsistencyChecker
from ivr.model import Script
from ledger.model import Kind
from queues.effects import Offer
from queues.events import AgentSignedIn, Answered, Ringing
from queues.model import TicketPhase, UnexpectedEvent
from queues.states import AgentState
from telephony.ami_link import AmiLink
from telephony.events import Event
from telephony.model import AgentId, GroupId, SeatId
from tests.support.engine_harness import House, call_id
from tests.unit.calls.switch.test_state_snapshot import at_seat, caller, device

pytestmark = [pytest.mark.unit, pytest.mark.asyncio]

SEAT = SeatId("8001")


class Clinic(House):
    """A house with a healer, one agent, and one caller's call."""

    def __init__(self) -> None:
        super().__init__()
        self.healing = ConsistencyChecker(
            cast("AmiLink", self.link),
            self.queues,
            self.calls,
            self.alarms,
            self.news.gone,
            lambda: (SEAT,),
            lambda: self.now,
        )
        self.shows([], "NOT_INUSE")

    def comes(self) -> None:
        self.queues.apply(AgentSignedIn(AgentId("1001"), SEAT, (GroupId("general"),)))

    def rings(self) -> None:
        self.comes()
        self.desk.place(self.question(Script.OFFER))

    def talks(self) -> None:
        self.rings()
        self.queues.apply(Ringing(call_id(1), SEAT))
        self.queues.apply(Answered(call_id(1), SEAT))

    def shows(self, channels: list[Event], phone: str) -> None:
        self.link.lists = {"Status": channels, "DeviceStateList": [device(SEAT, phone)]}

    async def looks(self, times: int = 2) -> None:
        """Each when what is believed now is old enough to be looked at."""
        for _ in range(times):
            self.now += round(LOOK_SECONDS * 1000)
            await self.healing.look()

    def seat(self) -> AgentState:
        return self.queues.acd.seats[SEAT].state


async def test_what_is_stuck_is_mended_within_ten_seconds() -> None:
    old_enough, next_look = LOOK_SECONDS, LOOK_SECONDS
    assert old_enough + next_look + CERTAIN_SECONDS < 10


async def test_the_switch_is_not_asked_for_its_channels_while_every_call_goes_on_in_quick_steps() -> None:
    here = Clinic()
    here.talks()
    asked: list[str] = []
    here.link.during = asked.append
    here.now += round(LOOK_SECONDS * 1000) - 1
    await here.healing.look()
    assert asked == ["DeviceStateList"]
    here.now += 1
    await here.healing.look()
    assert asked[1:] == ["Status", "DeviceStateList"]


async def test_a_call_that_is_gone_leaves_its_seat_and_the_ledger_says_when_it_ended() -> None:
    here = Clinic()
    here.talks()
    await here.looks(1)
    assert here.seat() is AgentState.TALKING, "once may be on its way"
    await here.looks(1)
    assert here.seat() is AgentState.WRAP_UP
    assert here.queues.acd.tickets == {}
    assert here.ledger.of(Kind.ENDED) == [{"cause": "unseen", "by": "caller"}]
    assert here.healing.mended == here.queues.acd.strays[UnexpectedEvent.HEALED] == 1
    assert ALARM in here.alarms.standing


async def test_a_seat_whose_channel_is_gone_is_freed_and_the_caller_is_not_lost() -> None:
    here = Clinic()
    here.talks()
    here.shows([caller(1, "connect")], "INUSE")
    await here.looks()
    assert here.seat() is AgentState.WRAP_UP


async def test_an_offer_that_never_rang_goes_back_to_the_line() -> None:
    here = Clinic()
    here.rings()
    assert here.seat() is AgentState.RESERVED
    here.shows([caller(1, "wait")], "NOT_INUSE")
    await here.looks()
    assert here.seat() is AgentState.NOT_RESPONDING
    assert here.queues.acd.tickets[call_id(1)].phase is TicketPhase.WAITING


async def test_a_talk_of_which_nobody_told_is_believed() -> None:
    here = Clinic()
    here.rings()
    here.shows([caller(1, "connect", BridgeID="b", Application="Dial"), at_seat(1, SEAT)], "INUSE")
    await here.looks()
    assert here.seat() is AgentState.TALKING


@pytest.mark.parametrize(
    ("phone", "state"),
    [("UNAVAILABLE", AgentState.UNREACHABLE), ("INUSE", AgentState.BUSY), ("NOT_INUSE", AgentState.READY)],
)
async def test_a_phone_is_as_the_switch_shows_it(phone: str, state: AgentState) -> None:
    here = Clinic()
    here.comes()
    here.shows([], phone)
    await here.looks()
    assert here.seat() is state
    here.shows([], "NOT_INUSE")
    await here.looks()
    assert here.seat() is AgentState.READY


async def test_what_is_right_is_left_alone() -> None:
    here = Clinic()
    here.talks()
    here.shows([caller(1, "connect", BridgeID="b", Application="Dial"), at_seat(1, SEAT)], "INUSE")
    here.queues.acd.seats[SEAT].in_use = True
    await here.looks(3)
    assert (here.seat(), here.healing.mended) == (AgentState.TALKING, 0)


async def test_a_caller_on_the_way_to_a_supervisor_is_left_alone() -> None:
    here = Clinic()
    here.talks()
    here.calls.live[call_id(1)].takeover_seat = SeatId("8010")
    here.shows([caller(1, "connect")], "NOT_INUSE")
    await here.looks(3)
    assert here.queues.is_talking(call_id(1))


async def test_a_new_offer_is_not_mistaken_for_the_one_that_was_stuck_a_moment_ago() -> None:
    here = Clinic()
    here.rings()
    here.shows([caller(1, "wait")], "NOT_INUSE")
    await here.looks(1)
    here.now += 4_000
    here.desk.on_no_answer(here.question(Script.OFFER), SEAT, "BUSY")
    here.now += 6_000
    offered: list[Offer] = []
    here.queues.listeners.append(lambda effect: offered.append(effect) if isinstance(effect, Offer) else None)
    here.desk.place(here.question(Script.OFFER))
    assert offered, "offered anew"
    await here.looks(1)
    assert here.seat() is AgentState.RESERVED


async def test_the_alarm_ends_when_nothing_had_to_be_mended_for_long() -> None:
    here = Clinic()
    here.talks()
    await here.looks()
    await here.looks()
    assert ALARM in here.alarms.standing
    here.now += QUIET_SECONDS * 1000
    await here.looks(1)
    assert ALARM not in here.alarms.standing


async def test_while_the_link_is_down_nothing_is_concluded() -> None:
    here = Clinic()
    here.talks()
    await here.looks(1)
    here.link.up = False
    await here.looks(1)
    here.link.up = True
    await here.looks(1)
    assert here.seat() is AgentState.TALKING
