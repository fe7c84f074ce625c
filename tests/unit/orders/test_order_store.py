"""Orders in both databases: rows folded from facts, messages in the one outbox, each fact in effect once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from database.connection import Database
from ledger import outbox_store as outbox
from ledger.journal import Journal
from ledger.journal_replicator import JournalReplicator
from ledger.model import Kind
from orders.model import Acknowledged, AcknowledgementWay, Ended, EscalationStep, Notify, Order, OrderEvent, OrderState
from orders.queries import raised
from orders.rules import apply
from orders.rules import raised as begun
from orders.serialisation import to_data
from orders.store import follow
from telephony.model import CallId

pytestmark = pytest.mark.unit

BEGAN = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
LONG_AGO = BEGAN - timedelta(days=1)
ORDER = Order(
    number="hl1-20261122-0001",
    call=CallId("hl1-1795351322.1"),
    key="k",
    type="outage",
    type_name="供水中断",
    place="东山路",
    summary="停水",
    caller="13800001234",
    by="1001",
    raised_at=BEGAN,
    steps=(
        EscalationStep("water", "供水", ("0663001",), pushed=True),
        EscalationStep("forty-signs-and-not-a-single-one-more-xx", "值班室", pushed=True),
    ),
    acknowledge_seconds=300,
)


class World:
    """A journal, drained into a database."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.journal = Journal(folder, now=lambda: self.now)
        self.drainer = JournalReplicator(database, folder, "hl1", followers=(follow,))
        self.now = BEGAN

    def note(self, order: Order, what: str, *tell: Notify) -> None:
        self.now += timedelta(seconds=1)
        self.journal.note(Kind.ORDER, order.call, to_data(order, what, tell))

    async def known(self, since: datetime = LONG_AGO, node: str = "hl1") -> dict[str, Order]:
        await self.journal.flush()
        return {one.number: one for one in await raised(self.database, self.journal.folder, node, since)}

    async def outbox(self) -> list[tuple[str, str]]:
        async with self.database.reading() as session:
            rows = await outbox.listed(session, [outbox.WAITING], 100)
        return [(row.target, json.loads(row.body)["what"]) for row in rows]


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    made = World(database, tmp_path / "journal")
    made.journal.start()
    return made


async def test_what_is_only_in_the_journal_is_known_as_well_as_what_is_drained(world: World) -> None:
    order, effects = begun(ORDER)
    other = replace(ORDER, number="hl1-20261122-0002", key="l")
    world.note(order, "raised", *(one for one in effects if isinstance(one, Notify)))
    world.note(other, "raised")
    await world.journal.flush()
    await world.drainer.drain()
    taken, _ = apply(order, Acknowledged("water", AcknowledgementWay.SIGNATURE, "值班员"), BEGAN)
    assert await world.known() == {order.number: order, other.number: other}
    world.note(taken, "acknowledged")
    assert await world.known() == {order.number: taken, other.number: other}
    await world.drainer.drain()
    assert await world.known() == {order.number: taken, other.number: other}
    assert await world.known(node="hl2") == {}, "every node keeps the clock of its own orders"
    assert await world.outbox() == [("department-water", "raised")]
    await world.journal.stop()


async def test_orders_that_were_over_before_are_not_read(world: World) -> None:
    over, _ = apply(ORDER, Ended(OrderState.CLOSED, "1001", "已修复"), BEGAN)
    world.note(over, "closed")
    await world.journal.flush()
    await world.drainer.drain()
    assert await world.known(BEGAN - timedelta(seconds=1)) == {over.number: over}
    assert await world.known(BEGAN) == {}
    await world.journal.stop()


async def test_facts_that_come_twice_are_one_message_to_each_department(world: World) -> None:
    everybody = tuple(step.department for step in ORDER.steps)
    world.note(ORDER, "raised", Notify(OrderEvent.RAISED, everybody))
    await world.journal.flush()
    other = JournalReplicator(world.database, world.journal.folder, "hl2", followers=(follow,))
    await world.drainer.drain()
    await other.drain()
    assert sorted(await world.outbox()) == sorted((f"department-{name}", "raised") for name in everybody)
    await world.journal.stop()
