"""Agents' PINs: hashes kept, copies on the disk, wrong ones locked out, and nothing that waits holds the loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from database.connection import Database
from queues.pins import service
from queues.pins.service import FILE, PinRefused, Pins, PinVerdict, generated, require_usable
from telephony.model import AgentId, SeatId

pytestmark = pytest.mark.unit

AGENT, SEAT = AgentId("1001"), SeatId("8001")
NOW = 1_795_351_330_000


class Clock:
    now = NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kept(database: Database, tmp_path: Path, clock: Clock) -> Iterator[Pins]:
    made = Pins(database, tmp_path, clock, seconds=20)
    yield made
    made.stop()


async def test_only_the_right_pin_is_right(kept: Pins) -> None:
    await kept.set(AGENT, "4711", "测试")
    assert kept.has(AGENT)
    assert await kept.check(AGENT, "4711", SEAT) is PinVerdict.VALID
    for pin in ("4712", "", "471", "47110"):
        assert await kept.check(AGENT, pin, SeatId(f"80{len(pin)}0")) is PinVerdict.INVALID
    assert await kept.check(AgentId("1002"), "4711", SEAT) is PinVerdict.INVALID, "an agent without a PIN"
    await kept.set(AGENT, "815007", "测试")
    assert await kept.check(AGENT, "4711", SEAT) is PinVerdict.INVALID


async def test_no_pin_stands_anywhere_in_clear(kept: Pins, tmp_path: Path) -> None:
    await kept.set(AGENT, "481516", "测试")
    copy = tmp_path / FILE
    assert copy.stat().st_mode & 0o777 == 0o600
    assert json.loads(copy.read_text())[AGENT].startswith("$argon2id$")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(b"481516" not in path.read_bytes() for path in files)


async def test_a_lost_database_keeps_nobody_from_signing_in(kept: Pins, tmp_path: Path, clock: Clock) -> None:
    await kept.set(AGENT, "4711", "测试")
    alone = Pins(None, tmp_path, clock, seconds=20)
    await alone.load()
    assert await alone.check(AGENT, "4711", SEAT) is PinVerdict.VALID
    with pytest.raises(PinRefused, match="原密码仍有效"):
        await alone.set(AGENT, "815007", "测试")
    assert await alone.check(AGENT, "4711", SEAT) is PinVerdict.VALID
    alone.stop()


async def test_a_restarted_engine_knows_the_pins(kept: Pins, database: Database, tmp_path: Path, clock: Clock) -> None:
    await kept.set(AGENT, "4711", "测试")
    (tmp_path / FILE).unlink()
    again = Pins(database, tmp_path, clock, seconds=20)
    await again.load()
    assert await again.check(AGENT, "4711", SEAT) is PinVerdict.VALID
    assert (tmp_path / FILE).exists()
    again.stop()


async def test_five_wrong_pins_lock_the_agent_at_every_seat_until_the_time_is_over(kept: Pins, clock: Clock) -> None:
    await kept.set(AGENT, "4711", "测试")
    for seat in range(8001, 8006):
        assert await kept.check(AGENT, "0815", SeatId(str(seat))) is PinVerdict.INVALID
    assert await kept.check(AGENT, "4711", SeatId("8009")) is PinVerdict.LOCKED
    clock.now += 900_000
    assert await kept.check(AGENT, "4711", SeatId("8009")) is PinVerdict.VALID


async def test_five_wrong_agents_lock_the_seat_but_no_other(kept: Pins) -> None:
    await kept.set(AGENT, "4711", "测试")
    for agent in ("2001", "2002", "2003", "2004", "2005"):
        assert await kept.check(AgentId(agent), "0815", SEAT) is PinVerdict.INVALID
    assert await kept.check(AGENT, "4711", SEAT) is PinVerdict.LOCKED
    assert await kept.check(AGENT, "4711", SeatId("8002")) is PinVerdict.VALID


async def test_guesses_at_the_same_moment_count_too(kept: Pins) -> None:
    await kept.set(AGENT, "4711", "测试")
    seats = [SeatId(str(8001 + n)) for n in range(12)]
    verdicts = await asyncio.gather(*(kept.check(AGENT, "0815", seat) for seat in seats))
    assert verdicts.count(PinVerdict.INVALID) == 5
    assert verdicts.count(PinVerdict.LOCKED) == 7


async def test_a_new_pin_or_a_supervisor_ends_the_lock(kept: Pins) -> None:
    await kept.set(AGENT, "4711", "测试")
    for _ in range(5):
        await kept.check(AGENT, "0815", SEAT)
    kept.unlock(AGENT, SEAT)
    assert await kept.check(AGENT, "4711", SEAT) is PinVerdict.VALID


async def test_who_has_to_wait_too_long_is_told_so_and_loses_no_try(
    kept: Pins, clock: Clock, tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await kept.set(AGENT, "4711", "测试")
    hurried = Pins(database, tmp_path, clock, seconds=0)
    await hurried.load()
    for _ in range(7):
        assert await hurried.check(AGENT, "4711", SEAT) is PinVerdict.BUSY
    hurried.stop()


async def test_the_loop_goes_on_while_a_pin_is_checked(kept: Pins, monkeypatch: pytest.MonkeyPatch) -> None:
    await kept.set(AGENT, "4711", "测试")
    loops = asyncio.get_running_loop()
    seen: list[bool] = []
    verify = service._matches

    def slowly(text: str, pin: str) -> bool:
        went_on = asyncio.run_coroutine_threadsafe(asyncio.sleep(0, True), loops).result(5)
        seen.append(went_on)
        return verify(text, pin)

    monkeypatch.setattr(service, "_matches", slowly)
    assert await kept.check(AGENT, "4711", SEAT) is PinVerdict.VALID
    assert seen == [True]


async def test_a_stranger_costs_as_much_as_an_agent(kept: Pins, monkeypatch: pytest.MonkeyPatch) -> None:
    await kept.set(AGENT, "4711", "测试")
    costs: list[str] = []

    def weighed(text: str, pin: str) -> bool:
        costs.append(text)
        return False

    monkeypatch.setattr(service, "_matches", weighed)
    await kept.check(AGENT, "0815", SEAT)
    await kept.check(AgentId("7777"), "0815", SEAT)
    assert [cost.split("$")[1:4] for cost in costs] == [["argon2id", "v=19", "m=19456,t=2,p=1"]] * 2


@pytest.mark.parametrize("pin", ["", "123", "123456789", "12a4", "１２３４", "0000", "2345", "7654", "1001"])
def test_what_anybody_would_guess_is_no_pin(pin: str) -> None:
    with pytest.raises(PinRefused):
        require_usable("1001", pin)


def test_generated_pins_are_usable_and_differ() -> None:
    made = {generated("1001") for _ in range(50)}
    assert len(made) > 45
    for pin in made:
        require_usable("1001", pin)
