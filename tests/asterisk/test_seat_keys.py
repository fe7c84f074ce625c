"""The keys of an idle seat phone: what the agent hears, and what becomes of the seat."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from phones.phone import PhoneCall
from phones.seat_phone import SeatPhone
from queues.pins.service import generated
from routing.model import Table
from tests.asterisk.support.scene import Scene, all_of, scene, soon, until, with_groups

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

TOLD = (
    *("seat-signed-in", "seat-signed-out", "seat-ready", "seat-paused-1", "seat-paused-3", "seat-pause-unknown"),
    *("seat-pin-wrong", "seat-pin-locked", "seat-not-signed-in", "seat-key-failed", "seat-taken"),
    *("seat-extended", "seat-not-wrapping-up", "seat-after-call", "seat-in-call", "seat-still-paused"),
)


PINS = {agent: generated(agent) for agent in ("1001", "1002", "1005", "1006", "1007")}


def edited(table: Table) -> Table:
    return with_groups(table, wrap_up_seconds=15)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city() -> AsyncIterator[Scene]:
    async with scene(edited) as running:
        for agent, pin in PINS.items():
            await running.hotline.ask(f"/api/agents/{agent}/pin", {"pin": pin})
        yield running


async def press(here: Scene, phone: SeatPhone, keys: str, prompt: str) -> PhoneCall:
    """Dial the keys and hear what is said until the switch hangs up."""
    call = await phone.call(keys)
    await call.ended(20)
    assert here.likeliest(call, TOLD) == prompt, keys
    return call


async def agent_is(here: Scene, agent: str, state: str, seat: str | None) -> None:
    async def so() -> bool:
        rows = (await here.hotline.ask("/api/agents"))["agents"]
        return any((row["agent"], row["state"], row["seat"]) == (agent, state, seat) for row in rows)

    await until(so, f"agent {agent} to be {state} at {seat}", 5)


async def test_a_shift_by_keys(here: Scene) -> None:
    phone = await here.hotline.seat("8001")
    await press(here, phone, f"*111001*{PINS['1001']}", "seat-signed-in")
    await agent_is(here, "1001", "ready", "8001")
    await press(here, phone, "*14", "seat-paused-1")
    await agent_is(here, "1001", "paused", "8001")
    await press(here, phone, "*143", "seat-paused-3")
    rows = (await here.hotline.ask("/api/agents"))["agents"]
    assert [row["pause"] for row in rows if row["agent"] == "1001"] == ["用餐"]
    await press(here, phone, "*149", "seat-pause-unknown")
    await press(here, phone, "*15", "seat-not-wrapping-up")
    await press(here, phone, "*13", "seat-ready")
    await agent_is(here, "1001", "ready", "8001")
    call = await here.hotline.citizen().call("12345", caller="13500000001")
    talk = await phone.wait_talking(15)
    await call.hang_up()
    await talk.ended()
    await agent_is(here, "1001", "wrap-up", "8001")
    await press(here, phone, "*15", "seat-extended")
    rows = (await here.hotline.ask("/api/agents"))["agents"]
    (row,) = [row for row in rows if row["agent"] == "1001"]
    assert row["until_ms"] - row["since_ms"] == 75_000
    await press(here, phone, "*13", "seat-ready")
    await agent_is(here, "1001", "ready", "8001")
    await press(here, phone, "*12", "seat-signed-out")
    await agent_is(here, "1001", "signed-out", None)


async def asked_by_voice(here: Scene) -> None:
    phone = await here.hotline.seat("8002")
    call = await phone.call("*11")
    await soon(lambda: here.heard(call, "agent-id-ask") > 0.75, "the question for the agent's id", 10)
    await call.send_digits("1002#")
    await soon(lambda: here.heard(call, "agent-pin-ask") > 0.75, "the question for the PIN", 10)
    await call.send_digits(f"{PINS['1002']}#")
    await call.ended(15)
    assert here.likeliest(call, TOLD) == "seat-signed-in"
    await agent_is(here, "1002", "ready", "8002")


async def wrong_id(here: Scene) -> None:
    phone = await here.hotline.seat("8003")
    await press(here, phone, "*119999*4711", "seat-pin-wrong")
    await press(here, phone, "*111003*4711", "seat-pin-wrong")  # has no PIN: sounds the same
    assert await here.state("8003") in ("", "signed-out")


async def locked_out(here: Scene) -> None:
    """Five wrong PINs, and the right one is not looked at any more, at no seat; nobody else is kept out."""
    phones = [await here.hotline.seat(seat) for seat in ("8008", "8009")]
    for n in range(5):
        await press(here, phones[n % 2], "*111007*0815", "seat-pin-wrong")
    for phone in phones:
        await press(here, phone, f"*111007*{PINS['1007']}", "seat-pin-locked")
    await agent_is(here, "1007", "signed-out", None)
    await here.hotline.ask("/api/agents/1007/unlock", {})
    await press(here, phones[0], f"*111007*{PINS['1007']}", "seat-signed-in")
    await agent_is(here, "1007", "ready", "8008")


async def not_signed_in(here: Scene) -> None:
    phone = await here.hotline.seat("8004")
    for keys in ("*12", "*13", "*14"):
        await press(here, phone, keys, "seat-not-signed-in")


async def another_agent_takes_over(here: Scene) -> None:
    phone, elsewhere = await here.hotline.seat("8005"), await here.hotline.seat("8006")
    await press(here, phone, f"*111005*{PINS['1005']}", "seat-signed-in")
    await press(here, phone, f"*111006*{PINS['1006']}", "seat-signed-in")
    await agent_is(here, "1006", "ready", "8005")
    await agent_is(here, "1005", "signed-out", None)
    await press(here, elsewhere, f"*111006*{PINS['1006']}", "seat-signed-in")
    await agent_is(here, "1006", "ready", "8006")
    members = await here.hotline.cli("queue show duty")
    assert "PJSIP/8006" in members
    assert "PJSIP/8005" not in members, "the seat that the agent left rings for nobody"
    call = await here.hotline.citizen().call("12328", caller="13500000009")
    talk = await elsewhere.wait_talking(20)
    assert talk.caller == "13500000009"
    assert phone.calls[-1].dialled.startswith("*11"), "the former seat was not rung"
    await call.hang_up()


async def no_such_keys(here: Scene) -> None:
    phone = await here.hotline.seat("8007")
    for keys in ("*99", "8001", "12345", "*11" + "1" * 40, "013800001234", "*11%0A", "*11%24%7BSHELL(id)%7D"):
        call = await phone.call(keys)
        await call.ended(20)
        assert call.status >= 400 or here.likeliest(call, TOLD) in ("seat-pin-wrong", ""), keys
    assert await here.state("8007") in ("", "signed-out")


async def test_every_key_tells_what_became_of_it(here: Scene) -> None:
    await all_of(
        asked_by_voice(here), wrong_id(here), not_signed_in(here), another_agent_takes_over(here), no_such_keys(here),
        locked_out(here),
    )  # fmt: skip


async def test_an_agent_can_come_on_duty_while_the_engine_is_dead(here: Scene) -> None:
    phone = await here.hotline.seat("8001", tone_hz=880)
    await here.hotline.signal_engine(signal.SIGKILL)
    call = await phone.call("*111001*0000")
    await call.ended(20)
    assert "PJSIP/8001" in await here.hotline.cli("queue show duty")
    citizen = await here.hotline.citizen().call("12345", caller="13500000002")
    talk = await phone.wait_talking(20)
    assert talk.caller == "13500000002"
    await citizen.hang_up()
    await here.hotline.start_engine()
    assert await here.state("8001") in ("ready", "wrap-up", "busy")
    assert "1001" in await here.hotline.cli("queue show group-general")
