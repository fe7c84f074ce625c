"""The live view of a running house: what happened is in the picture, what agents did goes into the ledger."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from console.screens import live_board as board
from database.errors import DatabaseError
from ivr.model import Script
from ledger.live import HALF_HOUR_MS, SIGNED_OUT
from ledger.measures import BUSY_STATES, READY_STATE, WRAP_UP_STATE, Outcome, outcome
from ledger.model import Kind
from queues.events import AgentSignedIn, SeatReachable, TicketLeft
from queues.forecasting.figures import WORKS
from queues.states import AgentState
from telephony.model import AgentId, GroupId, SeatId
from tests.support.engine_harness import NOW, House, call_id
from tests.unit.ledger.calls import told

pytestmark = pytest.mark.unit

NAMES = {"general": "综合受理", "market": "市场监管"}


@pytest.fixture
async def house() -> House:
    made = House()
    made.queues.apply(SeatReachable(SeatId("8001")))
    return made


def sign_in(house: House) -> None:
    house.queues.apply(AgentSignedIn(AgentId("1001"), SeatId("8001"), (GroupId("general"),)))


def call(house: House, serial: int) -> None:
    house.calls.record_fact(Kind.ENTERED, call_id(serial), number="12345", group="general", rule="hotline")
    house.desk.place(house.question(Script.OFFER, serial, since_ms=house.now))


async def test_a_call_goes_through_the_picture(house: House) -> None:
    sign_in(house)
    call(house, 1)
    house.now += 4000
    call(house, 2)
    picture = house.live.picture(NAMES)
    assert (picture["now"]["ringing"], picture["now"]["waiting"]) == (1, 1)
    assert picture["groups"]["general"]["now"]["oldest_since_ms"] == NOW + 4000
    assert picture["groups"]["market"]["now"]["waiting"] == 0
    assert picture["agents"]["1001"]["state"] == "reserved"
    house.dial("DialBegin", 1, "8001")
    house.dial("DialEnd", 1, "8001", DialStatus="ANSWER")
    house.now += 7000
    house.hangup(2)
    picture = house.live.picture(NAMES)
    assert (picture["now"]["talking"], picture["now"]["waiting"]) == (1, 0)
    day = picture["groups"]["general"]["day"]
    assert (day["calls"], day["answered"], day["abandoned"], day["in_time_from_ring"]) == (2, 1, 1, 0.5)
    assert house.live.picture(NAMES) == picture, "nothing happened, nothing differs"
    await house.queues.stop()


async def test_what_an_agent_did_is_written_down_when_the_half_hour_is_over(house: House) -> None:
    sign_in(house)
    house.now = NOW // HALF_HOUR_MS * HALF_HOUR_MS + HALF_HOUR_MS
    house.live.counters.turn(house.now)
    await house.live.stop()
    (worked,) = house.ledger.of(Kind.AGENT_TIME)
    assert worked["agent"] == "1001"
    assert worked["state_ms"] == {"ready": house.now - NOW}
    await house.queues.stop()


async def test_an_agent_found_signed_in_after_a_restart_works_from_then_on(house: House) -> None:
    house.queues.listeners.clear()
    sign_in(house)
    house.live.start()
    await asyncio.sleep(0)
    house.now += 5000
    await house.live.stop()
    (worked,) = house.ledger.of(Kind.AGENT_TIME)
    assert worked["state_ms"] == {"ready": 5000}
    await house.queues.stop()


async def test_the_last_24_hours_are_learned_in_pieces_once_the_database_is_there(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board, "RETRY_SECONDS", 0)
    asked: list[timedelta] = []
    found = outcome(told(1))
    assert found is not None

    async def past(since: datetime, until: datetime) -> list[Outcome]:
        asked.append(until - since)
        if len(asked) == 1:
            raise DatabaseError("数据库还没有启动")
        return [found] if len(asked) == 2 else []

    house.live.start(past)
    async with asyncio.timeout(5):
        while not house.live.learned:
            await asyncio.sleep(0)
    assert asked == [timedelta(hours=1)] * 25
    assert house.live.counters.window.whole.calls == 1
    assert house.live.counters.since_start.calls == 0, "what this engine did not see is not its own"
    await house.live.stop()
    await house.queues.stop()


def test_the_measures_know_the_states_of_seats_by_their_names() -> None:
    """The ledger does not know the ACD: it names the states in words, and must name them right."""
    assert {state.value for state in WORKS} == BUSY_STATES
    assert {WRAP_UP_STATE, READY_STATE, SIGNED_OUT} <= {state.value for state in AgentState}


async def test_a_caller_who_leaves_the_acd_leaves_the_picture(house: House) -> None:
    call(house, 1)
    house.queues.apply(TicketLeft(call_id(1)))
    told_now: dict[str, Any] = house.live.picture(NAMES)["now"]
    assert told_now["waiting"] == 0
    await house.queues.stop()
