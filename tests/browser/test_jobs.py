"""Jobs of an admin from beginning to end, in steps that are counted: no key is typed, none takes long."""

from __future__ import annotations

import time
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from routing.snapshot import load_snapshot
from tests.asterisk.support.product import Product
from tests.browser.browser_users import Desk, Person, person
from tests.browser.screenshots import accessible, shot
from users.model import Role

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

LONGEST_SECONDS: Final = 180
MOST_STEPS: Final = 24
"""Clicks and fields filled, from the page of the table to a number that citizens can dial."""


class Hands:
    """What a person does with a page, counted."""

    def __init__(self, page: Page) -> None:
        self.page, self.steps = page, 0
        self.typed: list[str] = []

    async def click(self, what: Locator) -> None:
        self.steps += 1
        await what.click()

    async def fill(self, what: Locator, text: str) -> None:
        self.steps += 1
        self.typed.append(text)
        await what.fill(text)

    async def pick(self, label: str, option: str, within: Locator) -> None:
        """From a list that is searched by name."""
        await self.fill(within.get_by_role("combobox", name=label), option)
        await self.click(self.page.get_by_role("option", name=option).locator("visible=true").first)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def boss(hotline: Product) -> Person:
    return await person(hotline, "jobs", Role.ADMIN)


async def test_a_merged_number_with_group_hours_agents_and_prompt_in_three_minutes(here: Desk, boss: Person) -> None:
    page, product = here.page, here.product
    await here.sign_in(boss)
    await page.goto(f"{here.home}/#/routing")
    hands, began = Hands(page), time.monotonic()
    await hands.click(page.get_by_role("tab", name="新增归并号码"))
    form = page.get_by_role("form", name="新增归并号码")
    await hands.fill(form.get_by_label("号码", exact=True), "12388")
    await hands.fill(form.get_by_label("名称", exact=True), "纪检监察")
    await hands.click(form.get_by_text("双号并行"))
    for agent in ("1002", "1003"):
        await hands.pick("添加座席", agent, form)
    await expect(form.get_by_label("过渡期内")).to_have_value("您好，12388与12345双号并行，正在为您接通纪检监察专席。")
    await hands.fill(form.get_by_label("过渡期内"), "您好，正在为您接通纪检监察专席。")
    await hands.click(form.get_by_role("button", name="试听").first)
    await expect(form.get_by_label("刚做好的提示音")).to_be_visible()
    await accessible(page)
    await shot(page, "routing-number")
    await hands.click(form.get_by_role("button", name="存入草稿并检查"))
    await expect(form.get_by_text("已存入草稿，检查通过")).to_be_visible()
    await expect(form.get_by_label("来电会去哪里")).to_contain_text("现在打 12388：技能组")
    await hands.click(form.get_by_role("button", name="发布", exact=True))
    await expect(form.get_by_text("市民现在就可以拨打 12388")).to_be_visible(timeout=60_000)
    assert time.monotonic() - began < LONGEST_SECONDS
    assert hands.steps <= MOST_STEPS
    table = load_snapshot(product.settings.snapshot_file)
    row = table.numbers["12388"]
    assert row.group not in hands.typed
    assert (table.groups[row.group].name, table.schedules[row.schedule].name) == ("纪检监察", "纪检监察上班时间")
    assert all(row.group in table.agents[agent].groups for agent in ("1002", "1003"))
    said = await page.evaluate("fetch('/api/prompts/zh-CN/legacy-12388-during').then(answer => answer.json())")
    assert said["text"] == "您好，正在为您接通纪检监察专席。"
    await accessible(page)


async def test_a_group_is_closed_on_a_day_and_a_transition_ends_later_in_two_clicks(here: Desk, boss: Person) -> None:
    page = here.page
    await here.sign_in(boss)
    await page.goto(f"{here.home}/#/routing?tab=jobs")
    await expect(page.get_by_role("heading", name="过渡期到哪一天")).to_be_visible()
    await accessible(page)
    panel = page.get_by_role("tabpanel", name="常用任务")
    hands = Hands(page)
    await hands.pick("哪个组", "市场监管", panel)
    await page.get_by_label("哪一天", exact=True).fill("2099-02-17")
    await page.keyboard.press("Enter")
    await hands.click(panel.get_by_role("button", name="存入草稿"))
    await expect(panel.get_by_role("list", name="已安排的日子")).to_contain_text("2099-02-17　市场监管")
    hands = Hands(page)
    await hands.click(page.get_by_label("12333 过渡期最后一天"))
    await hands.click(page.locator(".el-date-table td.available").locator("visible=true").first)
    await expect(page.get_by_text("12333 的过渡期改到")).to_be_visible()
    assert hands.steps == 2
    await page.get_by_role("tab", name="差别与发布").click()
    await expect(page.get_by_role("list", name="差别")).to_contain_text(
        "技能组 市场监管：不接听的日子由（空）改为 2099-02-17"
    )


async def test_everything_is_found_by_its_name_and_a_person_is_one_page(here: Desk, boss: Person) -> None:
    page = here.page
    await person(here.product, "lisi", Role.AGENT, "1005", "李四")
    await here.sign_in(boss)
    await page.keyboard.press("Control+k")
    dialog = page.get_by_role("dialog", name="查找")
    await dialog.get_by_role("combobox").fill("社会保障")
    await expect(dialog.get_by_role("option").first).to_contain_text("技能组 社会保障")
    await accessible(page)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="技能组：社会保障")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+k")
    await dialog.get_by_role("combobox").fill("李四")
    await page.keyboard.press("Enter")
    whole = page.get_by_role("dialog", name="李四（lisi）")
    await expect(whole).to_contain_text("技能组")
    await expect(whole).to_contain_text("还没有设")
    await accessible(page)
    await whole.get_by_label("新的签入密码").fill("495817")
    await page.keyboard.press("Enter")
    await expect(whole).to_contain_text("✓ 已设")


async def test_the_manuals_are_in_the_page(here: Desk, boss: Person) -> None:
    page = here.page
    await here.sign_in(boss)
    await page.goto(f"{here.home}/#/manual")
    await expect(page.get_by_role("radio", name="管理员手册")).to_be_checked()
    await page.get_by_label("在全部手册中查找").fill("示忙 F9")
    await expect(page.get_by_role("article").first).to_contain_text("座席手册")
    await accessible(page)
    await shot(page, "manual")
