"""Phones in browsers as seats: one's own only, and a talk that a reload interrupted goes on as the same talk."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from ivr.model import Script
from ivr.ports import SeatAction
from ledger.model import Kind
from queues.events import SeatReachable
from queues.model import NotAllowed
from queues.states import AgentState
from telephony.model import AgentId, SeatId, Stage
from tests.support.engine_harness import House, call_id, channel

pytestmark = pytest.mark.unit

PAGE, AGENT = SeatId("1001"), AgentId("1001")


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = House()
    made.queues.apply(SeatReachable(PAGE))
    yield made
    await made.queues.stop()


async def talk(house: House) -> None:
    """Agent 1001 talks in the page."""
    assert house.desk.seat_key(PAGE, SeatAction.SIGN_IN, "1001") == "seat-signed-in"
    house.desk.place(house.question(Script.OFFER))
    house.dial("DialBegin", 1, PAGE)
    house.dial("DialEnd", 1, PAGE, DialStatus="ANSWER")
    assert house.state(PAGE) is AgentState.TALKING


async def test_only_the_agent_signs_in_at_the_agent_s_browser(house: House) -> None:
    assert house.desk.seat_key(PAGE, SeatAction.SIGN_IN, "1002") == "seat-key-failed"
    assert house.queues.acd.seat_of == {}
    assert house.desk.seat_key(PAGE, SeatAction.SIGN_IN, "1001") == "seat-signed-in"


async def test_the_news_of_a_browser_is_news_of_a_seat(house: House) -> None:
    await talk(house)
    house.seat_hangup(PAGE, 1)
    assert house.state(PAGE) is AgentState.WRAP_UP
    assert house.ledger.of(Kind.ANSWERED)[0]["seat"] == PAGE


async def test_a_reload_rings_the_page_again_and_the_talk_is_the_same_one(house: House) -> None:
    await talk(house)
    await house.page_phones.resume(AGENT)
    redirect = next(headers for action, headers in house.link.sent if action == "Redirect")
    assert (redirect["Channel"], redirect["Context"], redirect["Exten"]) == (channel(1), "connect", PAGE)
    house.seat_hangup(PAGE, 1)  # the leg of the page that is gone
    assert house.state(PAGE) is AgentState.TALKING
    house.dial("DialBegin", 1, PAGE)
    house.dial("DialEnd", 1, PAGE, DialStatus="ANSWER")
    house.seat_hangup(PAGE, 1)
    assert house.state(PAGE) is AgentState.WRAP_UP
    kinds = house.ledger.kinds()
    assert (kinds.count(Kind.ANSWERED), kinds.count(Kind.TALK_ENDED)) == (1, 1)


async def test_a_page_that_does_not_take_its_caller_back_leaves_it_at_its_place_in_the_line(house: House) -> None:
    await talk(house)
    since = house.queues.acd.tickets[call_id(1)].since_ms
    await house.page_phones.resume(AGENT)
    house.seat_hangup(PAGE, 1)
    house.desk.on_no_answer(house.question(Script.OFFER, seat=PAGE), PAGE, "NOANSWER")
    house.desk.place(house.question(Script.OFFER))
    assert house.state(PAGE) is AgentState.WRAP_UP
    assert house.queues.acd.tickets[call_id(1)].since_ms == since


async def test_nothing_is_fetched_back_out_of_a_conference_or_without_a_talk(house: House) -> None:
    with pytest.raises(NotAllowed, match="没有要接回的通话"):
        await house.page_phones.resume(AGENT)
    await talk(house)
    house.calls.live[call_id(1)].stage = Stage.CONFERENCE
    with pytest.raises(NotAllowed, match="三方通话"):
        await house.page_phones.resume(AGENT)
    assert "Redirect" not in [action for action, _ in house.link.sent]
