"""One call through all that people have of it: two pages, SIPp as citizen and as 110, and the story afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from ledger.model import Kind
from phones import sounds
from phones.load import CalleeLoad
from phones.sipp_citizen import SippCall, SippCitizen
from phones.tones import tone_share
from tests.asterisk.support.product import Product
from tests.asterisk.support.scene import Scene, soon
from tests.browser.audio_probe import LISTEN, PAGE_HZ, PEERS, bar, page_hears, says
from tests.browser.browser_users import Desk, desk, person
from users.model import Role

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

CITIZEN_HZ, CENTRE_HZ = 440, 700
CALLER = "13800139876"
CENTRE_TALKS_SECONDS = 14
"""So long 110 stays after its answer: time for the agent to hear it, to leave, and for the two to talk on."""


@pytest_asyncio.fixture(loop_scope="module")
async def agent(hotline: Product, voiced: Browser) -> AsyncIterator[Desk]:
    """An agent's page; nothing but the sign-in to the console is done."""
    async with desk(voiced, hotline) as made:
        await made.page.context.add_init_script(PEERS)
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def centre(hotline: Product, tmp_path: Path) -> AsyncIterator[CalleeLoad]:
    """110 by SIPp: rings for a second, answers, speaks at 700 Hz and hangs up."""
    voice = tmp_path / "110.alaw"
    voice.write_bytes(b"".join(sounds.tone(CENTRE_HZ, seconds=2)))
    made = CalleeLoad(
        hotline.settings.bind, hotline.settings.sip_port, local_port=hotline.table.trunks["emergency-110"].port,
        ring=1, talk=CENTRE_TALKS_SECONDS, audio=voice,
    )  # fmt: skip
    async with made:
        await Scene(hotline).notice("emergency-110", "Avail")
        yield made


async def test_from_ring_to_story_with_a_page_that_answers_and_sipp_on_both_other_sides(
    hotline: Product, browser: Browser, agent: Desk, centre: CalleeLoad
) -> None:
    page, scene = agent.page, Scene(hotline)
    await agent.sign_in(await person(hotline, "agent", Role.AGENT, "1002"))
    await bar(page).get_by_role("button", name="打开网页电话").click()
    await says(page, "网页电话就绪")
    seat = page.get_by_label("座席号")
    await expect(seat).to_have_value("1002")  # the page's own phone
    await seat.press("Enter")
    state = page.get_by_label("座席状态").get_by_role("status")
    await expect(state).to_have_text("示闲")

    async with SippCitizen(hotline.settings.bind, hotline.settings.sip_port) as citizen:
        call = await citizen.call("12333", caller=CALLER, tone_hz=CITIZEN_HZ)
        await expect(page.get_by_label("来电", exact=True).get_by_test_id("line")).to_have_text("12333 人社")
        await says(page, "来电")
        await page.keyboard.press("Alt+A")
        await says(page, "通话中")
        await page_hears(page, CITIZEN_HZ)
        await citizen_hears(call, PAGE_HZ, 0.3)

        await page.keyboard.press("Alt+H")
        await says(page, "保持中")
        await expect(state).to_have_text("保持中")
        await citizen_hears_no(call, PAGE_HZ)
        await page.keyboard.press("Alt+H")
        await says(page, "通话中")
        await citizen_hears(call, PAGE_HZ, 0.3)

        await page.get_by_label("案情").fill("三楼着火")
        await page.keyboard.press("Control+Alt+1")
        progress = page.get_by_test_id("progress")
        await expect(progress).to_contain_text("呼叫中")
        await expect(progress).to_contain_text("已接听，三方通话")
        await page_hears(page, CENTRE_HZ)
        await citizen_hears(call, CENTRE_HZ, 0.3)
        await page.keyboard.press("Alt+X")
        await expect(state).to_have_text("话后整理")
        await expect(progress).to_contain_text("座席已离开，对方与市民通话")
        await citizen_hears(call, CENTRE_HZ, 0.7)

        live = await scene.record(CALLER)
        assert live is not None
        await scene.fact(CALLER, Kind.RATING_ASKED, seconds=CENTRE_TALKS_SECONDS + 20)
        await asyncio.sleep(1)  # the question is on
        await call.send_digits("5")
        await call.ended(30)
    assert (await centre.stop()).answered == 1
    record = await scene.told(CALLER)
    assert (record.number, record.agent, record.seat, record.rating_level) == ("12333", "1002", "1002", 5)

    async with desk(browser, hotline) as boss:
        await boss.sign_in(await person(hotline, "boss", Role.SUPERVISOR, "1010"))
        await told(boss.page, boss.home, record.call)


async def told(page: Page, home: str, call: str) -> None:
    """The story tells it all, and the recording plays what was said."""
    await page.goto(f"{home}/#/calls?call={call}")
    story = page.get_by_role("dialog", name="来电经过")
    steps = story.get_by_label("经过", exact=True)
    for step in (
        "拨打 12333",
        "播放12333 人社过渡期提示音",
        "接听",
        "一键转接 110：已接听，三方通话",
        "座席已离开",
        "评价",
    ):
        await expect(steps).to_contain_text(step)
    await expect(story.get_by_label("谁在什么时候在通话里")).to_contain_text("110")
    await story.get_by_role("button", name="听录音").click()
    await page.get_by_placeholder("原因，会写入审计记录").fill("质检抽查")
    await page.keyboard.press("Enter")
    slider = page.get_by_role("slider", name="播放位置")
    await expect(slider).to_be_focused()
    await expect(slider).not_to_have_attribute("aria-valuemax", "0")
    await story.get_by_role("button", name="110 已接听，三方通话").click()
    await page.keyboard.press("k")
    heard = await page.evaluate(LISTEN)
    assert heard["went"] > 0.8
    assert min(abs(heard["peak"] - hz) for hz in (CITIZEN_HZ, CENTRE_HZ, PAGE_HZ)) < 60


async def citizen_hears(call: SippCall, hz: float, share: float) -> None:
    """For a second and a half, and so much of it; the page's voice comes in bursts."""

    def heard() -> bool:
        now = monotonic()
        return tone_share(call.heard.pcm(now - 1.7, now - 0.2), hz) > share

    await soon(heard, f"the citizen to hear {hz} Hz", 20)


async def citizen_hears_no(call: SippCall, hz: float) -> None:
    """For a second and a half."""

    def quiet() -> bool:
        now = monotonic()
        return tone_share(call.heard.pcm(now - 1.7, now - 0.2), hz) < 0.05

    await soon(quiet, f"the citizen to hear {hz} Hz no more", 20)
