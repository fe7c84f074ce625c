"""A hotline in which things are killed, stopped and cut at random while people call: afterwards every call is
accounted for exactly once, and nothing is stuck.

As a command: ``python -m tests.asterisk.support.chaos SECONDS SEED``. The seed says what happens when; how the machine
runs it is its own.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from phones.citizen import Citizen
from phones.phone import Answer, PhoneCall
from phones.sounds import quiet
from tests.asterisk.support.crowd import staffed
from tests.asterisk.support.product import Product, product, until
from tests.asterisk.support.running_up import Up, up

SEATS = 5
NUMBERS = ("12345", "12345", "12333", "12315", "110")
PAUSE = (4.0, 9.0)
"""Between two deeds, s."""
STOPPED_SECONDS = 5.0
SETTLE_SECONDS = 120.0


@dataclass
class Chaos:
    """One run."""

    hotline: Product
    running: Up
    dice: random.Random
    stack: AsyncExitStack
    calls: list[PhoneCall] = field(default_factory=list)
    deeds: Counter[str] = field(default_factory=Counter)

    async def run(self, seconds: float) -> None:
        """People call, and something happens every few seconds."""
        seats = [
            await self.hotline.seat(
                str(8001 + n), str(1001 + n), behaviour=Answer(0.2, hang_up_after=self.dice.uniform(2, 6))
            )
            for n in range(SEATS)
        ]
        centre = await self.hotline.centre("emergency-110", behaviour=Answer(0.2, hang_up_after=4))
        happens: dict[str, Callable[[], Awaitable[None]]] = {
            "engine killed": lambda: self._signal("engine", signal.SIGKILL),
            "engine stopped": lambda: self._stopped("engine"),
            "switch killed": lambda: self._signal("asterisk", signal.SIGKILL),
            "switch stopped": lambda: self._stopped("asterisk"),
            "database locked": self._locked,
            "seat deaf": lambda: self._deaf(self.dice.choice(seats)),
            "centre deaf": lambda: self._deaf(centre),
            "supervisor killed": self._new_supervisor,
        }
        ends = asyncio.get_running_loop().time() + seconds
        people = asyncio.create_task(self._people(ends))
        # Each of them once, in an order of the dice's, and then whatever comes.
        first = self.dice.sample(list(happens), len(happens))
        while asyncio.get_running_loop().time() < ends:
            await asyncio.sleep(self.dice.uniform(*PAUSE))
            what = first.pop() if first else self.dice.choice(list(happens))
            self.deeds[what] += 1
            print(f"{asyncio.get_running_loop().time() - ends + seconds:6.1f} s  {what}", flush=True)
            await happens[what]()
        await people

    async def accounted(self) -> None:
        """Raises AssertionError for a call that is missing, told twice or open, and for what is stuck."""
        await until(self.hotline.healthy, "all to be well", SETTLE_SECONDS)
        for call in self.calls:
            if not call.is_over:
                with suppress(Exception):
                    await call.hang_up(5)
        await until(self._no_channels, "every channel to end", SETTLE_SECONDS)
        # Who was answered was in the hotline; who got no answer may have met a switch that was not there.
        served = {call.caller for call in self.calls if call.status == 200}
        missing: set[str] = set()

        async def told() -> bool:
            records = [record for record in await self.hotline.calls(100_000) if record.ended_at is not None]
            missing.clear()
            missing.update(served - {record.caller for record in records})
            return not missing

        try:
            await until(told, "every call to be told", 240)
        except TimeoutError:
            raise AssertionError(f"not in the ledger: {sorted(missing)}") from None
        records = await self.hotline.calls(100_000)
        twice = {caller: count for caller, count in Counter(r.caller for r in records).items() if count > 1}
        assert not twice, f"told twice: {twice}"
        left = [record.call for record in records if record.ended_at is None]
        assert not left, f"open for ever: {left}"
        rows = (await self.hotline.ask("/api/seats"))["seats"]
        stuck = {
            row["seat"]: row["state"] for row in rows if row["state"] in ("reserved", "ringing", "talking", "hold")
        }
        assert not stuck, stuck
        assert (await self.hotline.ask("/api/status"))["waiting"] == 0
        print(f"{len(self.calls)} calls, {len(served)} answered, all told once; {dict(self.deeds)}")

    async def _people(self, ends: float) -> None:
        citizen = Citizen(self.hotline.settings.bind, self.hotline.settings.sip_port)
        self.stack.push_async_callback(citizen.close)
        patience: set[asyncio.Task[None]] = set()
        n = 0
        while asyncio.get_running_loop().time() < ends:
            n += 1
            call = await citizen.call(self.dice.choice(NUMBERS), caller=str(13_700_000_000 + n), sound=quiet())
            self.calls.append(call)
            task = asyncio.create_task(_leaves(call, self.dice.uniform(3, 25)))
            patience.add(task)
            task.add_done_callback(patience.discard)
            await asyncio.sleep(self.dice.uniform(0.2, 1.5))
        await asyncio.gather(*patience, return_exceptions=True)

    async def _signal(self, child: str, number: signal.Signals) -> None:
        with suppress(psutil.NoSuchProcess, OSError, ValueError):
            psutil.Process(self.running.pid_of(child)).send_signal(number)

    async def _stopped(self, child: str) -> None:
        with suppress(psutil.NoSuchProcess, OSError, ValueError):
            process = psutil.Process(self.running.pid_of(child))
            process.suspend()
            await asyncio.sleep(STOPPED_SECONDS)
            process.resume()

    async def _locked(self) -> None:
        with sqlite3.connect(self.hotline.settings.data_dir / "hotline.db", isolation_level=None, timeout=10) as file:
            file.execute("BEGIN IMMEDIATE")
            await asyncio.sleep(STOPPED_SECONDS)
            file.execute("ROLLBACK")

    async def _deaf(self, phone: object) -> None:
        phone.play_dead(True)  # type: ignore[attr-defined]  # any phone
        await asyncio.sleep(STOPPED_SECONDS)
        phone.play_dead(False)  # type: ignore[attr-defined]

    async def _new_supervisor(self) -> None:
        self.running.process.kill()
        await self.running.process.wait()
        self.running = await self.stack.enter_async_context(up(self.hotline))
        await self.running.ready()

    async def _no_channels(self) -> bool:
        return await self.hotline.channels() == 0


async def _leaves(call: PhoneCall, seconds: float) -> None:
    with suppress(Exception):
        await call.ended(seconds)
    if not call.is_over:
        with suppress(Exception):
            await call.hang_up(5)


async def chaos(home: Path, seconds: float, seed: int) -> Chaos:
    """One run from start to judgement. Raises AssertionError, TimeoutError."""
    print(f"seed {seed}, {seconds:g} s")
    async with product(home, edit=staffed(SEATS), started=False) as hotline, AsyncExitStack() as stack:
        running = await stack.enter_async_context(up(hotline))
        await running.ready()
        run = Chaos(hotline, running, random.Random(seed), stack)
        await run.run(seconds)
        await run.accounted()
        return run


def main() -> None:
    """``SECONDS [SEED]``; without a seed one is drawn, and printed."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 120.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(1 << 30)
    home = Path(tempfile.mkdtemp(prefix="hl-"))
    try:
        asyncio.run(chaos(home, seconds, seed))
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
