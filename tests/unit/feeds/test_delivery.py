"""Pull equals push: each record once by its key and in order, whatever the receiver does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer

from database.connection import Database
from docs.feed_client import Chain, ChainBroken
from docs.receiver import Receiver as Reference
from docs.receiver import application
from feeds import store
from feeds.service import target_of
from ledger import outbox_store as outbox
from ledger.push import Pusher
from ledger.push_address import Allowed
from tests.unit.feeds.test_chain import CITY_HALL, Town, program, rated
from tests.unit.ledger.calls import told

pytestmark = pytest.mark.unit

PUSHED = replace(CITY_HALL, url="https://10.0.0.20/feed")
TARGET = target_of("hall")


class Line:
    """A receiver with its whims, and pushers that come and go."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.status: Callable[[str], int] = lambda key: 200
        self.lost_answers = False
        """It takes a message, and its answer does not arrive."""
        self.got: list[dict[str, Any]] = []
        self.chain = Chain()

    async def post(self, _url: str, headers: Mapping[str, str], body: bytes) -> int:
        status = self.status(headers["Idempotency-Key"])
        if status == 200:
            record = json.loads(body)
            if self.chain.take(record):
                self.got.append(record)
        return 0 if self.lost_answers else status

    async def passes(self, seconds: int) -> None:
        """Time goes by; the engine is a new one every second."""
        await self.town.feeds.refresh()
        for _ in range(seconds):
            self.town.now += timedelta(seconds=1)
            pusher = Pusher(
                self.town.database, lambda: self.town.feeds.receivers, post=self.post, now=lambda: self.town.now
            )
            while await pusher.step(TARGET):
                pass


@pytest_asyncio.fixture
async def line(database: Database) -> AsyncIterator[Line]:
    town = Town(database)
    await town.subscribe(PUSHED)
    yield Line(town)


async def test_down_five_hundreds_and_lost_answers_and_it_is_all_the_same_as_what_is_fetched(line: Line) -> None:
    line.status = lambda key: 0
    for serial in range(1, 6):
        await line.town.happens(*told(serial), rated(serial, 5))
        await line.passes(20)
    line.status = lambda key: 503
    await line.passes(120)
    assert line.got == []
    line.status, line.lost_answers = (lambda key: 200), True
    await line.passes(310)
    assert len(line.got) == 1, "the first one is sent again and again, and taken once"
    line.lost_answers = False
    await line.passes(310)
    assert line.got == await line.town.read(program("h1"))
    assert len(line.got) == 10
    async with line.town.database.reading() as session:
        assert await outbox.waiting(session, TARGET) == (0, 0)


async def test_what_is_refused_is_put_aside_seen_as_a_gap_and_sent_again_on_demand(line: Line) -> None:
    for serial in range(1, 4):
        await line.town.happens(*told(serial))
    line.status = lambda key: 422 if key.endswith("2") else 200
    with pytest.raises(ChainBroken):
        await line.passes(60)
    assert [record["seq"] for record in line.got] == [1]
    line.status = lambda key: 200
    assert await line.town.feeds.replay("hall", 2) == 2
    await line.passes(60)
    assert line.got == await line.town.read(program("h1"))


async def test_the_reference_receiver_takes_signed_records(line: Line) -> None:
    taker = Reference("key", line.town.now.timestamp)
    async with TestServer(application(taker)) as server:
        async with line.town.database.transaction() as session:
            await store.change(session, "hall", url=str(server.make_url("/")))
        line.town.feeds._secret = lambda target: "key"
        await line.town.feeds.refresh()
        await line.town.happens(*told(1), *told(2))
        pusher = Pusher(
            line.town.database, lambda: line.town.feeds.receivers, allowed=Allowed(local=True),
            now=lambda: line.town.now,
        )  # fmt: skip
        while await pusher.step(TARGET):
            pass
    assert list(taker.taken.values()) == await line.town.read(program("h1"))


async def test_nothing_is_pushed_to_this_machine_unless_it_is_allowed(line: Line) -> None:
    taker = Reference("key")
    async with TestServer(application(taker)) as server:
        for host in ("127.0.0.1", "localhost", "2130706433", "127.1"):
            async with line.town.database.transaction() as session:
                await store.change(session, "hall", url=f"http://{host}:{server.port}/")
            await line.town.feeds.refresh()
            await line.town.happens(*told(len(host)))
            pusher = Pusher(
                line.town.database, lambda: line.town.feeds.receivers,
                allowed=Allowed(frozenset({"2130706433", "127.1"})), now=lambda: line.town.now,
            )  # fmt: skip
            await pusher.step(TARGET)
    assert (taker.taken, taker._seen) == ({}, {})
