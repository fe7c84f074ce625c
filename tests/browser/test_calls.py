"""Past calls in the page: found, told, heard, and every look at them kept."""

from __future__ import annotations

import asyncio

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from audit.store import of_action
from database.connection import open_database
from ledger.records import CallRecord
from tests.asterisk.support.product import Product
from tests.asterisk.support.scene import Scene, comes_to_hear
from tests.browser.audio_probe import LISTEN
from tests.browser.browser_users import Desk, Person, person
from tests.browser.screenshots import accessible
from users.model import Role

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

CALLER = "13800138765"
NASTY = "<img src=x onerror=alert(1)><script>alert(2)</script>"
CITIZEN_HZ, SEAT_HZ = 440, 880


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def told(hotline: Product) -> CallRecord:
    """One call: answered at seat 8001, spoken on both sides, transferred to 110 and back, with a nasty note."""
    scene = Scene(hotline)
    seat = await scene.agent("1001", "8001", SEAT_HZ)
    centre = await scene.far_end("emergency-110")
    call = await hotline.citizen().call("12345", caller=CALLER, tone_hz=CITIZEN_HZ)
    talk = await seat.wait_talking(20)
    await comes_to_hear(call, SEAT_HZ)
    live = await scene.record(CALLER)
    assert live is not None
    await hotline.ask(f"/api/calls/{live.call}/note", {"address": NASTY, "summary": "水管爆裂"})
    await hotline.ask(f"/api/calls/{live.call}/transfer", {"target": "110"})
    there = await centre.wait_talking(20)
    await comes_to_hear(call, SEAT_HZ)
    await there.hang_up()
    await comes_to_hear(call, SEAT_HZ)
    await asyncio.sleep(1)  # of talk, to be recorded
    await talk.hang_up()
    await call.hang_up()
    return await scene.told(CALLER)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def staff(hotline: Product) -> dict[str, Person]:
    """Somebody of every role, and an agent who has taken no call."""
    return {
        "boss": await person(hotline, "boss", Role.SUPERVISOR, "1010"),
        "auditor": await person(hotline, "auditor", Role.AUDITOR),
        "own": await person(hotline, "own", Role.AGENT, "1001"),
        "other": await person(hotline, "other", Role.AGENT, "1002"),
    }


async def opened(here: Desk, who: Person, call: CallRecord) -> Page:
    await here.sign_in(who)
    await here.page.goto(f"{here.home}/#/calls?call={call.call}")
    await expect(here.page.get_by_role("dialog", name="来电经过")).to_be_visible()
    return here.page


async def give_reason(page: Page, reason: str) -> None:
    await page.get_by_placeholder("原因，会写入审计记录").fill(reason)
    await page.keyboard.press("Enter")


async def kept(product: Product, action: str) -> list[tuple[str, str]]:
    database = open_database(product.settings.database_url)
    try:
        async with database.reading() as session:
            return [(entry.act.action, entry.act.reason) for entry in await of_action(session, action, 100)]
    finally:
        await database.close()


async def test_a_supervisor_finds_the_call_by_keyboard_and_its_number_is_revealed_with_a_reason(
    here: Desk, told: CallRecord, staff: dict[str, Person]
) -> None:
    await here.sign_in(staff["boss"])
    page = here.page
    await page.goto(f"{here.home}/#/calls")
    await expect(page.locator(f"tr[data-call='{told.call}']")).to_contain_text("138****8765")
    await page.keyboard.press("/")
    await page.keyboard.type("8765")
    await page.keyboard.press("Enter")
    row = page.get_by_role("table", name="来电记录").locator("tbody tr")
    await expect(row).to_have_count(1)
    assert await kept(here.product, "look.caller") == [("look.caller", "")]
    await row.focus()
    await page.keyboard.press("Enter")
    story = page.get_by_role("dialog", name="来电经过")
    await expect(story.get_by_label("谁在什么时候在通话里")).to_contain_text("110")
    await expect(story.get_by_label("经过", exact=True)).to_contain_text("一键转接 110：已接听，三方通话")
    assert CALLER not in await page.content()
    assert "水管爆裂" not in await page.content()
    await story.get_by_role("button", name="显示号码和案情").click()
    await give_reason(page, "市民要求核对")
    await expect(story).to_contain_text(CALLER)
    await expect(story).to_contain_text(f"{NASTY}：水管爆裂")  # as text, and the policy had nothing to refuse
    assert await kept(here.product, "look.number") == [("look.number", "市民要求核对")]
    await page.keyboard.press("Escape")
    await expect(story).to_be_hidden()
    await expect(row).to_be_focused()


async def test_the_recording_plays_in_the_page_with_its_waveform_marks_and_sides(
    here: Desk, told: CallRecord, staff: dict[str, Person]
) -> None:
    page = await opened(here, staff["auditor"], told)
    await page.get_by_role("button", name="听录音").click()
    await give_reason(page, "质检抽查")
    slider = page.get_by_role("slider", name="播放位置")
    await expect(slider).to_be_focused()
    await expect(slider).not_to_have_attribute("aria-valuemax", "0")
    await page.keyboard.press("Space")
    assert await kept(here.product, "look.recording") == [("look.recording", "质检抽查")]
    heard = await page.evaluate(LISTEN)
    assert heard["went"] > 0.8
    assert heard["peak"] in range(CITIZEN_HZ - 60, SEAT_HZ + 60)
    drawn = await page.evaluate(DARK)
    assert drawn > 500, "a waveform is there"
    await page.keyboard.press("k")
    await expect(page.get_by_role("button", name="播放 K")).to_be_visible()
    for side, hz in (("市民", CITIZEN_HZ), ("座席", SEAT_HZ)):
        await page.get_by_role("region", name="录音").get_by_text(side, exact=True).click()
        await slider.press("Home")
        await page.keyboard.press("k")
        found = await page.evaluate(LISTEN)
        assert abs(found["peak"] - hz) < 60, side
        await page.keyboard.press("k")
    await slider.press("Home")
    await expect(slider).to_have_attribute("aria-valuenow", "0")
    await page.get_by_role("button", name="110 已接听，三方通话").click()
    await page.wait_for_function("document.querySelector('audio').currentTime > 0")


async def test_an_export_is_a_file_and_a_reason_of_its_own(
    here: Desk, told: CallRecord, staff: dict[str, Person]
) -> None:
    page = await opened(here, staff["boss"], told)
    await page.get_by_role("button", name="导出录音").click()
    async with page.expect_download() as downloading:
        await give_reason(page, "公安机关调取")
    download = await downloading.value
    assert download.suggested_filename == f"{told.call}.wav"
    assert (await download.path()).stat().st_size > 8000
    assert await kept(here.product, "look.export") == [("look.export", "公安机关调取")]


async def test_an_agent_finds_own_calls_and_nobody_elses_and_hears_none(
    here: Desk, told: CallRecord, staff: dict[str, Person]
) -> None:
    page = await opened(here, staff["own"], told)
    await expect(page.get_by_label("经过", exact=True)).to_contain_text("12345")
    await expect(page.get_by_role("button", name="听录音")).to_have_count(0)


async def test_an_agent_does_not_find_another_agents_call(
    here: Desk, told: CallRecord, staff: dict[str, Person]
) -> None:
    await here.sign_in(staff["other"])
    await here.page.goto(f"{here.home}/#/calls")
    await expect(here.page.get_by_text("没有找到来电")).to_be_visible()
    await here.page.goto(f"{here.home}/#/calls?call={told.call}")
    await expect(here.page.get_by_text("不是您接的")).to_be_visible()


async def test_an_auditor_may_hear_and_may_not_see_the_number(
    here: Desk, told: CallRecord, staff: dict[str, Person]
) -> None:
    page = await opened(here, staff["auditor"], told)
    await expect(page.get_by_role("button", name="听录音")).to_be_visible()
    await expect(page.get_by_role("button", name="显示号码和案情")).to_have_count(0)


@pytest.mark.parametrize("call", ["..%2F..%2Fsecrets.json", "%2e%2e", "hl1-1.1/../x", "<script>"])
async def test_a_path_in_place_of_a_call_leads_nowhere(here: Desk, staff: dict[str, Person], call: str) -> None:
    await here.sign_in(staff["boss"])
    await here.page.goto(f"{here.home}/#/calls?call={call}")
    await expect(here.page.get_by_role("alert").filter(has_text="不是呼叫编号")).to_be_visible()


async def test_list_and_story_have_no_serious_fault_of_accessibility(
    here: Desk, told: CallRecord, staff: dict[str, Person]
) -> None:
    await here.sign_in(staff["boss"])
    await here.page.goto(f"{here.home}/#/calls")
    await expect(here.page.locator("tr[data-call]").first).to_be_visible()
    await accessible(here.page)
    await here.page.goto(f"{here.home}/#/calls?call={told.call}")
    await expect(here.page.get_by_label("经过", exact=True)).to_be_visible()
    await accessible(here.page)


DARK = """() => {
  const area = document.querySelector("canvas");
  const { data } = area.getContext("2d").getImageData(0, 0, area.width, 20);
  let dark = 0;
  for (let at = 0; at < data.length; at += 4) if (data[at + 3] === 255) dark++;
  return dark;
}"""
"""Points that are painted in the upper part of the waveform."""
