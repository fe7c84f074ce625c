"""The pictures of the manuals: a hotline at work, and each page as the one sees it whose manual it is.

``make pictures`` has them taken, with those of the other browser tests, and puts the ones that the manuals show into
docs/images. Without it the pages are gone through all the same: a manual that tells of what is no longer there fails.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from config.process_identity import ProcessIdentity
from ledger.records import CallRecord
from phones.phone import Answer
from phones.seat_phone import SeatPhone
from tests.asterisk.support.product import Product
from tests.asterisk.support.scene import Scene, comes_to_hear
from tests.browser import screenshots
from tests.browser.browser_users import Desk, desk, person
from users.model import Role

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

TOLD_HZ, SEAT_HZ = 440, 880
FINISHED = "13800000001"
WALL = (1920, 1080)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def story(hotline: Product) -> CallRecord:
    """A call that was answered, noted and handed to 110; afterwards seat 8002 is free."""
    scene = Scene(hotline)
    seat = await scene.agent("1002", "8002", SEAT_HZ)
    centre = await scene.far_end("emergency-110")
    call = await hotline.citizen().call("12333", caller=FINISHED, tone_hz=TOLD_HZ)
    talk = await seat.wait_talking(20)
    await comes_to_hear(call, SEAT_HZ)
    live = await scene.record(FINISHED)
    assert live is not None
    note = {"address": "示例路 1 号", "summary": "楼道着火，有人被困（示例）"}
    await hotline.ask(f"/api/calls/{live.call}/note", note)
    await hotline.ask(f"/api/calls/{live.call}/transfer", {"target": "110"})
    there = await centre.wait_talking(20)
    await comes_to_hear(call, SEAT_HZ)
    await talk.hang_up()
    await there.hang_up()
    await call.hang_up()
    return await scene.told(FINISHED)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def busy(hotline: Product, story: CallRecord) -> AsyncIterator[dict[str, SeatPhone]]:
    """Two agents who talk, one who pauses, and two citizens who wait; seat 8004 is nobody's yet."""
    scene = Scene(hotline)
    seats = {
        "8001": await scene.agent("1001", "8001", SEAT_HZ),
        "8003": await scene.agent("1003", "8003", SEAT_HZ),
    }
    await hotline.ask("/api/agents/1002/pause", {"reason": "用餐"})
    calls = []
    for number, caller in enumerate(("13800000002", "13800000003", "13800000004", "13800000005")):
        calls.append(await hotline.citizen().call("12315" if number % 2 else "12345", caller=caller, tone_hz=TOLD_HZ))
    for phone in seats.values():
        await phone.wait_talking(20)
    yield seats
    for call in calls:
        await call.hang_up()


async def shot(page: Page, name: str) -> None:
    """The picture of this name, for the manuals."""
    await page.evaluate("document.activeElement?.blur()")
    await screenshots.shot(page, name)


async def to(here: Desk, path: str) -> Page:
    await here.page.goto(f"{here.home}/#{path}")
    return here.page


async def test_the_agents_pictures(here: Desk) -> None:
    page, product = here.page, here.product
    await here.sign_in(await person(product, "agent", Role.AGENT, "1009"))
    phone = await product.seat("8004", tone_hz=SEAT_HZ)
    centre = await Scene(product).far_end("emergency-110", behaviour=Answer(after=3))
    await expect(page.get_by_label("座席号")).to_be_visible()
    await shot(page, "desk-sign-in")
    await page.get_by_label("座席号").fill("8004")
    await page.keyboard.press("Enter")
    state = page.get_by_label("座席状态").get_by_role("status")
    await expect(state).to_have_text("示闲")
    await shot(page, "desk")
    call = await product.citizen().call("12333", caller="13800000006")
    await phone.wait_talking(20)
    await expect(page.get_by_label("来电", exact=True)).to_contain_text("通话中")
    await page.get_by_label("地址").fill("示例路 1 号")
    await page.get_by_label("案情").fill("三楼厨房着火，有一人被困（示例）")
    await page.keyboard.press("Control+Alt+1")
    await expect(page.get_by_test_id("progress")).to_contain_text("呼叫中")
    await expect(page.get_by_test_id("progress")).to_contain_text("已接听，三方通话")
    await shot(page, "desk-transfer")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="键盘快捷键")).to_be_visible()
    await shot(page, "desk-keys")
    await page.keyboard.press("Escape")
    (talk,) = [one for one in phone.calls if one.is_talking]
    await talk.hang_up()
    await expect(state).to_have_text("话后整理")
    await shot(page, "desk-wrap-up")
    await call.hang_up()
    await page.get_by_role("button", name="签出").click()
    await page.get_by_role("dialog", name="签出").get_by_role("button", name="确定").click()
    await expect(state).to_have_text("未签入")
    await centre.close()


async def test_the_supervisors_pictures(here: Desk, browser: Browser, busy: dict[str, SeatPhone]) -> None:
    boss = await person(here.product, "boss", Role.SUPERVISOR, "1010")
    async with desk(browser, here.product, WALL) as wall:
        await wall.sign_in(boss)
        await to(wall, "/wall")
        await expect(wall.page.get_by_role("region", name="通话", exact=True)).to_contain_text("2")
        await expect(wall.page.get_by_role("region", name="排队", exact=True)).to_contain_text("2")
        await shot(wall.page, "wall")
    await here.sign_in(boss)
    page = await to(here, "/floor")
    await expect(page.locator("tr[data-agent='1001']")).to_contain_text("通话中")
    await expect(page.get_by_role("region", name="排队")).to_contain_text("138****")
    await shot(page, "floor")
    await to(here, "/charts")
    asked = page.get_by_role("region", name="排班试算")
    await asked.get_by_label("每小时来电").fill("120")
    await asked.get_by_label("通话（秒）").fill("180")
    await asked.get_by_role("button", name="试算").click()
    await expect(asked.get_by_role("status")).to_contain_text("7.0 爱尔兰")
    await expect(asked.get_by_role("img", name="座席数与接听率").locator("canvas")).to_be_visible()
    await shot(page, "charts")


async def test_pictures_of_past_calls(here: Desk, story: CallRecord, busy: dict[str, SeatPhone]) -> None:
    await here.sign_in(await person(here.product, "reader", Role.SUPERVISOR, "1011"))
    page = await to(here, "/calls")
    await expect(page.get_by_role("row").filter(has_text="12333").first).to_be_visible()
    await shot(page, "calls")
    await to(here, f"/calls?call={story.call}")
    await expect(page.get_by_role("dialog", name="来电经过")).to_be_visible()
    await shot(page, "calls-story")


async def test_the_admins_pictures(here: Desk) -> None:
    page, product = here.page, here.product
    for name, child in (("asterisk", product.switch), ("engine", product.engine)):
        known = ProcessIdentity.of(child.pid) if child is not None else None
        assert known is not None
        known.save(product.settings.run_dir / f"{name}.child.json")  # as `up` does: its ports are its own
    await page.goto(here.home)
    await expect(page.get_by_role("button", name="登录")).to_be_visible()
    await shot(page, "sign-in")
    await here.sign_in(await person(product, "keeper", Role.ADMIN))
    await to(here, "/routing")
    await page.get_by_role("tab", name="表格").click()
    await page.get_by_role("group", name="路由表的各张表").get_by_role("button", name="归并号码").click()
    await page.get_by_role("region", name="归并号码的各行").get_by_role("button", name="12333", exact=True).click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await shot(page, "routing")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await page.get_by_role("tab", name="推算去向").click()
    await page.get_by_label("市民拨打").fill("12333")
    await page.keyboard.press("Enter")
    await expect(page.locator("section.picture img")).not_to_have_js_property("naturalWidth", 0)
    await shot(page, "routing-try")
    for path, words in (("/phones", "话机"), ("/users", "keeper"), ("/health", "故障")):
        await to(here, path)
        await expect(page.get_by_role("main").last).to_contain_text(words)
        for row in await page.locator("tbody tr").filter(has_text="/").all():
            await row.evaluate("one => one.hidden = true")  # folders of the machine that takes the pictures
        await shot(page, path.removeprefix("/"))


async def test_the_auditors_picture(here: Desk) -> None:
    await here.sign_in(await person(here.product, "auditor", Role.AUDITOR))
    page = await to(here, "/audit")
    await expect(page.get_by_role("row").nth(1)).to_be_visible()
    await shot(page, "audit")
