"""The routing table over HTTP: what an admin's screen or command asks, and a sentence for everything that cannot be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from console.api.routing import Routing, routing_routes
from database.connection import Database
from routing.publish import Publisher, ensure_published, plain_lint_context
from routing.table_rows import kinds
from routing.tables import Tables

pytestmark = pytest.mark.unit

Client = TestClient[Any, Any]
BY = {"by": "张三", "via": "试"}


@pytest.fixture
async def client(database: Database, tmp_path: Path) -> AsyncIterator[Client]:
    await ensure_published(database, tmp_path)
    app = web.Application()
    tables = Tables(Publisher(database, tmp_path, plain_lint_context))
    app.add_routes(routing_routes(cast("Routing", SimpleNamespace(tables=tables))))
    async with TestClient(TestServer(app)) as made:
        yield made


async def ask(client: Client, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    async with client.request(method, path, json=body) as answer:
        return answer.status, await answer.json()


def one(fields: Any, seen: int | None = None, key: str = "12315") -> dict[str, Any]:
    return {"edits": [{"kind": "numbers", "key": key, "fields": fields, "seen": seen}], **BY}


async def test_an_edit_is_seen_told_published_and_undone(client: Client) -> None:
    _, told = await ask(client, "GET", "/api/routing/draft?kind=numbers&limit=2")
    assert [row["key"] for row in told["rows"]] == ["12312", "12313"]
    _, told = await ask(client, "GET", "/api/routing/draft?kind=numbers&after=12313&limit=1")
    assert told["rows"][0]["fields"]["mode"] == "dual"
    assert await ask(client, "POST", "/api/routing/draft", one({"mode": "full", "schedule": ""})) == (
        200, {"rows": [{"kind": "numbers", "key": "12315", "revision": 2}]},
    )  # fmt: skip
    _, told = await ask(client, "GET", "/api/routing/diff")
    assert told["changes"][0]["sentence"].startswith("12315：由双号并行改为整体并入")
    status, told = await ask(client, "GET", "/api/routing/lint")
    assert status == 200
    assert {fault["severity"] for fault in told["faults"]} <= {"warning"}
    status, told = await ask(client, "POST", "/api/routing/publish", {"reason": "试行", "seen": 1, **BY})
    assert (status, told["version"]) == (200, 2)
    status, told = await ask(client, "POST", "/api/routing/rollback", {"version": 1, "reason": "退回", **BY})
    assert (status, told["version"]) == (200, 3)
    _, told = await ask(client, "GET", "/api/routing/versions")
    assert [(row["version"], row["author"], row["reason"]) for row in told["versions"]][:2] == [
        (3, "张三", "退回"), (2, "张三", "试行"),
    ]  # fmt: skip
    assert (await ask(client, "POST", "/api/routing/draft/discard", BY))[1] == {"rows": 1}


async def test_the_second_of_two_admins_gets_both_sides_values(client: Client) -> None:
    await ask(client, "POST", "/api/routing/draft", one({"note": "甲"}, 1))
    status, told = await ask(client, "POST", "/api/routing/draft", one({"note": "乙"}, 1) | {"by": "李四"})
    assert status == 409
    assert "张三 改为 甲，您要改为 乙" in told["error"]
    (conflict,) = told["conflicts"]
    assert conflict["fields"] == [{"field": "note", "base": "示例，待核", "theirs": "甲", "yours": "乙"}]
    again = one({"note": "乙"}, conflict["revision"]) | {"by": "李四"}
    assert (await ask(client, "POST", "/api/routing/draft", again))[0] == 200


async def test_a_release_is_listed_and_cancelled(client: Client) -> None:
    await ask(client, "POST", "/api/routing/draft", one({"note": "甲"}))
    body = {"reason": "夜里", "at": "2099-12-01T00:00", **BY}
    _, told = await ask(client, "POST", "/api/routing/publish", body)
    assert told["release"]["due_at"] == "2099-11-30T16:00:00+00:00"
    assert (await ask(client, "POST", "/api/routing/releases/1/cancel", BY))[1]["state"] == "cancelled"
    _, told = await ask(client, "GET", "/api/routing/releases")
    assert [row["state_name"] for row in told["releases"]] == ["已撤销"]


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/api/routing/draft", None, "JSON"),
        ("/api/routing/draft", {"edits": [], **BY}, "应写明改哪些行"),
        ("/api/routing/draft", {"edits": ["x"], **BY}, "看不懂"),
        ("/api/routing/draft", one({"mode": "x"}), "应为 full"),
        ("/api/routing/draft", one({"mode": "full"}) | {"by": ""}, "应写明是谁"),
        ("/api/routing/draft", one({"mode": "full"}) | {"by": "x\n"} | {"by": "x\ny"}, "应写明是谁"),
        ("/api/routing/publish", {"reason": "试", **BY}, "不必发布"),
        ("/api/routing/publish", {"reason": 5, **BY}, "应为文字"),
        ("/api/routing/rollback", {"version": 9, "reason": "试", **BY}, "没有版本 9"),
        ("/api/routing/rollback", {"version": "x", "reason": "试", **BY}, "应为整数"),
        ("/api/routing/releases/7/approve", BY, "没有第 7 号"),
    ],
)
async def test_what_cannot_be_is_a_sentence(client: Client, path: str, body: Any, says: str) -> None:
    status, told = await ask(client, "POST", path, body)
    assert status == (400 if body is None else 409)
    assert says in told["error"]


async def test_an_unknown_kind_is_a_sentence(client: Client) -> None:
    status, told = await ask(client, "GET", "/api/routing/draft?kind=lines")
    assert (status, "numbers" in told["error"]) == (409, True)


async def test_the_forms_tell_a_screen_every_sheet_and_column_in_words(client: Client) -> None:
    _, told = await ask(client, "GET", "/api/routing/forms")
    assert [sheet["kind"] for sheet in told["sheets"]] == [*kinds()]
    numbers = next(sheet for sheet in told["sheets"] if sheet["kind"] == "numbers")
    mode, group = (next(one for one in numbers["columns"] if one["name"] == name) for name in ("mode", "group"))
    assert (mode["title"], mode["type"], mode["choices"][0]) == ("归并方式", "choice", "整体并入")
    assert (group["type"], group["refers"], group["needed"]) == ("reference", "groups", True)


async def test_a_row_is_edited_in_the_words_of_a_workbook(client: Client) -> None:
    _, told = await ask(client, "GET", "/api/routing/draft?kind=numbers&limit=3")
    row = next(one for one in told["rows"] if one["key"] == "12315")
    assert row["cells"]["mode"] == "双号并行"
    cells = {"edits": [{"kind": "numbers", "key": "12315", "cells": {"mode": "整体并入", "schedule": ""}}], **BY}
    assert (await ask(client, "POST", "/api/routing/draft", cells))[0] == 200
    _, told = await ask(client, "GET", "/api/routing/diff")
    assert told["changes"][0]["sentence"].startswith("12315：由双号并行改为整体并入")


async def test_a_cell_that_cannot_be_read_is_told_at_its_field_and_nothing_is_saved(client: Client) -> None:
    typed = {"overflow_seconds": "很久", "name": "新名字"}
    body = {"edits": [{"kind": "numbers", "key": "12315", "cells": typed}], **BY}
    status, told = await ask(client, "POST", "/api/routing/draft", body)
    assert (status, told["faults"][0]["field"]) == (409, "overflow_seconds")
    assert "应为整数" in told["error"]
    assert (await ask(client, "GET", "/api/routing/diff"))[1]["changes"] == []
    _, told = await ask(client, "POST", "/api/routing/lint", body)
    assert (told["faults"][0]["row"], told["faults"][0]["rule"]) == ("12315", "unreadable")


async def test_the_lint_judges_what_is_typed_before_it_is_saved(client: Client) -> None:
    body = {"edits": [{"kind": "numbers", "key": "12315", "cells": {"group": "nowhere"}}]}
    _, told = await ask(client, "POST", "/api/routing/lint", body)
    (fault,) = [one for one in told["faults"] if one["severity"] == "error"]
    assert (fault["kind"], fault["row"], fault["field"]) == ("numbers", "12315", "group")
    assert fault["told"].startswith("归并号码 12315 的“受理组”")
    _, told = await ask(client, "GET", "/api/routing/lint")
    assert [one for one in told["faults"] if one["severity"] == "error"] == []


async def test_a_call_is_tried_on_the_draft_and_on_what_is_in_force(client: Client) -> None:
    await ask(client, "POST", "/api/routing/draft", one({"mode": "full", "schedule": "", "group": "general"}))
    body = {"number": "12315", "at": "2026-12-01T10:00"}
    _, told = await ask(client, "POST", "/api/routing/simulate", body)
    assert [row["name"] for row in told["tables"]] == ["草稿", "生效中"]
    assert told["tables"][0]["decision"]["group"] == "general"
    assert told["tables"][1]["decision"]["group"] == "market"
    assert any("经过" in line for line in told["tables"][0]["lines"])
    assert (await ask(client, "POST", "/api/routing/simulate", {"number": ""}))[0] == 409


async def test_what_holds_on_a_day_is_told_by_the_draft(client: Client) -> None:
    day = {"kind": "holidays", "key": "2026-12-01", "fields": {"kind": "holiday", "name": "试放假"}}
    _, before = await ask(client, "GET", "/api/routing/hours?day=2026-12-01")
    assert (await ask(client, "POST", "/api/routing/draft", {"edits": [day], "by": "admin"}))[0] == 200
    _, told = await ask(client, "GET", "/api/routing/hours?day=2026-12-01")
    assert (before["kind"], told["kind"], told["words"], told["name"]) == ("workday", "holiday", "节假日", "试放假")
    opened = {one["id"]: one["open"] for one in told["schedules"]}
    assert {one["id"]: one["open"] for one in before["schedules"]}["office"] == [[510, 720], [870, 1050]]
    assert (opened["office"], opened["daily"]) == ([], [[540, 1020]])


@pytest.mark.parametrize("day", ["", "2026-02-30", "x", "20261201T00"])
async def test_a_day_that_is_none_is_refused_with_how_to_write_one(client: Client, day: str) -> None:
    status, told = await ask(client, "GET", f"/api/routing/hours?day={day}")
    assert status == 409
    assert "年-月-日" in told["error"]
