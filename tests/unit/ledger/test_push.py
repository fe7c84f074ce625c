"""Pushing facts to a centre: each at least once, in order, in effect once, whatever the receiver does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from database.connection import Database
from docs.receiver import WINDOW_SECONDS, application
from docs.receiver import Receiver as Reference
from ledger import outbox_store as outbox
from ledger.model import Fact, Kind
from ledger.outbox_store import put
from ledger.push import Pusher, Receiver
from ledger.push_address import Allowed
from ledger.push_rules import MAX_REFUSALS, delay_seconds, outcome, secret_of, signature
from ledger.store import add_facts
from telephony.model import CallId

pytestmark = pytest.mark.unit

BEGAN = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SECRET = secret_of("made-up", "110")
WANTED = frozenset({"110"})


def fact(serial: int, call: int, kind: Kind = Kind.TRANSFER, **data: Any) -> Fact:
    given = data or {"target": "110", "state": "dialling", "id": f"T{call}"}
    at = BEGAN + timedelta(milliseconds=serial)
    return Fact(f"F{serial:04}", kind, CallId(f"hl1-1795351322.{call}"), at, given)


class World:
    """A clock, a receiver with its whims, and pushers that come and go."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = BEGAN
        self.status: Callable[[dict[str, Any]], int] = lambda _: 200
        self.took: list[tuple[str, str]] = []
        self.tried = 0
        self.pusher = self.restarted()

    def restarted(self) -> Pusher:
        self.pusher = Pusher(
            self.database, lambda: {"110": Receiver("https://centre", SECRET)}, post=self.post, now=lambda: self.now
        )
        return self.pusher

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        told = json.loads(body)
        stamp = int(headers["X-Hotline-Timestamp"])
        assert headers["X-Hotline-Signature"] == signature(SECRET, stamp, headers["Idempotency-Key"], body)
        self.tried += 1
        status = self.status(told)
        if status != 0:
            self.took += [(told["call"], told["id"])] if status == 200 else []
        return status

    async def happens(self, *facts: Fact) -> None:
        async with self.database.transaction() as session:
            await add_facts(session, facts)
            await put(session, facts, WANTED)

    async def passes(self, seconds: float) -> None:
        """Time goes by, a second at a time."""
        for _ in range(round(seconds)):
            self.now += timedelta(seconds=1)
            while await self.pusher.step("110"):
                pass

    async def left(self, *states: str) -> list[str]:
        async with self.database.reading() as session:
            return [row.id for row in await outbox.listed(session, states or (outbox.WAITING,), 1000)]


@pytest.fixture
async def world(database: Database) -> World:
    return World(database)


async def test_a_receiver_that_is_down_ten_minutes_gets_every_fact_in_order(world: World) -> None:
    world.status = lambda _: 0
    for serial in range(1, 13):
        await world.happens(fact(serial, call=serial % 3))
        await world.passes(50)
    assert (world.took, len(await world.left())) == ([], 12)
    assert world.tried < 250, "it was not beaten while it was down"
    world.status = lambda _: 200
    await world.passes(330)
    assert await world.left() == []
    for call in range(3):
        mine = [key for of, key in world.took if of.endswith(f".{call}")]
        assert mine == sorted(mine)
        assert len(mine) == 4


async def test_five_hundreds_and_a_restart_of_the_engine_lose_nothing(world: World) -> None:
    answers = iter([500, 503, 0, 429, *([200] * 10)])
    world.status = lambda _: next(answers)
    await world.happens(fact(1, 1), fact(2, 1))
    await world.passes(3)
    world.restarted()
    await world.passes(60)
    assert [key for _, key in world.took] == ["F0001", "F0002"]


async def test_what_is_refused_is_put_aside_and_the_rest_goes_on_until_somebody_asks_again(world: World) -> None:
    world.status = lambda told: 422 if told["id"] == "F0001" else 200
    await world.happens(fact(1, 1), fact(2, 1), fact(3, 2))
    await world.passes(30)
    assert await world.left(outbox.DEAD) == ["F0001"]
    assert {key for _, key in world.took} == {"F0002", "F0003"}
    world.status = lambda _: 200
    async with world.database.transaction() as session:
        assert await outbox.again(session, ["F0001"], world.now) == 1
        assert await outbox.again(session, [], world.now) == 0
    await world.passes(2)
    assert (await world.left(outbox.DEAD, outbox.WAITING), len(world.took)) == ([], 3)


async def test_a_day_without_anybody_is_the_end_of_a_message(world: World) -> None:
    world.status = lambda _: 0
    await world.happens(fact(1, 1))
    world.now += timedelta(hours=25)
    await world.passes(1)
    assert await world.left(outbox.DEAD) == ["F0001"]


async def test_a_fact_that_is_brought_over_twice_is_one_message(world: World) -> None:
    await world.happens(fact(1, 1))
    await world.happens(fact(1, 1))
    assert await world.left() == ["F0001"]


async def test_only_centres_with_an_interface_are_told_and_notes_follow_the_call(world: World) -> None:
    entered = fact(1, 1, Kind.ENTERED, number="12333", caller="13800001234")
    noted = fact(4, 1, Kind.NOTED, address="东山路 1 号", summary="三楼着火")
    await world.happens(entered, fact(2, 1, target="119", state="asked"), fact(3, 1), noted)
    assert await world.left() == ["F0003", "F0004"]
    seen: list[dict[str, Any]] = []

    def takes(told: dict[str, Any]) -> int:
        seen.append(told)
        return 200

    world.status = takes
    await world.passes(2)
    first, update = seen
    assert (first["caller"], first["number"], first["address"]) == ("13800001234", "12333", "")
    assert first["transfer"]["state"] == "dialling"
    assert (update["what"], update["address"], update["summary"]) == ("noted", "东山路 1 号", "三楼着火")


def test_the_pause_doubles_and_is_bounded() -> None:
    assert [delay_seconds(tries) for tries in (1, 2, 3, 8, 9, 1000)] == [2, 4, 8, 256, 300, 300]
    assert [outcome(status).value for status in (200, 204, 301, 408, 422, 429, 500, 0)] == [
        "delivered", "delivered", "unreachable", "unreachable", "refused", "unreachable", "unreachable", "unreachable",
    ]  # fmt: skip
    assert MAX_REFUSALS > 1
    assert secret_of("made-up", "110") != secret_of("made-up", "119")


class Signed:
    """Requests to the reference receiver, right or forged."""

    def __init__(self, client: TestClient[Any, Any], reference: Reference) -> None:
        self.client, self.reference = client, reference

    async def post(self, key: str, body: bytes, *, stamp: int, secret: str = SECRET, signed_body: bytes = b"") -> int:
        headers = {
            "Idempotency-Key": key,
            "X-Hotline-Timestamp": str(stamp),
            "X-Hotline-Signature": signature(secret, stamp, key, signed_body or body),
        }
        async with self.client.post("/", data=body, headers=headers) as answer:
            return answer.status


NOW = 1_795_351_322


@pytest.fixture
async def centre() -> AsyncIterator[Signed]:
    reference = Reference(SECRET, lambda: NOW)
    async with TestClient(TestServer(application(reference))) as client:
        yield Signed(client, reference)


@pytest.mark.parametrize(
    ("forge", "status"),
    [
        (lambda c: c.post("K1", b"{}", stamp=NOW), 200),
        (lambda c: c.post("K1", b"{}", stamp=NOW, secret="another"), 401),
        (lambda c: c.post("K1", b'{"a":1}', stamp=NOW, signed_body=b"{}"), 401),
        (lambda c: c.post("K1", b"{}", stamp=NOW - WINDOW_SECONDS - 1), 401),
        (lambda c: c.post("K1", b"{}", stamp=NOW + WINDOW_SECONDS + 1), 401),
        (lambda c: c.post("K1", b"{}", stamp=-1), 401),
    ],
)
async def test_a_forged_or_stale_signature_is_refused(
    centre: Signed, forge: Callable[[Signed], Awaitable[int]], status: int
) -> None:
    assert await forge(centre) == status
    assert len(centre.reference.taken) == (status == 200)


async def test_a_replayed_request_is_refused_and_an_honest_repetition_has_no_second_effect(centre: Signed) -> None:
    assert await centre.post("K1", b'{"n":1}', stamp=NOW) == 200
    assert await centre.post("K1", b'{"n":1}', stamp=NOW) == 409
    assert await centre.post("K1", b'{"n":1}', stamp=NOW + 1) == 200
    assert centre.reference.taken == {"K1": {"n": 1}}


async def test_over_the_wire_to_the_reference_receiver(database: Database) -> None:
    reference = Reference(SECRET)
    async with TestClient(TestServer(application(reference))) as client:
        url = str(client.make_url("/"))
        pusher = Pusher(
            database,
            lambda: {"110": Receiver(url, SECRET), "119": Receiver("http://127.0.0.1:9/", SECRET)},
            allowed=Allowed(local=True),
        )
        async with database.transaction() as session:
            await put(session, [fact(1, 1), fact(2, 1), fact(3, 2, target="119", state="asked")], WANTED | {"119"})
        assert [await pusher.step("110"), await pusher.step("110"), await pusher.step("119")] == [1, 1, 0]
    assert list(reference.taken) == ["F0001", "F0002"]


async def test_a_drill_is_told_only_to_interfaces_that_take_part_and_says_twice_that_it_is_one(world: World) -> None:
    told = [
        fact(n, 0, Kind.DRILL, drill="hl1-1795351322.7", target=target, state=state)
        for n, (target, state) in enumerate((("110", "asked"), ("110", "invited"), ("119", "asked"), ("110", "ended")))
    ]
    async with world.database.transaction() as session:
        await add_facts(session, told)
        await put(session, told, frozenset({"110", "119"}), frozenset({"110"}))
        await put(session, told, frozenset({"110", "119"}))
    async with world.database.reading() as session:
        rows = await outbox.listed(session, (outbox.WAITING,), 100)
    bodies = [json.loads(row.body) for row in rows]
    assert [(row.target, row.call_id) for row in rows] == [("110", "hl1-1795351322.7")] * 2
    assert [(body["drill"], body["what"], body["transfer"]["state"]) for body in bodies] == [
        (True, "drill", "asked"), (True, "drill", "ended"),
    ]  # fmt: skip
