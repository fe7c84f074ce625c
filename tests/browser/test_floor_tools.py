"""A supervisor's tools on the floor, worked from the page by keyboard with real phones: who hears whom, by tones."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from ledger.model import Kind
from phones.phone import PhoneCall
from phones.seat_phone import SeatPhone
from routing.model import Table
from telephony.model import GroupId
from tests.asterisk.support.product import Product, product
from tests.asterisk.support.scene import (
    Scene,
    hear_each_other,
    hears,
    soon,
    until,
    with_agents,
    with_groups,
)
from tests.browser.browser_users import Desk, Person, person
from tests.browser.screenshots import accessible, shot
from users.model import Role

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

CITIZEN_HZ, SEAT_HZ, BOSS_HZ = 440, 880, 1300
CALLER = "13700000301"
RAISED = "announcement-disaster"
"""The sample table keeps it ready."""

SECONDS = 30_000
"""For what the product has to do first, ms."""


def edited(table: Table) -> Table:
    """Agents 1001 (general) and 1007 (market alone); 1010 is the supervisor."""
    boss = next(agent for agent in table.agents if agent.id == "1010")
    few = with_agents(with_groups(table), {"1001": ("general",), "1007": ("market",)})
    return replace(few, agents=(*few.agents, replace(boss, groups=(GroupId("general"),))))


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


@dataclass(frozen=True)
class Talk:
    scene: Scene
    call: PhoneCall
    talk: PhoneCall
    boss: SeatPhone


@pytest_asyncio.fixture(loop_scope="module")
async def three(hotline: Product) -> AsyncIterator[Talk]:
    """A citizen and agent 1001 talk; the supervisor has a phone and takes no calls."""
    scene = Scene(hotline)
    phone = await hotline.seat("8010", tone_hz=BOSS_HZ)
    await hotline.ask("/api/agents/1010/sign-in", {"seat": "8010"})
    await hotline.ask("/api/agents/1010/pause", {"reason": "会议"})
    seat = await scene.agent("1001", "8001", SEAT_HZ)
    call = await hotline.citizen().call("12345", caller=CALLER, tone_hz=CITIZEN_HZ)
    talk = await seat.wait_talking(20)
    await scene.seat_becomes("8001", "talking")
    yield Talk(scene, call, talk, phone)
    await scene.clear()


async def on_the_floor(here: Desk, boss: Person) -> Page:
    await here.sign_in(boss)
    await expect(here.page).to_have_title("现场 · 12345 热线")
    return here.page


async def choose(page: Page, agent: str) -> None:
    """By finding the agent and the arrow keys: no mouse."""
    await page.keyboard.press("/")
    await page.keyboard.type(agent)
    await page.keyboard.press("Tab")
    await page.keyboard.press("ArrowDown")
    await expect(page.locator(f"tr[data-agent='{agent}']")).to_have_attribute("aria-selected", "true")


async def give(page: Page, dialog: str, reason: str) -> None:
    """A reason, as the dialog that the key opened asks for it."""
    asked = page.get_by_role("dialog", name=dialog)
    await expect(asked.get_by_role("textbox")).to_be_focused()
    await page.keyboard.type(reason)
    await page.keyboard.press("Enter")
    await expect(asked).to_be_hidden()


def hears_both(spy: PhoneCall) -> bool:
    now = monotonic()
    return all(hears(spy, hz, now - 1.2, now - 0.2) > 0.8 for hz in (CITIZEN_HZ, SEAT_HZ))


async def who_hears_the_boss(three: Talk, spy: PhoneCall) -> tuple[bool, bool]:
    """Once the supervisor hears both: do the citizen and the agent hear the supervisor, for a whole second?"""
    await soon(lambda: hears_both(spy), "the supervisor to hear both")
    await asyncio.sleep(1.3)
    now = monotonic()
    assert hears(three.call, SEAT_HZ, now - 1.2, now - 0.2) > 0.8, "the two talk on"
    assert hears(three.talk, CITIZEN_HZ, now - 1.2, now - 0.2) > 0.8, "the two talk on"
    shares = [hears(one, BOSS_HZ, now - 1.2, now - 0.2) for one in (three.call, three.talk)]
    assert all(share < 0.05 or share > 0.8 for share in shares), shares
    return shares[0] > 0.8, shares[1] > 0.8


async def test_from_the_page_listen_is_heard_by_nobody_whisper_by_the_agent_barge_by_both(
    here: Desk, boss: Person, three: Talk
) -> None:
    page = await on_the_floor(here, boss)
    await expect(page.locator("tr[data-agent='1001']")).to_contain_text("通话中", timeout=SECONDS)
    await choose(page, "1001")
    for key, name, heard in (("L", "监听", (False, False)), ("W", "密语", (False, True)), ("B", "强插", (True, True))):
        await page.keyboard.press(key)
        await give(page, f"{name} 1001", f"质检{name}")
        await expect(page.get_by_text("话机 8010 正在振铃，请接起").first).to_be_visible()
        spy = await three.boss.wait_talking(20)
        assert await who_hears_the_boss(three, spy) == heard, name
        if key == "B":
            await accessible(page)
            await shot(page, "floor-barge")
        await spy.hang_up()
        await soon(lambda: not three.boss.calls[-1].is_talking, "the supervisor's phone to be free")
    deeds = [fact.data for fact in await three.scene.story(CALLER) if fact.kind is Kind.OPERATOR_ACTION]
    assert [(deed["what"], deed["reason"]) for deed in deeds] == [
        ("listen", "质检监听"), ("whisper", "质检密语"), ("barge", "质检强插"),
    ]  # fmt: skip


async def test_from_the_page_a_talk_is_taken_over_and_the_agent_is_free(here: Desk, boss: Person, three: Talk) -> None:
    page = await on_the_floor(here, boss)
    await expect(page.locator("tr[data-agent='1001']")).to_contain_text("通话中", timeout=SECONDS)
    await choose(page, "1001")
    await page.keyboard.press("T")
    await give(page, "接管 1001", "投诉升级")
    taken = await three.boss.wait_talking(20)
    await three.talk.ended(20)
    await hear_each_other((three.call, CITIZEN_HZ), (taken, BOSS_HZ), seconds=20)
    await expect(page.locator("tr[data-agent='1001']")).to_contain_text("示闲", timeout=SECONDS)
    await page.get_by_label("找座席").fill("")
    await expect(page.locator("tr[data-agent='1010']")).to_contain_text("通话中", timeout=SECONDS)


async def test_from_the_page_a_waiting_call_is_moved_and_the_other_group_s_agent_has_it_at_its_age(
    here: Desk, boss: Person, three: Talk
) -> None:
    page, scene = await on_the_floor(here, boss), three.scene
    other = await scene.agent("1007", "8007", 960)
    waiter = await here.product.citizen().call("12345", caller="13700000302", tone_hz=520)
    queue = page.get_by_role("region", name="排队")
    await expect(queue.get_by_text("137****0302")).to_be_visible(timeout=SECONDS)
    await page.keyboard.press("M")
    asked = page.get_by_role("dialog", name="移动来电 137****0302")
    await expect(asked).to_be_visible()
    choice = asked.get_by_label("移到哪个技能组")
    await choice.focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("option", name="市场监管").first.wait_for()
    for _ in range(await place_of(page, "市场监管")):
        await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await asked.get_by_label("原因").focus()
    await page.keyboard.type("市场监管的事")
    await page.keyboard.press("Enter")
    talk = await other.wait_talking(20)
    await hear_each_other((waiter, 520), (talk, 960), seconds=20)
    await expect(queue.get_by_text("没有人在排队")).to_be_visible()
    moved = [fact.data for fact in await scene.story("13700000302") if fact.kind is Kind.OPERATOR_ACTION]
    assert [(deed["what"], deed["to"], deed["reason"]) for deed in moved] == [("move", "market", "市场监管的事")]


async def place_of(page: Page, name: str) -> int:
    """How often the arrow goes down to this choice of an open list."""
    names = [text.strip() for text in await page.get_by_role("option").all_inner_texts() if text.strip()]
    return next(place for place, text in enumerate(names, 1) if name in text)


async def test_from_the_page_an_announcement_is_heard_by_who_calls_until_it_is_stopped(
    here: Desk, boss: Person, three: Talk
) -> None:
    page, scene = await on_the_floor(here, boss), three.scene
    said = page.get_by_role("region", name="公告").locator("li").filter(has_text="受灾情影响")
    await said.get_by_role("button", name="播给所有来电").focus()
    await page.keyboard.press("Enter")
    await give(page, "播给所有来电", "台风")
    await expect(said.get_by_text("正在播")).to_be_visible()
    hearer = await here.product.citizen().call("12345", caller="13700000303")
    await soon(lambda: scene.heard(hearer, RAISED) > 0.75, "the announcement to be heard", 30)
    await said.get_by_role("button", name="停止").focus()
    await page.keyboard.press("Enter")
    await give(page, "停止播报", "解除")
    await expect(said.get_by_text("正在播")).to_be_hidden()
    later = await here.product.citizen().call("12345", caller="13700000304")
    await scene.fact("13700000304", Kind.WAITING)
    assert scene.heard(later, RAISED) < 0.6

    async def told() -> bool:
        rows = (await here.product.ask("/api/announcements"))["announcements"]
        return not any(row["raised"] for row in rows)

    await until(told, "no announcement to be raised")
