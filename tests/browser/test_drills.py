"""Drills from the page: begun by keyboard at a real phone, followed step by step, told of; no real centre rings."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
import pytest_asyncio
from openpyxl import load_workbook
from playwright.async_api import Browser, Locator, Page, expect

from phones.phone import Refuse
from routing.model import Table
from tests.asterisk.support.product import Product, product
from tests.asterisk.support.scene import Scene, hear_each_other, with_groups
from tests.browser.browser_users import Desk, Person, desk, person
from tests.browser.screenshots import accessible, shot
from users.model import Role

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

SEAT_HZ, CENTRE_HZ = 880, 620
SECONDS = 30_000


def edited(table: Table) -> Table:
    """122 has no drill trunk."""
    trunks = tuple(trunk for trunk in table.trunks if not (trunk.role == "drill" and trunk.number == "122"))
    return replace(with_groups(table), trunks=trunks)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hotline() -> AsyncIterator[Product]:
    home = Path(tempfile.mkdtemp(prefix="hl-"))
    try:
        async with product(home, edit=edited) as running:
            yield running
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def boss(hotline: Product) -> Person:
    return await person(hotline, "boss", Role.SUPERVISOR, "1010")


async def opened(here: Desk, boss: Person) -> Page:
    await here.sign_in(boss)
    await here.page.goto(f"{here.home}/#/drills")
    await expect(here.page.locator("[data-centre='110']")).to_contain_text("开始演练")
    return here.page


def plan_of(page: Page) -> Locator:
    return page.get_by_role("region", name="本月计划")


async def start(page: Page, key: str, target: str) -> None:
    """By its key, and by Enter in the guard that says what it is."""
    await page.keyboard.press(key)
    guard = page.get_by_role("dialog", name=f"演练 {target}")
    await expect(guard).to_contain_text(f"不会打到真实的 {target}")
    await expect(guard.get_by_role("button", name="确定")).to_be_focused()
    await page.keyboard.press("Enter")


async def test_a_drill_is_begun_followed_and_told_of_and_no_real_centre_rings(
    here: Desk, browser: Browser, boss: Person
) -> None:
    scene = Scene(here.product)
    real = [await scene.far_end(f"emergency-110{which}", noticed=False) for which in ("", "-backup")]
    centre = await scene.far_end("drill-110", tone_hz=CENTRE_HZ)
    phone = await scene.agent("1001", "8001", SEAT_HZ)
    page = await opened(here, boss)
    await expect(page.locator(".guard")).to_contain_text("绝不打真实的 110")
    plan = page.locator("[data-centre='110']")
    await expect(plan).to_contain_text("▲ 本月还没有成功")
    await expect(page.locator("[data-centre='122']")).to_contain_text("○ 没有演练线路")
    await expect(page.locator("[data-centre='122']").get_by_role("button")).to_be_disabled()
    await expect(plan_of(page).get_by_text("8001（工号 1001）")).to_be_visible(timeout=SECONDS)
    await start(page, "1", "110")
    talk = await phone.wait_talking(20)
    there = await centre.wait_talking(20)
    live = page.locator("[data-drill='110']")
    await expect(live).to_contain_text("◉ 进行中", timeout=SECONDS)
    await expect(live).to_contain_text("对方接听 110 演练（公安）", timeout=SECONDS)
    await expect(live).to_contain_text(re.compile("测试 boss.*发起"))
    await hear_each_other((talk, SEAT_HZ), (there, CENTRE_HZ), seconds=30)
    await accessible(page)
    await shot(page, "drills")
    await talk.hang_up()
    await expect(live).to_contain_text("● 已完成，接通", timeout=SECONDS)
    await expect(plan).to_contain_text("● 本月已成功", timeout=SECONDS)
    month = page.get_by_role("region", name="演练月报")
    await expect(month.get_by_role("img")).to_have_attribute("aria-label", re.compile("110 演练 1 次，接通 1 次"))
    await expect(month.get_by_role("table", name="每次演练").locator("tbody tr")).to_have_count(1)
    async with page.expect_download() as download:
        await month.get_by_role("link", name="导出表格").press("Enter")
    book = load_workbook(BytesIO(Path(await (await download.value).path()).read_bytes()))
    assert book.sheetnames == ["演练月报", "演练明细"]
    assert [one.calls for one in real] == [[], []]
    assert await here.product.calls() == [], "a drill is no call"
    async with desk(browser, here.product, (1920, 1080)) as wide:
        await opened(wide, boss)
        await shot(wide.page, "drills-1920")
    await scene.clear()


async def test_a_drill_that_reaches_nobody_says_why_and_the_month_still_lacks_it(here: Desk, boss: Person) -> None:
    scene = Scene(here.product)
    await scene.far_end("drill-119", behaviour=Refuse(486))
    phone = await scene.agent("1002", "8002", SEAT_HZ)
    page = await opened(here, boss)
    await expect(plan_of(page).get_by_text("8002（工号 1002）")).to_be_visible(timeout=SECONDS)
    await start(page, "2", "119")
    talk = await phone.wait_talking(20)
    live = page.locator("[data-drill='119']")
    await expect(live).to_contain_text("线路未接通 119 演练（消防） （占线）", timeout=SECONDS)
    await expect(live).to_contain_text("各条线路都未接通", timeout=SECONDS)
    await talk.hang_up()
    await expect(live).to_contain_text("■ 已结束，没有接通", timeout=SECONDS)
    await expect(page.locator("[data-centre='119']")).to_contain_text("▲ 本月还没有成功")
    await shot(page, "drills-month")
    await scene.clear()


async def test_a_centre_without_a_drill_trunk_is_refused_in_words_and_who_may_only_read_starts_nothing(
    here: Desk, browser: Browser, boss: Person
) -> None:
    page = await opened(here, boss)
    await page.keyboard.press("4")
    await expect(page.get_by_text("122 没有演练线路")).to_be_visible()
    async with desk(browser, here.product) as auditing:
        await auditing.sign_in(await person(here.product, "auditor", Role.AUDITOR))
        await auditing.page.goto(f"{auditing.home}/#/drills")
        await expect(auditing.page.locator("[data-centre='110']")).to_contain_text("演练")
        await expect(auditing.page.get_by_role("button", name="开始演练")).to_have_count(0)
        await expect(auditing.page.get_by_role("region", name="演练月报")).to_contain_text("110")
