"""The live view over HTTP: a snapshot, deltas that make the next one, metrics; nothing without the token."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from console.live import metrics, sse
from ivr.model import Script
from ledger.model import Kind
from orders.model import Acknowledged, AcknowledgementWay
from tests.support.engine_harness import House, call_id
from tests.unit.console.test_control_api import ALLOWED, Client, Control, ask, client, control, house, sign_in
from tests.unit.ledger.test_live import patched

__all__ = ["client", "control", "house"]

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "STEP_SECONDS", 0.01)


async def events(stream: Any, count: int) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    while len(found) < count:
        name = (await stream.content.readline()).decode()
        data = (await stream.content.readline()).decode()
        assert await stream.content.readline() == b"\n"
        found.append((name.removeprefix("event: ").strip(), json.loads(data.removeprefix("data: "))))
    return found


async def test_the_stream_is_a_snapshot_and_then_what_changes(client: Client, house: House) -> None:
    async with client.get("/api/live/stream", headers=ALLOWED) as stream:
        assert stream.content_type == "text/event-stream"
        ((name, first),) = await events(stream, 1)
        assert (name, first["now"]["waiting"]) == ("snapshot", 0)
        house.desk.place(house.question(Script.OFFER))
        ((name, delta),) = await events(stream, 1)
        assert name == "delta"
        assert "agents" not in delta, "only what changed"
        _, now = await ask(client, "GET", "/api/live")
        assert patched(first, delta) == now
        assert now["groups"]["general"]["now"]["waiting"] == 1


async def test_two_readers_see_the_same_and_nobody_costs_nothing(client: Client, house: House) -> None:
    async with (
        client.get("/api/live/stream", headers=ALLOWED) as one,
        client.get("/api/live/stream", headers=ALLOWED) as two,
    ):
        await events(one, 1)
        await events(two, 1)
        await sign_in(client)
        assert await events(one, 1) == await events(two, 1)


async def test_too_many_readers_are_a_sentence(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_READERS", 1)
    async with client.get("/api/live/stream", headers=ALLOWED) as first:
        await events(first, 1)
        status, body = await ask(client, "GET", "/api/live/stream")
        assert status == 503
        assert "大屏" in body["error"]


async def test_a_reader_that_does_not_keep_up_is_let_go_and_the_others_are_not(control: Control, house: House) -> None:
    views = sse._Views(control)
    slow: asyncio.Queue[bytes] = asyncio.Queue(1)
    quick: asyncio.Queue[bytes] = asyncio.Queue(1)
    slow.put_nowait(b"not read yet")
    views._readers |= {slow: "", quick: ""}
    painter = asyncio.create_task(views._paint())
    assert b"event: delta" in await asyncio.wait_for(quick.get(), 5)
    assert set(views._readers) == {quick}
    painter.cancel()
    await asyncio.gather(painter, return_exceptions=True)


async def test_metrics_for_prometheus(client: Client, house: House) -> None:
    await sign_in(client)
    house.calls.record_fact(Kind.ENTERED, call_id(1), number="12345", group="general", rule="hotline")
    house.desk.place(house.question(Script.OFFER, since_ms=house.now))
    house.now += 12_000
    house.calls.record_fact(Kind.ANSWERED, call_id(1), group="general", waited_ms=12_000, by="agent")
    async with client.get("/metrics", headers=ALLOWED) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        families = {one.name: one for one in text_string_to_metric_families(await answer.text())}
    samples = {
        (sample.name, *sample.labels.values()): sample.value for one in families.values() for sample in one.samples
    }
    assert samples["hotline_calls_total", "answered"] == 1
    assert samples["hotline_answered_in_time_total", "ring"] == 1
    assert samples["hotline_answer_seconds_bucket", "10"] == 0
    assert samples["hotline_answer_seconds_bucket", "15"] == 1
    assert samples["hotline_answer_seconds_sum",] == 12
    assert samples["hotline_seats", "reserved"] == 1
    assert samples["hotline_queue_calls", "offered"] == 1
    assert samples["hotline_day_connection_rate",] == 1


async def test_urgent_orders_are_in_the_metrics(tmp_path: Path) -> None:
    house = House(folder=tmp_path)
    house.link.up = False
    house.orders.learn([])
    control = Control(house)
    await control.raise_order(call_id(1), "water-outage", "东山路", "停水", "a", "1001")
    order, _ = await control.raise_order(call_id(1), "water-outage", "东山路", "停水", "b", "1001")
    house.orders.apply(order, Acknowledged("water-supply", AcknowledgementWay.COMMAND, "某人"))
    house.now += 1440 * 60_000
    house.orders.tick()
    body, _ = metrics.text(control.acd, control.counters, control.orders)
    families = {one.name: one for one in text_string_to_metric_families(body.decode())}
    told = {(sample.name, *sample.labels.values()): sample.value for one in families.values() for sample in one.samples}
    assert {state: told["hotline_orders", state] for state in ("dispatched", "unanswered", "acknowledged")} == {
        "dispatched": 1, "unanswered": 0, "acknowledged": 1,
    }  # fmt: skip
    assert told["hotline_orders_overdue",] == 1
    steps = {step: told["hotline_order_steps_total", step] for step in ("raised", "late", "escalated", "closed")}
    assert steps == {"raised": 2, "late": 1, "escalated": 1, "closed": 0}
    await house.orders.stop()
    await house.queues.stop()


@pytest.mark.parametrize("path", ["/metrics", "/api/live", "/api/live/stream"])
async def test_without_the_token_nothing_is_told(client: Client, path: str) -> None:
    status, body = await ask(client, "GET", path, headers={})
    assert status == 401
    assert set(body) == {"error"}
