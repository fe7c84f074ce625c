"""Many people at once: a table with as many seats as a test wants, callers told apart by their numbers."""

from __future__ import annotations

import asyncio
import wave
from array import array
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ledger.records import CallRecord
from phones.citizen import Citizen
from phones.g711 import decode
from phones.phone import PhoneCall
from phones.seat_phone import SeatPhone
from phones.tones import longest_silence
from routing.model import Agent, Table
from telephony.model import CallId, GroupId
from tests.asterisk.support.product import Product, until

EVERY_GROUP = tuple(GroupId(group) for group in ("general", "social-security", "market", "transport", "housing-fund"))


def staffed(seats: int, *, wrap_up_seconds: int = 0, ring_seconds: int = 20) -> Callable[[Table], Table]:
    """An edit of the table: seats 8001 upwards, agents 1001 upwards who serve every group."""

    def edit(table: Table) -> Table:
        return replace(
            table,
            seats=tuple(str(8001 + n) for n in range(seats)),
            agents=tuple(Agent(str(1001 + n), f"座席{1001 + n}", EVERY_GROUP) for n in range(seats)),
            groups=tuple(
                replace(group, wrap_up_seconds=wrap_up_seconds, ring_seconds=ring_seconds) for group in table.groups
            ),
        )

    return edit


def number_of(n: int) -> str:
    """The n-th caller's own number."""
    return str(13_900_000_000 + n)


async def callers(product: Product, count: int, number: str = "12345", *, every: float = 0.08) -> list[PhoneCall]:
    """So many citizens, one after the other, who say nothing; the n-th calls from ``number_of(n)``."""
    crowd: Citizen = product.citizen()
    crowd.voice = lambda: None
    calls = []
    for n in range(count):
        calls.append(await crowd.call(number, caller=number_of(n), tone_hz=None))
        await asyncio.sleep(every)
    return calls


async def staff(product: Product, count: int, *, tone_hz: float | None = None) -> list[SeatPhone]:
    """Seats 8001 upwards, registered and signed in."""
    return [await product.seat(str(8001 + n), str(1001 + n), tone_hz=tone_hz) for n in range(count)]


async def waiting(product: Product, count: int) -> None:
    """Until so many callers wait in the engine's line."""

    async def enough() -> bool:
        return int((await product.ask("/api/status"))["waiting"]) >= count

    await until(enough, f"{count} callers to wait")


async def line(product: Product) -> list[tuple[str, int, int, str | None]]:
    """Who waits in the engine's line, in its order: call, the moment (unix ms) its age counts from, priority, and the
    agent it is kept for."""
    rows = (await product.ask("/api/queues"))["calls"]
    waiting = [row for row in rows if row["phase"] == "waiting"]
    return [(row["call"], row["since_ms"], row["priority"], row["preferred"]) for row in waiting]


async def in_app_queue(product: Product, application: str = "Queue") -> int:
    """How many callers Asterisk's own queues hold."""
    rows = (await product.cli("core show channels concise")).splitlines()
    return sum(1 for row in rows if row.startswith("PJSIP/pstn-") and row.split("!")[5] == application)


async def told(product: Product, count: int, seconds: float = 30) -> list[CallRecord]:
    """The ledger, once it has so many calls that are over."""

    async def enough() -> bool:
        return sum(record.ended_at is not None for record in await product.calls()) >= count

    await until(enough, f"{count} calls to be told", seconds)
    return await product.calls()


async def in_database(product: Product, calls: Sequence[CallId], seconds: float = 60) -> None:
    """Until the database itself, and not only the journal, has these calls."""

    async def drained() -> bool:
        return int((await product.ask("/api/status"))["database"]["lag_facts"]) == 0

    await until(drained, f"{len(calls)} calls to be in the database", seconds)


def quiet(call: PhoneCall, since: float, until_: float | None = None) -> float:
    """The longest silence that a caller heard from ``since`` on, in seconds; packets that never came are silence."""
    last = until_ if until_ is not None else call.ended_at
    return longest_silence(call.heard.pcm(since, last))


def prompts(product: Product) -> dict[str, array[int]]:
    """Every prompt that can open a call, as it sounds."""
    folder = product.plan.sounds / "zh-CN"
    wanted = [*folder.glob("legacy-*.alaw"), *folder.glob("greeting-*.alaw")]
    return {path.stem: decode(path.read_bytes()) for path in wanted}


def wave_file(path: Path) -> array[int]:
    with wave.open(str(path)) as file:
        return array("h", file.readframes(file.getnframes()))
