"""Lost calls as an engine learns of them: from calls that end, and handed to the callbacks where the table says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callbacks.model import Callback, CallbackState
from calls.model import LiveCall
from engine.wiring.lost_calls import LostCallWatch
from ledger.model import Kind
from outbound.lost import LostReason
from routing.model import CallbackPolicy
from telephony.model import CallId, Stage
from tests.support.engine_harness import House

pytestmark = pytest.mark.unit

MOBILE = "13800138000"
MINUTE = 60_000


@pytest.fixture
async def house() -> House:
    made = House()
    policy = replace(made.table.call_out, lost_seconds=10, lost_callback_minutes=2)
    made.table = replace(made.table, call_out=policy, callback=CallbackPolicy(schedule=""))
    made.callbacks.loaded = True
    return made


def watch(house: House) -> LostCallWatch:
    return LostCallWatch(
        lambda: house.table, house.calls, house.callbacks, house.mailbox, lambda: house.now, lambda number: number
    )


def calls_in_vain(house: House, serial: int, seconds: int = 30, number: str = MOBILE) -> CallId:
    call = CallId(f"hl1-1795351329.{serial}")
    live = house.calls.get_or_create(call, f"PJSIP/pstn-{serial:08x}", Stage.RING)
    live.caller, live.number, live.group, live.since_ms = number, "12345", "general", house.now
    house.calls.record_fact(Kind.ENTERED, call, caller=number, number="12345", group="general")
    house.now += seconds * 1000
    house.calls.remove(call, "16", "caller")
    return call


async def test_who_rings_too_shortly_or_tells_no_number_that_can_be_called_is_not_lost(house: House) -> None:
    watched = watch(house)
    calls_in_vain(house, 1, seconds=9)
    calls_in_vain(house, 2, number="")
    calls_in_vain(house, 3, number="0085221234567")
    assert watched.registry.all() == []
    calls_in_vain(house, 4, seconds=10)
    assert [(lost.number, lost.reason) for lost in watched.registry.open()] == [(MOBILE, LostReason.ABANDONED)]


async def test_a_lost_call_becomes_a_callback_and_a_new_call_takes_it_back_before_anybody_is_dialled(
    house: House,
) -> None:
    watched = watch(house)
    call = calls_in_vain(house, 1)
    watched._request_callbacks(house.now + MINUTE)
    assert house.callbacks.book.open() == []
    house.now += 2 * MINUTE
    watched._request_callbacks(house.now)
    watched._request_callbacks(house.now)
    (promise,) = house.callbacks.book.open()
    assert (promise.id, promise.number, promise.since_ms) == (call, MOBILE, house.now)
    live = house.calls.get_or_create(CallId("hl1-1795351329.9"), "PJSIP/pstn-9", Stage.RING)
    live.caller = MOBILE
    house.calls.record_fact(Kind.ENTERED, live.call, caller=MOBILE, number="12345", group="general")
    assert house.callbacks.book.open() == []
    watched._request_callbacks(house.now + 10 * MINUTE)
    assert house.callbacks.book.open() == [], "who is on the line is promised nothing"
    house.calls.record_fact(Kind.ANSWERED, live.call, agent="1001", by="agent")
    assert watched.registry.open() == []


async def test_a_callback_that_was_given_up_is_lost(house: House) -> None:
    watched = watch(house)
    call = calls_in_vain(house, 1)
    house.now += 2 * MINUTE
    watched._request_callbacks(house.now)
    data = {"state": str(CallbackState.FAILED), "caller": MOBILE, "line": "12345", "group": "general"}
    house.calls.record_fact(Kind.CALLBACK, call, **data)
    (lost,) = watched.registry.open()
    assert (lost.reason, lost.handed_over) == (LostReason.CALLBACK, False)
    assert isinstance(house.callbacks.book.get(call), Callback)


async def test_a_live_call_of_ours_is_nobodys_lost_call(house: House) -> None:
    watched = watch(house)
    ours = CallId("hl1-1795351329.7000000001")
    house.calls.live[ours] = LiveCall(ours, "", Stage.RING, caller=MOBILE)
    house.now += MINUTE
    house.calls.remove(ours, "17", "system")
    assert watched.registry.all() == []
