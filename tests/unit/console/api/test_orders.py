"""Urgent orders over the API: who may, what comes back, and what is said to those who may not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from console.api.orders import SIGNED_PER_MINUTE, UNSIGNED_PER_MINUTE
from console.control_api import application
from ledger.model import Kind
from ledger.push_rules import SIGNATURE_SECONDS, signature
from orders.model import OrderState
from tests.support.engine_harness import House, call_id
from tests.unit.console.test_control_api import ALLOWED, TOKEN, Client, Control

pytestmark = pytest.mark.unit

CALL = f"/api/calls/{call_id(1)}/orders"
NUMBER = "hl1-20261122-0001"
ORDER = f"/api/orders/{NUMBER}"
WISH = {"type": "water-outage", "place": "东山路一号巷内", "summary": "水管爆裂", "by": "1001"}
DEPARTMENT = "water-supply"


@pytest.fixture
async def control(tmp_path: Path) -> AsyncIterator[Control]:
    house = House(folder=tmp_path)
    house.link.up = False
    house.orders.learn([])
    yield Control(house)
    await house.orders.stop()
    await house.queues.stop()


@pytest.fixture
async def client(control: Control) -> AsyncIterator[Client]:
    async with TestClient(TestServer(application(control, TOKEN))) as made:
        yield made


async def post(client: Client, path: str, body: Any) -> tuple[int, Any]:
    async with client.post(path, json=body, headers=ALLOWED) as answer:
        return answer.status, await answer.json()


async def get(client: Client, path: str) -> tuple[int, Any]:
    async with client.get(path, headers=ALLOWED) as answer:
        return answer.status, await answer.json()


async def raised(client: Client) -> dict[str, Any]:
    status, told = await post(client, CALL, WISH)
    assert status == 201
    return dict(told)


async def test_raised_and_raised_again_is_one_order_and_one_deed(client: Client, control: Control) -> None:
    told = await raised(client)
    assert (told["number"], told["state"], told["new"], told["durable"]) == (NUMBER, "dispatched", True, True)
    status, again = await post(client, CALL, {**WISH, "place": "别处"})
    assert (status, again["number"], again["new"], again["place"]) == (200, NUMBER, False, WISH["place"])
    assert (await post(client, CALL, {**WISH, "key": "second"}))[1]["number"].endswith("-0002")
    assert [deed[:2] for deed in control.deeds] == [("order-raise", "1001")] * 2


async def test_a_list_shows_nobody_and_an_order_masks_the_number_that_only_the_sheet_has(
    client: Client, control: Control
) -> None:
    await raised(client)
    _, listed = await get(client, "/api/orders")
    text = json.dumps(listed, ensure_ascii=False)
    assert (NUMBER in text, "东山路一号巷…" in text) == (True, True)
    assert not any(secret in text for secret in ("1380000", "水管爆裂", "巷内"))
    _, shown = await get(client, ORDER)
    assert (shown["caller"], shown["summary"]) == ("138****1234", "水管爆裂")
    _, sheet = await get(client, f"{ORDER}/sheet?by=1010")
    assert "13800001234" in sheet["html"]
    assert control.deeds[-1] == ("order-print", "1010", {"to": NUMBER})


async def test_typed_on_taken_and_closed_each_once_and_with_a_name(client: Client, control: Control) -> None:
    await raised(client)
    assert (await post(client, f"{ORDER}/update", {"summary": "水漫上路面", "by": "1001"}))[1][
        "summary"
    ] == "水漫上路面"
    taken = {"department": DEPARTMENT, "who": "值班员", "by": "1010"}
    assert (await post(client, f"{ORDER}/acknowledge", taken))[1]["state"] == "acknowledged"
    assert (await post(client, f"{ORDER}/acknowledge", taken))[0] == 200
    assert (await post(client, f"{ORDER}/close", {"reason": "已修复", "by": "1010"}))[1]["state"] == "closed"
    status, told = await post(client, f"{ORDER}/cancel", {"reason": "误报", "by": "1010"})
    assert (status, told["error"]) == (409, f"工单 {NUMBER} 已办结，不能再办结或撤销")
    assert [deed[0] for deed in control.deeds] == ["order-raise", "order-update", "order-acknowledge", "order-close"]
    kinds = [data["what"] for data in control.house.ledger.of(Kind.ORDER)]
    assert kinds == ["raised", "updated", "acknowledged", "closed"]


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        (CALL, {**WISH, "type": "flood"}, 400, "water-outage（供水中断）"),
        (CALL, {**WISH, "type": ["water-outage"]}, 400, "没有应急工单类型"),
        (CALL, {**WISH, "place": " "}, 400, "place 应为 1 到 200 个字"),
        (CALL, {**WISH, "place": "路" * 201}, 400, "place 应为"),
        (CALL, {**WISH, "summary": "a\x00b"}, 400, "summary 应为"),
        (CALL, {**WISH, "summary": 5}, 400, "summary 应为"),
        (CALL, {**WISH, "key": "有 空格"}, 400, "key 应为"),
        (CALL, {**WISH, "key": 7}, 400, "key 应为"),
        ("/api/calls/none/orders", WISH, 404, "不是呼叫编号"),
        (f"{ORDER}/update", {"by": "1001"}, 400, "至少写一项"),
        (f"{ORDER}/acknowledge", {"department": "gone", "who": "某人"}, 409, "没有派给 gone"),
        (f"{ORDER}/acknowledge", {"department": DEPARTMENT}, 400, "who 应为"),
        (f"{ORDER}/close", {}, 400, "reason 应为"),
        ("/api/orders/hl1-20261122-0099/close", {"reason": "x"}, 404, "没有工单"),
    ],
)
async def test_what_is_asked_wrongly_changes_nothing_and_says_what_would_work(
    client: Client, control: Control, path: str, body: Any, status: int, says: str
) -> None:
    await raised(client)
    before = len(control.house.ledger.of(Kind.ORDER))
    answered, told = await post(client, path, body)
    assert (answered, says in told["error"]) == (status, True), told
    assert len(control.house.ledger.of(Kind.ORDER)) == before
    assert len(control.deeds) == 1


async def test_before_the_database_was_read_an_unknown_order_is_not_said_to_be_none(
    client: Client, control: Control
) -> None:
    control.orders.loaded = False
    status, told = await get(client, ORDER)
    assert (status, "请稍候再试" in told["error"]) == (503, True)


async def test_a_register_that_cannot_be_written_is_told_and_raises_nothing(client: Client, control: Control) -> None:
    control.house.orders._register._file.with_suffix(".part").mkdir()
    status, told = await post(client, CALL, WISH)
    assert (status, "请检查磁盘" in told["error"]) == (503, True)
    assert control.house.ledger.of(Kind.ORDER) == []


def signed(control: Control, **changes: Any) -> dict[str, Any]:
    """A request of a department's program, by its key."""
    given: dict[str, Any] = {
        "number": NUMBER, "department": DEPARTMENT, "stamp": control.house.now // 1000, "key": f"made-up {DEPARTMENT}",
        "body": b'{"who":"on duty"}',
    } | changes  # fmt: skip
    right = signature(given["key"], given["stamp"], given.get("signed", given["number"]), given["body"])
    return {
        "path": f"/orders/{given['number']}/acknowledge",
        "data": given.get("sent", given["body"]),
        "headers": {
            "X-Hotline-Department": given["department"],
            "X-Hotline-Timestamp": given.get("told", str(given["stamp"])),
            "X-Hotline-Signature": right,
        },
    }


async def test_a_department_signs_for_its_order_without_our_token_and_as_often_as_it_likes(
    client: Client, control: Control
) -> None:
    await raised(client)
    for _ in range(2):
        async with client.post(**signed(control)) as answer:
            assert (answer.status, (await answer.json())["state"]) == (200, "acknowledged")
    order = control.orders.book.get(NUMBER)
    assert order is not None
    assert (order.state, order.acknowledged_how, order.acknowledged_who) == (
        OrderState.ACKNOWLEDGED,
        "signature",
        "on duty",
    )
    assert [data["what"] for data in control.house.ledger.of(Kind.ORDER)] == ["raised", "acknowledged"]
    async with client.post(**signed(control, department="emergency-office", key="made-up emergency-office")) as answer:
        assert (answer.status, "已由 供水公司调度室 签收" in (await answer.json())["error"]) == (409, True)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"key": "made-up fire-safety"}, 401),
        ({"department": "nobody", "key": "made-up nobody"}, 401),
        ({"signed": "hl1-20261122-0002"}, 401),
        ({"sent": b'{"who":"another"}'}, 401),
        ({"told": "x"}, 401),
        ({"told": "9" * 5000}, 401),
        ({"told": "1795351331"}, 401),
        ({"department": "fire-safety", "key": "made-up fire-safety"}, 404),
        ({"number": "hl1-20261122-0099"}, 404),
        ({"body": b"{}"}, 400),
        ({"body": b"no json"}, 400),
    ],
)
async def test_a_signature_that_is_not_right_for_this_order_and_body_takes_nothing(
    client: Client, control: Control, changes: dict[str, Any], status: int
) -> None:
    await raised(client)
    async with client.post(**signed(control, **changes)) as answer:
        assert answer.status == status
    order = control.orders.book.get(NUMBER)
    assert order is not None
    assert order.state is OrderState.DISPATCHED


async def test_who_signs_wrongly_again_and_again_is_told_to_wait_and_slows_no_department(
    client: Client, control: Control
) -> None:
    await raised(client)
    wrong = signed(control, key="made-up fire-safety")
    for _ in range(UNSIGNED_PER_MINUTE):
        async with client.post(**wrong) as answer:
            assert answer.status == 401
    async with client.post(**wrong) as answer:
        assert (answer.status, 0 < int(answer.headers["Retry-After"]) <= 60) == (429, True)
    for _ in range(SIGNED_PER_MINUTE):
        async with client.post(**signed(control)) as answer:
            assert answer.status == 200
    async with client.post(**signed(control)) as answer:
        assert (answer.status, "太频繁" in (await answer.json())["error"]) == (429, True)
    other = signed(control, department="emergency-office", key="made-up emergency-office")
    async with client.post(**other) as answer:
        assert answer.status == 409, "another department has its own"
    control.house.now += 60_000
    async with client.post(**signed(control)) as answer:
        assert answer.status == 200


async def test_more_time_is_given_with_a_reason_and_kept_as_a_deed(client: Client, control: Control) -> None:
    await raised(client)
    assert (await post(client, f"{ORDER}/extend", {"minutes": 30, "reason": "等"}))[0] == 409, "nobody has it"
    await post(client, f"{ORDER}/acknowledge", {"department": DEPARTMENT, "who": "某人"})
    control.house.now += 1440 * 60_000
    control.orders.tick()
    _, listed = await get(client, "/api/orders")
    assert (listed["orders"][0]["overdue"], "逾时未办结" in listed["orders"][0]["standing"]) == (True, True)
    (alarm,) = control.house.alarms.standing.values()
    assert (NUMBER in alarm.text, alarm.grave) == (True, False)
    for body in ({"minutes": 0, "reason": "等"}, {"minutes": 43_201, "reason": "等"}, {"minutes": 30, "reason": ""}):
        assert (await post(client, f"{ORDER}/extend", body))[0] == 400
    status, told = await post(client, f"{ORDER}/extend", {"minutes": 30, "reason": "等抢修队", "by": "1010"})
    assert (status, told["overdue"]) == (200, False)
    assert control.house.alarms.standing == {}
    assert control.deeds[-1] == ("order-extend", "1010", {"to": NUMBER, "reason": "等抢修队"})


@pytest.mark.parametrize(("off", "status"), [(SIGNATURE_SECONDS, 200), (SIGNATURE_SECONDS + 1, 401)])
@pytest.mark.parametrize("sign", [1, -1])
async def test_a_signature_is_good_for_five_minutes(
    client: Client, control: Control, off: int, status: int, sign: int
) -> None:
    await raised(client)
    async with client.post(**signed(control, stamp=control.house.now // 1000 + sign * off)) as answer:
        assert answer.status == status


async def test_a_type_whose_table_row_is_gone_stays_with_the_departments_it_was_raised_for(
    client: Client, control: Control
) -> None:
    await raised(client)
    control.house.table = replace(control.house.table, order_types={}, departments={})
    async with client.post(**signed(control)) as answer:
        assert answer.status == 401, "a department that the table has lost has no key any more"
    status, _ = await post(client, f"{ORDER}/acknowledge", {"department": DEPARTMENT, "who": "某人"})
    assert status == 200
