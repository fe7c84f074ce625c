"""Opening hours drawn as a week, by mouse and by keys, and a year's holidays: from the draft to what callers meet."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from routing.calendar import open_minutes
from routing.snapshot import load_snapshot
from tests.asterisk.support.product import Product, product
from tests.browser.browser_users import PUBLISH_MS, Desk, person
from tests.browser.screenshots import accessible, shot
from users.model import Role

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

SATURDAY: Final = 5
DAY: Final = date(2027, 3, 3)  # a Wednesday, and no holiday by itself
WIDE, HIGH, LEFT, TOP, ROW = 1200, 260, 48, 22, 34
"""The picture of a week, in its own units (console/app/src/routing/Week.vue)."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hotline() -> AsyncIterator[Product]:
    """A running product with the hours of the sample table."""
    home = Path(tempfile.mkdtemp(prefix="hl-"))
    try:
        async with product(home, hours=True) as running:
            yield running
    finally:
        shutil.rmtree(home, ignore_errors=True)


async def test_an_admin_draws_a_week_and_sets_a_holiday_and_both_hold_once_published(here: Desk) -> None:
    page, product = here.page, here.product
    await here.sign_in(await person(product, "boss", Role.ADMIN))
    await page.goto(f"{here.home}/#/routing")
    await page.get_by_role("tab", name="服务时间").click()
    await choose(page, "班表", "机关上班时间")
    week = page.get_by_role("application")
    words = page.locator("p.words")
    await expect(words).to_contain_text("周六至周日 不开")
    await draw(page, week, SATURDAY, 9 * 60, 12 * 60)
    await expect(words).to_contain_text("周六 09:00 到 12:00")
    await expect(page.get_by_text("● 还没有存入草稿")).to_be_visible()
    await accessible(page)
    await shot(page, "routing-week")
    await week.focus()
    await page.keyboard.press("ArrowUp")  # Friday
    for _ in range(5):
        await page.keyboard.press("Shift+ArrowRight")
    await page.keyboard.press("Delete")
    await expect(words).to_contain_text("周五 08:30 到 09:00、14:30 到 17:30；")
    await page.get_by_role("button", name="还原").click()
    await expect(words).to_contain_text("周六至周日 不开")
    await draw(page, week, SATURDAY, 9 * 60, 12 * 60)
    await page.get_by_role("button", name="存入草稿").click()
    await expect(page.get_by_text("● 还没有存入草稿")).to_have_count(0)

    await page.get_by_role("tab", name="节假日").click()
    await page.get_by_label("年份").fill(str(DAY.year))
    await page.get_by_label("年份").press("Enter")
    await page.locator(f"#day-{DAY}").click()
    told = page.get_by_label("这一天")
    await expect(told).to_contain_text(f"{DAY}　工作日")
    await told.get_by_label("名称").fill("市庆日")
    await told.get_by_role("button", name="设为节假日").click()
    await expect(told).to_contain_text(f"{DAY}　节假日")
    await page.locator(f"#day-{DAY}").press("ArrowRight")
    await expect(told).to_contain_text("工作日")
    await page.keyboard.press("ArrowLeft")
    await expect(told).to_contain_text("市庆日")
    await accessible(page)
    await shot(page, "routing-year")

    await page.get_by_role("tab", name="差别与发布").click()
    await expect(page.get_by_role("list", name="差别")).to_contain_text("市庆日")
    await page.get_by_label("发布的原因").fill("周六上午试开")
    await page.get_by_role("button", name="发布", exact=True).click()
    await expect(page.get_by_text("第 2 版已生效")).to_be_visible(timeout=PUBLISH_MS)
    assert opened(product, date(2027, 3, 6)) == [(9 * 60, 12 * 60)]  # a Saturday
    assert opened(product, DAY) == []


def opened(product: Product, day: date) -> list[tuple[int, int]]:
    table = load_snapshot(product.settings.snapshot_file)
    return open_minutes(table.schedules["office"], day, table.holidays)


async def choose(page: Page, label: str, option: str) -> None:
    await page.get_by_role("combobox", name=label).press("Enter")
    await page.get_by_role("option", name=option).click()


async def draw(page: Page, week: Locator, day: int, start: int, end: int) -> None:
    """With the mouse, from one minute of a day to another."""
    box = await week.bounding_box()
    assert box is not None
    x, y = box["x"], box["y"] + (TOP + ROW * (day + 0.5)) * box["height"] / HIGH
    from_x, to_x = (x + (LEFT + at / 1440 * (WIDE - LEFT)) * box["width"] / WIDE for at in (start + 5, end - 5))
    await page.mouse.move(from_x, y)
    await page.mouse.down()
    await page.mouse.move((from_x + to_x) / 2, y)
    await page.mouse.move(to_x, y)
    await page.mouse.up()
