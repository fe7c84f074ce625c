"""A supervisor's list of what was promised: callbacks, messages, urgent orders, worked by keyboard, every look kept."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from audit.store import of_action
from database.connection import open_database
from ledger.model import Kind
from phones.phone import RingForEver
from routing.model import (
    CallbackPolicy,
    Department,
    MessagePolicy,
    OrderType,
    Table,
    WaitingAction,
    WaitingNews,
)
from tests.asterisk.support.callbacks import promised
from tests.asterisk.support.product import Product, product
from tests.asterisk.support.scene import Scene, soon, until
from tests.browser.browser_users import Desk, Person, desk, person
from tests.browser.screenshots import accessible, shot
from users.model import Role

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

CALLED_BACK, SPOKE, RAISED = "13600005001", "13600005002", "13600005003"
LINE = "12320"
NASTY = "东山路 1 号<img src=x onerror=alert(1)>"


def edited(table: Table) -> Table:
    return replace(
        table,
        waiting_keys={"1": WaitingAction.CALLBACK, "2": WaitingAction.MESSAGE},
        waiting_news=WaitingNews(first_seconds=0),
        callback=CallbackPolicy(),
        message=MessagePolicy(hours=24, longest_seconds=20, silence_seconds=2),
        departments=(Department("water", "供水公司", ("06638760001",), rounds=1),),
        order_types=(OrderType("outage", "供水中断", ("water",), 10),),
    )


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hotline() -> AsyncIterator[Product]:
    home = Path(tempfile.mkdtemp(prefix="hl-"))
    try:
        async with product(home, edit=edited, wait_slice_seconds=2) as running:
            yield running
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def boss(hotline: Product) -> Person:
    return await person(hotline, "boss", Role.SUPERVISOR, "1010")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def three(hotline: Product) -> dict[str, str]:
    """A callback, a message and an urgent order that nobody takes; the call of each."""
    scene = Scene(hotline)
    duty = await hotline.centre("pstn")
    duty.behaves = lambda call: RingForEver()
    await promised(scene, CALLED_BACK)
    speaker = await hotline.citizen().call(LINE, caller=SPOKE, tone_hz=440)
    await scene.fact(SPOKE, Kind.WAITING)
    await speaker.send_digits("2")
    await soon(lambda: scene.heard(speaker, "message-ask") > 0.8, "the caller to be asked to speak", 30)
    began = speaker._phone.now
    await soon(lambda: speaker._phone.now - began > 3, "the speech")
    await speaker.send_digits("#")
    await speaker.ended(30)
    raiser = await hotline.citizen().call(LINE, caller=RAISED)
    await scene.fact(RAISED, Kind.WAITING)
    found: dict[str, str] = {caller: record.call for record in await hotline.calls() if (caller := record.caller)}
    order = {"type": "outage", "place": NASTY, "summary": "水管爆裂", "by": "1001"}
    await hotline.ask(f"/api/calls/{found[RAISED]}/orders", order)
    await raiser.hang_up()

    async def all_there() -> bool:
        lists = [(await hotline.ask(f"/api/{kind}"))[kind] for kind in ("callbacks", "messages", "orders")]
        return all(lists) and lists[2][0]["overdue"]

    await until(all_there, "callback, message and order, the order overdue", 60)
    return found


async def kept(of: Product, action: str) -> list[str]:
    database = open_database(of.settings.database_url)
    try:
        async with database.reading() as session:
            return [entry.act.reason for entry in await of_action(session, action, 100)]
    finally:
        await database.close()


async def opened(here: Desk, boss: Person) -> Page:
    await here.sign_in(boss)
    await here.page.goto(f"{here.home}/#/work")
    await expect(here.page.get_by_role("table", name="待办").locator("tbody tr")).not_to_have_count(0)
    return here.page


def row(page: Page, kind: str) -> Locator:
    return page.locator(f"tr[data-key^='{kind}/']")


def count(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name="类别").get_by_role("button", name=re.compile(name))


async def choose(page: Page, kind: str) -> None:
    """By the arrow keys, as people without a mouse do."""
    keys = [await one.get_attribute("data-key") or "" for one in await page.locator("tr[data-key]").all()]
    for _ in keys:
        await page.keyboard.press("ArrowUp")
    for _ in range(next(place for place, key in enumerate(keys) if key.startswith(kind))):
        await page.keyboard.press("ArrowDown")
    await expect(row(page, kind)).to_have_attribute("aria-selected", "true")


async def reason(page: Page, text: str) -> None:
    await page.get_by_placeholder("原因，会写入审计记录").fill(text)
    await page.keyboard.press("Enter")


async def test_every_promise_is_listed_the_overdue_first_with_counts_as_the_live_topic_has_them(
    here: Desk, browser: Browser, boss: Person, three: dict[str, str]
) -> None:
    page = await opened(here, boss)
    rows = page.get_by_role("table", name="待办").locator("tbody tr")
    await expect(rows).to_have_count(3)
    await expect(rows.first).to_contain_text("■ 无人签收")
    await expect(rows.first).to_contain_text("供水公司")
    await expect(rows.nth(1)).to_contain_text("留言")
    await expect(rows.nth(2)).to_contain_text("已约定回拨")
    for name in ("回拨", "留言", "应急工单"):
        await expect(count(page, name)).to_have_text(re.compile(rf"{name}\s*1"))
    content = await page.content()
    assert not any(number in content for number in (CALLED_BACK, SPOKE, RAISED))
    assert "136****5001" in content
    await expect(page.locator("img[src='x']")).to_have_count(0)  # what an agent typed is text
    await count(page, "留言").click()
    await expect(rows).to_have_count(1)
    await page.get_by_role("group", name="类别").get_by_role("button", name="全部").click()
    await accessible(page)
    await shot(page, "work")
    async with desk(browser, here.product, (1920, 1080)) as wide:
        await opened(wide, boss)
        await shot(wide.page, "work-1920")


async def test_a_message_is_heard_and_its_number_seen_with_a_reason_handed_on_and_closed_by_keyboard(
    here: Desk, boss: Person, three: dict[str, str]
) -> None:
    page = await opened(here, boss)
    await choose(page, "message")
    await page.keyboard.press("L")
    await reason(page, "核实投诉")
    voice = page.locator("audio")
    await expect(voice).to_be_visible()
    await page.wait_for_function("() => document.querySelector('audio').currentTime > 0.5")
    assert await page.evaluate("() => document.querySelector('audio').duration") > 2
    assert await kept(here.product, "look.message") == ["核实投诉"]
    await page.keyboard.press("N")
    await reason(page, "回电市民")
    await expect(row(page, "message")).to_contain_text(SPOKE)
    assert await kept(here.product, "look.number") == ["回电市民"]
    await page.keyboard.press("T")
    await reason(page, "我来处理")
    await expect(row(page, "message")).to_contain_text("由 1010 处理")
    await page.keyboard.press("H")
    asked = page.get_by_role("dialog", name="转派留言")
    await asked.get_by_label("转给哪位座席").fill("1001")
    await page.get_by_role("option", name="1001").wait_for()
    await page.keyboard.press("Enter")
    await asked.get_by_label("原因").fill("原座席跟进")
    await shot(page, "work-hand")
    await page.keyboard.press("Enter")
    await expect(row(page, "message")).to_contain_text("由 1001 处理")
    story = page.get_by_role("link", name="看这次来电的经过")
    assert f"call={three[SPOKE]}" in (await story.get_attribute("href") or "")
    await page.keyboard.press("E")
    await reason(page, "已回电答复")
    await expect(row(page, "message")).to_have_count(0)
    await expect(count(page, "留言")).to_have_text(re.compile(r"留言\s*0"))

    async def sealed() -> bool:
        done = await kept(here.product, "promises.message")
        return done == ["我来处理", "原座席跟进", "已回电答复"]

    await until(sealed, "the deeds to be in the audit", 30)


async def test_a_callback_goes_to_another_group_and_is_cancelled(
    here: Desk, boss: Person, three: dict[str, str]
) -> None:
    page = await opened(here, boss)
    await choose(page, "callback")
    await page.keyboard.press("H")
    asked = page.get_by_role("dialog", name="转派回拨")
    await asked.get_by_label("转给哪个技能组").press("Enter")
    await page.get_by_role("option", name="市场监管").click()
    await asked.get_by_label("原因").fill("市场监管的事")
    await page.keyboard.press("Enter")
    await expect(row(page, "callback")).to_contain_text("市场监管")
    (told,) = await waiting(here.product)
    assert told["group"] == "market"
    await page.keyboard.press("E")
    await reason(page, "市民来电取消")
    await expect(count(page, "回拨")).to_have_text(re.compile(r"回拨\s*0"))
    assert await waiting(here.product) == []


async def waiting(of: Product) -> list[dict[str, Any]]:
    return [one for one in (await of.ask("/api/callbacks"))["callbacks"] if one["closed_at"] is None]


async def test_an_order_nobody_took_is_taken_given_more_time_and_closed(
    here: Desk, boss: Person, three: dict[str, str]
) -> None:
    page = await opened(here, boss)
    await choose(page, "order")
    one = page.get_by_role("region", name="应急工单")
    await expect(one).to_contain_text("水管爆裂")
    await page.keyboard.press("T")
    asked = page.get_by_role("dialog", name="登记签收")
    await asked.get_by_label("对方是谁").fill("王值班")
    await page.keyboard.press("Enter")
    await expect(row(page, "order")).to_contain_text("供水公司 已签收")
    await expect(row(page, "order")).to_contain_text("● 正常")
    await page.keyboard.press("H")
    asked = page.get_by_role("dialog", name="工单延期")
    await asked.get_by_label("原因").fill("等待抢修队")
    await page.keyboard.press("Enter")
    await expect(asked).to_be_hidden()
    await expect(one).to_contain_text("办结时限")
    await shot(page, "work-order")
    await page.keyboard.press("E")
    await reason(page, "已修复")
    await expect(count(page, "应急工单")).to_have_text(re.compile(r"应急工单\s*0"))
    await expect(page.get_by_text("没有要处理的")).to_be_visible()
    (order,) = (await here.product.ask("/api/orders"))["orders"]
    assert order["state"] == "closed"


async def test_an_agent_has_no_such_page(here: Desk) -> None:
    await here.sign_in(await person(here.product, "agent", Role.AGENT, "1001"))
    await expect(here.page.get_by_role("link", name="待办")).to_have_count(0)
