"""A supervisor's pages: the wallboard and the floor follow a call, act on an agent, and say when they are old."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, expect

from phones.phone import Answer
from tests.asterisk.support.product import Product
from tests.browser.browser_users import Desk, Person, desk, person
from users.model import Role

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

SECONDS = 30_000
"""For what the product has to do first, ms."""

CALLER = "13800138000"
WALL = (1920, 1080)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def boss(hotline: Product) -> Person:
    return await person(hotline, "boss", Role.SUPERVISOR, "1010")


@pytest_asyncio.fixture(loop_scope="module")
async def wall(hotline: Product, browser: Browser, boss: Person) -> AsyncIterator[Desk]:
    async with desk(browser, hotline, WALL) as made:
        await made.sign_in(boss)
        await made.page.get_by_role("link", name="大屏").click()
        await expect(made.page).to_have_title("大屏 · 12345 热线")
        yield made


def figure(here: Desk, name: str) -> Locator:
    return here.page.get_by_role("region", name=name, exact=True)


async def test_a_call_appears_on_wallboard_and_floor_and_the_agent_is_forced_to_pause_by_keyboard(
    here: Desk, wall: Desk, boss: Person
) -> None:
    await here.sign_in(boss)
    await expect(here.page).to_have_title("现场 · 12345 热线")
    await expect(here.page.get_by_text("现在没有人签入")).to_be_visible()
    citizen = here.product.citizen()
    call = await citizen.call("12345", caller=CALLER)
    await expect(figure(wall, "排队")).to_contain_text("1", timeout=SECONDS)
    await expect(figure(wall, "排队").get_by_role("img", name="不达标")).to_be_visible()
    queue = here.page.get_by_role("region", name="排队")
    await expect(queue.get_by_text("138****8000")).to_be_visible(timeout=SECONDS)

    await here.product.seat("8001", behaviour=Answer(after=0.2))
    await here.product.ask("/api/agents/1001/sign-in", {"seat": "8001"})
    row = here.page.locator("tr[data-agent='1001']")
    await expect(row).to_contain_text("通话中", timeout=SECONDS)
    await expect(queue.get_by_text("没有人在排队")).to_be_visible()
    await expect(figure(wall, "通话")).to_contain_text("1")
    await expect(figure(wall, "排队")).to_contain_text("0")
    await expect(figure(wall, "24 小时接通率")).to_contain_text("%")

    await here.page.keyboard.press("ArrowDown")
    await expect(row).to_have_attribute("aria-selected", "true")
    await here.page.keyboard.press("P")
    asked = here.page.get_by_role("dialog", name="强制示忙 1001")
    await asked.get_by_role("textbox").fill("设备检查")
    await here.page.keyboard.press("Enter")
    await expect(here.page.get_by_text("1001", exact=False).filter(has_text="强制示忙").first).to_be_visible()
    await call.hang_up()
    await expect(row).to_contain_text("示忙", timeout=SECONDS)
    await expect(figure(wall, "示忙")).to_contain_text("1")


async def test_a_group_is_closed_and_opened_and_everybody_sees_it(here: Desk, wall: Desk, boss: Person) -> None:
    await here.sign_in(boss)
    groups = here.page.get_by_role("region", name="技能组")
    one = groups.locator("li").filter(has_text="市场监管").first
    await one.get_by_role("button", name="关闭").click()
    asked = here.page.get_by_role("dialog", name="关闭技能组")
    await asked.get_by_label("原因").fill("演练")
    await here.page.keyboard.press("Enter")
    await expect(one).to_contain_text("已关闭")
    await expect(wall.page.get_by_role("row").filter(has_text="市场监管")).to_contain_text("已关闭")
    await one.get_by_role("button", name="开放").click()
    await here.page.get_by_role("dialog").get_by_role("textbox").fill("演练结束")
    await here.page.keyboard.press("Enter")
    await expect(one).not_to_contain_text("已关闭")


async def test_the_wallboard_says_that_it_is_old_when_the_engine_dies_and_recovers_by_itself(wall: Desk) -> None:
    age = wall.page.locator(".wall .age")
    await expect(age).to_contain_text("● 实时")
    await wall.product.signal_engine(signal.SIGKILL)
    banner = wall.page.get_by_role("alert").filter(has_text="连接断了")
    await expect(banner).to_contain_text("电话不受影响", timeout=SECONDS)
    await expect(age).to_contain_text("▲ 数据停在")
    await wall.product.start_engine()
    await expect(banner).not_to_be_visible(timeout=SECONDS)
    await expect(age).to_contain_text("● 实时")


async def test_the_day_is_drawn_and_a_question_about_seats_is_answered(here: Desk, boss: Person) -> None:
    await here.sign_in(boss)
    await here.page.get_by_role("link", name="统计与排班").click()
    await expect(here.page.get_by_role("img", name="每半小时的接通").locator("canvas")).to_be_visible()
    asked = here.page.get_by_role("region", name="排班试算")
    await asked.get_by_label("每小时来电").fill("120")
    await asked.get_by_label("通话（秒）").fill("180")
    await asked.get_by_label("座席", exact=True).fill("7")
    await asked.get_by_role("button", name="试算").click()
    await expect(asked.get_by_role("status")).to_contain_text("7 个座席时")
    await expect(asked.get_by_role("img", name="座席数与接听率").locator("canvas")).to_be_visible()
