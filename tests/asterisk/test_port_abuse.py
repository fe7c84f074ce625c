"""FastAGI and AMI are abused by peers of every kind while calls come in: no call is lost."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from phones.load import CalleeLoad, CallerLoad
from phones.media import free_udp_port
from tests.asterisk.support.crowd import staffed
from tests.asterisk.support.product import Product, product, until

pytestmark = [pytest.mark.asterisk, pytest.mark.exclusive, pytest.mark.timeout(300)]

SEATS = 20
CALLS_A_SECOND = 5.0
LOAD_SECONDS = 20.0
CALL_SECONDS = 12.0
"""From the answer: the greeting, a short talk, and patience for a busy machine."""

TALK_SECONDS = 1.0

CONNECTIONS = 1000
HALF_OPEN = 500
HALF_OPEN_SECONDS = 6.0
MEGABYTE = 1_000_000


async def test_no_call_is_lost_while_both_ports_are_abused(home: Path) -> None:
    async with product(home, edit=staffed(SEATS)) as hotline:
        async with _seats(hotline) as seats:
            load = CallerLoad(
                hotline.settings.bind, hotline.settings.sip_port, rate=CALLS_A_SECOND, seconds=LOAD_SECONDS,
                hang_up_after=CALL_SECONDS,
            )  # fmt: skip
            calling = asyncio.create_task(load.run())
            rounds = 0
            while not calling.done():
                for abuse in (connect_and_close, half_open, random_bytes, long_headers):
                    await asyncio.gather(
                        abuse(hotline.settings.fastagi_port), abuse(hotline.settings.ami_port), return_exceptions=True
                    )
                rounds += 1
            tally = await calling
            await seats.stop()
        assert (tally.succeeded, tally.failed) == (tally.created, 0)
        await until(lambda: _over(hotline, tally.created), "every call to be told", 60)
        records = await hotline.calls()
        status = await hotline.ask("/api/status")
        print(rounds, "rounds,", tally, status["ami"], status["fastagi"])
        assert len(records) == tally.created == round(CALLS_A_SECOND * LOAD_SECONDS)
        lost = [await hotline.facts(record.call) for record in records if record.answered_by != "agent"]
        assert not lost, "\n".join(f"{fact.at:%T.%f} {fact.kind} {fact.data}" for facts in lost for fact in facts)
        assert status["ami"]["state"] == "up"
        assert status["fastagi"]["failed"] == 0


async def test_the_engine_comes_back_to_a_port_full_of_half_open_peers(hotline: Product) -> None:
    seat = await hotline.seat("8001", "1001")
    crowd = asyncio.create_task(half_open(hotline.settings.ami_port))
    await asyncio.sleep(1)
    await hotline.signal_engine(signal.SIGKILL)
    began = seat.now
    await hotline.start_engine()
    print(f"healthy after {seat.now - began:.1f} s")
    assert (await hotline.ask("/api/status"))["ami"]["state"] == "up"
    await until(lambda: hotline.seat_is("8001", "ready"), "the seat to be known again")
    call = await hotline.citizen().call("12345", tone_hz=None)
    talk = await seat.wait_talking()
    await talk.hang_up()
    await call.hang_up()
    await crowd


@asynccontextmanager
async def _seats(hotline: Product) -> AsyncIterator[CalleeLoad]:
    """Every seat of the table behind one port, signed in."""
    users = {seat: hotline.credentials.seat_passwords[seat] for seat in hotline.table.seats}
    async with CalleeLoad(
        hotline.settings.bind,
        hotline.settings.seat_sip_port,
        local_port=free_udp_port("127.0.0.1"),
        users=users,
        talk=TALK_SECONDS,
    ) as seats:
        for seat, agent in zip(hotline.table.seats, hotline.table.agents, strict=True):
            await hotline.sign_in(agent, seat)
        yield seats


async def connect_and_close(port: int) -> None:
    for _ in range(CONNECTIONS // 50):
        await asyncio.gather(*(_talk(port, b"") for _ in range(50)), return_exceptions=True)


async def half_open(port: int) -> None:
    """They connect, say half a word, and wait."""
    peers = await asyncio.gather(*(_connect(port) for _ in range(HALF_OPEN)), return_exceptions=True)
    await asyncio.sleep(HALF_OPEN_SECONDS)
    for peer in peers:
        if not isinstance(peer, BaseException):
            peer[1].close()


async def random_bytes(port: int) -> None:
    dice = random.Random(port)
    await asyncio.gather(
        *(_talk(port, dice.randbytes(dice.randrange(1, 5000))) for _ in range(100)), return_exceptions=True
    )


async def long_headers(port: int) -> None:
    for start in (b"agi_network: ", b"Action: ", b"Action: Login\r\nUsername: "):
        await asyncio.gather(*(_talk(port, start + b"y" * MEGABYTE) for _ in range(3)), return_exceptions=True)


async def _connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"Act")
        return reader, writer


async def _talk(port: int, words: bytes) -> None:
    """Connect, say it, leave; the other side may hang up first."""
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(5):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(words)
                await writer.drain()
            finally:
                writer.close()


async def _over(hotline: Product, count: int) -> bool:
    return sum(record.ended_at is not None for record in await hotline.calls()) >= count
