"""The two that are compared: the product, and a static dialplan on an Asterisk of its own.

One job: bring both up alike, and read what they have used. Both Asterisks have the same modules, endpoints, call
records and prompt; the static one has another dialplan and no manager interface.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import psutil

from bench.seat_floor import FIRST_AGENT, FIRST_SEAT, PROBE_NUMBER, PROMPT, floor
from phones.load import CalleeLoad
from tests.support.ports import free_ports
from tests.support.product import Product, product, until
from tests.support.warm import Forked

RTP: Final = {"static": (20000, 25999), "product": (26000, 31999)}
"""Below the ports that the kernel hands out; four for each talk, so 1500 at once."""

CENTRE: Final = "emergency-110"
RING_SECONDS: Final = 0.1
SIGN_INS_AT_ONCE: Final = 16
QUIET_SECONDS: Final = 60.0

_STATIC: Final = Path(__file__).with_name("static")
_LINEAR_SILENCE: Final = b"\xd5" * 160
"""20 ms of A-law; Asterisk's transfer asks with a sound that has to be there."""


class Name(StrEnum):
    STATIC = "static"
    PRODUCT = "product"


@dataclass(frozen=True, slots=True)
class Cpu:
    """User and system time of a side's processes and of what they started, s."""

    asterisk: float
    engine: float

    def since(self, before: Cpu) -> Cpu:
        return Cpu(self.asterisk - before.asterisk, self.engine - before.engine)


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two, up and taking calls."""

    name: Name
    instance: Product

    @property
    def prompt_seconds(self) -> float:
        """How long the greeting is."""
        return (self.instance.plan.sounds / "zh-CN" / f"{PROMPT}.alaw").stat().st_size / 8000

    @property
    def voice(self) -> Path:
        """What people say in a load with voices: ten seconds of speech."""
        return self.instance.plan.sounds / "zh-CN" / "rating-ask.alaw"

    def cpu(self) -> Cpu:
        running = self.instance
        return Cpu(_seconds(running.switch), _seconds(running.engine))

    async def quiet(self) -> None:
        """Wait until no call is up and, in the product, the ledger has everything."""
        await until(self._is_quiet, f"{self.name} to be quiet", QUIET_SECONDS)

    async def told(self, newest: int) -> int:
        """How many of the newest calls the ledger tells whole: an agent answered, and it ended."""
        calls = await self.instance.calls(limit=newest)
        return sum(1 for call in calls if call.answered_by == "agent" and call.ended_at is not None)

    async def _is_quiet(self) -> bool:
        if await self.instance.channels():
            return False
        if self.name is Name.STATIC:
            return True
        status = await self.instance.ask("/api/status")
        return bool(status["calls"] == 0 and status["database"]["lag_facts"] == 0)


def _seconds(process: asyncio.subprocess.Process | Forked | None) -> float:
    if process is None:
        return 0.0
    times = psutil.Process(process.pid).cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


@asynccontextmanager
async def sides(seats: int, *, probe: bool = False) -> AsyncIterator[tuple[Side, Side]]:
    """Both, side by side, without phones: static first. ``probe``: the last seat is kept for calls that are watched."""
    async with AsyncExitStack() as stack:
        started = []
        for name in Name:
            home = Path(tempfile.mkdtemp(prefix=f"hlb-{name[0]}-"))
            stack.callback(shutil.rmtree, home, ignore_errors=True)
            begin, end = RTP[name]
            running = await stack.enter_async_context(
                product(home, edit=floor(seats, probe=probe), started=False, rtp_start=begin, rtp_end=end)
            )
            if name is Name.STATIC:
                await asyncio.to_thread(_make_static, running, seats, probe)
            await running.start_switch()
            if name is Name.PRODUCT:
                await running.start_engine()
            started.append(Side(name, running))
        yield started[0], started[1]


@asynccontextmanager
async def staffed(side: Side, *, voices: bool = False, but_last: bool = False) -> AsyncIterator[CalleeLoad]:
    """Every seat, or every but the last, registered at one SIPp that answers; in the product, an agent at each."""
    running = side.instance
    seats = running.table.seats[: -1 if but_last else None]
    users = {seat: running.credentials.seat_passwords[seat] for seat in seats}
    port = free_ports(1, socket.SOCK_DGRAM)[0]
    settings = running.settings
    async with CalleeLoad(
        settings.bind, settings.seat_sip_port, local_port=port, users=users, ring=RING_SECONDS,
        audio=side.voice if voices else None,
    ) as callee:  # fmt: skip
        await until(lambda: _reachable(running, len(seats)), "all seats to be reachable")
        if side.name is Name.PRODUCT:
            await sign_in_all(running, len(seats))
        yield callee


async def _reachable(running: Product, seats: int) -> bool:
    """So many seats' phones have answered a probe: they did not while they were registering."""
    contacts = await running.cli("pjsip show contacts")
    return contacts.count(" Avail ") >= seats


async def sign_in_all(running: Product, seats: int) -> None:
    """One agent at each of the first seats, all ready."""
    limit = asyncio.Semaphore(SIGN_INS_AT_ONCE)

    async def one(number: int) -> None:
        async with limit:
            await running.ask(f"/api/agents/{FIRST_AGENT + number}/sign-in", {"seat": str(FIRST_SEAT + number)})

    await asyncio.gather(*(one(number) for number in range(seats)))

    async def all_ready() -> bool:
        rows = (await running.ask("/api/seats"))["seats"]
        return len([row for row in rows if row["state"] == "ready"]) == seats

    await until(all_ready, "all seats to be ready")


def _make_static(running: Product, seats: int, probe: bool) -> None:
    """Put the hand-written files over the generated ones."""
    plan = running.plan
    (plan.sounds / "zh-CN" / "pbx-transfer.alaw").write_bytes(_LINEAR_SILENCE)
    centre = running.table.trunks[CENTRE]
    filled = {
        "seats": str(seats - probe),
        "last": running.table.seats[-1],
        "probe": PROBE_NUMBER,
        "prompt": PROMPT,
        "recordings": str(plan.recordings),
        "centre": f"{centre.host}:{centre.port}",
    }
    for source in sorted(_STATIC.glob("*.conf")):
        text = source.read_text("utf-8")
        for place, value in filled.items():
            text = text.replace(f"@{place}@", value)
        (plan.home / "etc" / source.name).write_text(text, "utf-8")
