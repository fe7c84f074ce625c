"""A month's drills as a file: for who may read them, named by its month, refused for what is no month."""

from __future__ import annotations

from io import BytesIO

import pytest
from openpyxl import load_workbook

from tests.support.web_harness import Hall

pytestmark = pytest.mark.unit


async def test_the_month_is_a_workbook_for_the_supervisor(hall: Hall) -> None:
    boss = await hall.session("supervisor")
    answer = await hall.ask("GET", "/api/drills/export?month=2026-11", token=boss)
    assert (answer.status, "drills-2026-11.xlsx" in answer.headers["Content-Disposition"]) == (200, True)
    book = load_workbook(BytesIO(answer.raw))
    assert book.sheetnames == ["演练月报", "演练明细"]
    assert book["演练月报"]["A1"].value == "2026-11 应急演练月报"


async def test_no_month_and_no_ledger_are_sentences(hall: Hall) -> None:
    boss = await hall.session("supervisor")
    answer = await hall.ask("GET", "/api/drills/export?month=11", token=boss)
    assert (answer.status, "2026-11" in answer.body["error"]) == (400, True)
    hall.control.refuses = "不行"
    assert (await hall.ask("GET", "/api/drills/export?month=2026-11", token=boss)).status == 503
