"""A month's report in the page: told in names, taken away as a file, opened down to the calls behind a figure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.async_api import expect

from database.connection import open_database
from ledger.model import Fact, Kind
from ledger.store import add_facts
from telephony.model import CallId
from tests.asterisk.support.product import Product
from tests.browser.browser_users import Desk, person
from tests.browser.screenshots import accessible, shot
from users.model import Role

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]


def last_month() -> list[Fact]:
    """Ten calls to 12315 on each day of the first ten, of which two reached nobody."""
    today = datetime.now(UTC)
    first = (today.replace(day=1) - timedelta(days=15)).replace(day=1, hour=2, minute=0, second=0, microsecond=0)
    facts = []
    for serial in range(100):
        call = CallId(f"hl1-1600000000.{serial}")
        rang = first + timedelta(days=serial // 10, minutes=20 * (serial % 10))
        story: list[tuple[int, Kind, dict[str, object]]] = [
            (0, Kind.ENTERED, {"number": "12315", "caller": "13800138000", "mode": "dual", "group": "market"}),
            (5, Kind.WAITING, {"group": "market", "position": 1}),
        ]
        if serial % 5:
            story.append((9, Kind.ANSWERED, {"seat": "8003", "agent": "1003", "group": "market", "by": "agent"}))
            story.append((80, Kind.RATED, {"key": "5", "level": 5 - serial % 3}))
        story.append((90, Kind.ENDED, {"cause": 16, "by": "caller", "talk_ms": 70_000}))
        facts += [Fact(f"r{serial}-{n}", kind, call, rang + timedelta(seconds=at), data)
                  for n, (at, kind, data) in enumerate(story)]  # fmt: skip
    return facts


async def test_a_month_from_the_period_to_the_calls_behind_a_figure(
    hotline: Product, here: Desk, tmp_path: Path
) -> None:
    database = open_database(hotline.settings.database_url)
    async with database.transaction() as session:
        await add_facts(session, last_month())
    await database.close()
    boss = await person(hotline, "chief", Role.SUPERVISOR)
    page = here.page
    await here.sign_in(boss)
    await page.goto(f"{here.home}/#/reports")
    row = page.locator("tr[data-key='12315']")
    name = next(number.name for number in hotline.table.numbers.values() if number.number == "12315")
    await expect(row.locator("th")).to_contain_text(name)
    await expect(row.locator("td").nth(0)).to_have_text("100")
    await expect(row.locator("td").nth(2)).to_have_text("80.0%")
    await expect(page.get_by_role("heading", name=re.compile("话务报表（按号码）"))).to_be_visible()
    await accessible(page)
    await shot(page, "reports")

    async with page.expect_download() as coming:
        await page.get_by_role("link", name="导出表格").click()
    file = await coming.value
    assert file.suggested_filename.startswith("话务报表-")
    await file.save_as(tmp_path / "report.xlsx")
    book = load_workbook(BytesIO((tmp_path / "report.xlsx").read_bytes()))
    assert [cell.value for cell in book["按号码"][3]][:4] == ["12315", name, 100, 80]

    await row.locator("td").nth(8).get_by_role("link").click()
    await expect(page.get_by_role("table", name="来电记录").locator("tbody tr")).to_have_count(20)

    await page.go_back()
    await expect(page.locator("tr[data-key='12315']")).to_be_visible()
    await page.keyboard.press("1")
    await expect(page.get_by_text("这段时间没有来电")).to_be_visible()
