"""Files and pictures of the routing table through the browsers' listener: bounded, whole or not at all, in words."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from console.access.guard import CSRF_HEADER, FILE_TYPE
from console.access.permissions import BY_ROUTE
from database.connection import Database
from routing.publish import Publisher, ensure_published, plain_lint_context
from routing.tables import Tables
from tests.support.web_harness import Answer, Hall
from users.passwords import csrf_token

pytestmark = pytest.mark.unit


@pytest.fixture
async def admin(hall: Hall, database: Database, tmp_path: Path) -> tuple[Hall, str]:
    await ensure_published(database, tmp_path)
    hall.control.tables = Tables(Publisher(database, tmp_path, plain_lint_context))
    return hall, await hall.session("admin")


async def send(hall: Hall, token: str, name: str, data: Any, more: str = "", kind: str = FILE_TYPE) -> Answer:
    headers = {
        "Origin": hall.home, "Sec-Fetch-Site": "same-origin", "Content-Type": kind,
        "Cookie": f"hotline={token}", CSRF_HEADER: csrf_token(token),
    }  # fmt: skip
    path = f"/api/routing/import?name={quote(name)}{more}"
    async with hall.client.post(path, data=data, headers=headers) as answer:
        return Answer(answer.status, await answer.json(), answer.headers, b"")


async def test_an_exported_workbook_goes_back_in_without_a_change(admin: tuple[Hall, str]) -> None:
    hall, token = admin
    for form in ("xlsx", "toml"):
        answer = await hall.ask("GET", f"/api/routing/export?form={form}", token=token)
        assert answer.status == 200
        assert answer.headers["Content-Disposition"].startswith("attachment")
        told = await send(hall, token, f"路由表.{form}", answer.raw)
        assert (told.status, told.body["changes"], told.body["saved"]) == (200, [], False)


async def test_a_csv_is_checked_then_taken_in_as_it_was_checked(admin: tuple[Hall, str]) -> None:
    hall, token = admin
    sheet = (await hall.ask("GET", "/api/routing/export?form=csv&kind=skills", token=token)).raw
    data = sheet + "minnan,闽南话,是\r\n".encode()
    told = (await send(hall, token, "技能.csv", data)).body
    assert told["changes"][0]["sentence"].startswith("新增技能 闽南话")
    assert (await send(hall, token, "技能.csv", data, f"&check=0&seen={told['revision']}")).body["saved"]
    rows = (await hall.ask("GET", "/api/routing/draft?kind=skills", token=token)).body["rows"]
    assert "minnan" in [row["key"] for row in rows]


async def test_every_fault_of_a_file_is_told_at_its_cell_and_nothing_changes(admin: tuple[Hall, str]) -> None:
    hall, token = admin
    sheet = (await hall.ask("GET", "/api/routing/export?form=csv&kind=skills", token=token)).raw
    told = await send(hall, token, "技能.csv", sheet + "a b,甲,也许\r\nok,乙,也许\r\n".encode(), "&check=0")
    assert told.status == 409
    assert any("“是语言或方言”" in fault and "应为 是 或 否" in fault for fault in told.body["faults"])
    assert len(told.body["faults"]) > 1
    assert (await hall.ask("GET", "/api/routing/diff", token=token)).body["changes"] == []


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("x.exe", b"MZ", "不认识"),
        ("x.xlsx", b"no zip", "不是 .xlsx"),
        ("x.toml", b"\xff", "UTF-8"),
        ("", b"", "文件名"),
    ],
)
async def test_what_is_no_table_is_a_sentence(admin: tuple[Hall, str], name: str, data: bytes, says: str) -> None:
    told = await send(*admin, name, data)
    assert told.status == 409
    assert says in " ".join([told.body["error"], *told.body.get("faults", [])])


@pytest.mark.parametrize("told_before", [True, False])
async def test_a_file_has_a_size_whether_or_not_it_is_told_before(
    admin: tuple[Hall, str], monkeypatch: pytest.MonkeyPatch, told_before: bool
) -> None:
    way = ("POST", "/api/routing/import")
    monkeypatch.setitem(BY_ROUTE, way, replace(BY_ROUTE[way], upload=1000))

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield bytes(100)

    told = await send(*admin, "x.csv", bytes(1100) if told_before else pieces())
    assert told.status == 409
    assert "最大" in told.body["error"]


async def test_nothing_but_a_file_is_taken_for_one(admin: tuple[Hall, str]) -> None:
    for kind in ("application/json", "application/x-www-form-urlencoded", "text/plain"):
        assert (await send(*admin, "x.csv", b"{}", kind=kind)).status == 415


async def test_the_flow_of_a_number_is_a_picture_without_anything_that_runs(admin: tuple[Hall, str]) -> None:
    hall, token = admin
    answer = await hall.ask("GET", f"/api/routing/picture?number={quote('<script>')}", token=token)
    assert answer.headers["Content-Type"].startswith("image/svg+xml")
    tags = {tag.decode() for tag in re.findall(rb"<([a-z]+)", answer.raw)}
    assert tags <= {"svg", "title", "desc", "rect", "text", "path"}
    assert (await hall.ask("GET", "/api/routing/picture", token=token)).status == 409
