"""The agent's desk: what somebody who answers calls sees and does, on a real hotline, with a telephone at the seat."""

from __future__ import annotations

import gzip
import re
import signal
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from engine.website import PAGES
from ledger.model import Kind
from phones.phone import Answer, PhoneCall, Refuse
from phones.seat_phone import SeatPhone
from tests.asterisk.support.product import Product, until
from tests.browser.browser_users import WAIT_MS, Desk, Person, person
from tests.browser.screenshots import accessible
from users.model import Role

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

NASTY = "<script>document.title='hurt'</script><img src=x onerror=alert(1)>"
JS_LIMIT_BYTES = 600_000
PAINT = """() => new Promise(told => new PerformanceObserver(list => {
    const found = list.getEntriesByName('first-contentful-paint')[0];
    if (found) told(found.startTime);
}).observe({type: 'paint', buffered: true}))"""
"""When something was first painted, in ms; waits for it: the browser tells of it after the fact."""

CALLER = "13800001234"


async def at_seat(here: Desk, name: str, agent: str, seat: str) -> SeatPhone:
    """Signs in to the console and, on the page, at a seat whose telephone is there."""
    phone = await here.product.seat(seat, tone_hz=880)
    await here.sign_in(await someone(here.product, name, agent))
    await here.page.get_by_label("座席号").fill(seat)
    await here.page.keyboard.press("Enter")
    await expect(state(here.page)).to_have_text("示闲")
    return phone


_PEOPLE: dict[str, Person] = {}


async def someone(product: Product, name: str, agent: str) -> Person:
    if name not in _PEOPLE:
        _PEOPLE[name] = await person(product, name, Role.AGENT, agent)
    return _PEOPLE[name]


def state(page: Page) -> Locator:
    """The big word: what the agent is doing."""
    return page.get_by_label("座席状态").get_by_role("status")


async def noted(product: Product, caller: str, text: str) -> bool:
    record = next((one for one in await product.calls() if one.caller == caller), None)
    facts = [] if record is None else await product.facts(record.call)
    return any(fact.kind is Kind.NOTED and fact.data.get("summary") == text for fact in facts)


async def fits(page: Page) -> None:
    """Nothing of the page is below or beside the screen."""
    wide = "e => [e.scrollHeight - e.clientHeight, e.scrollWidth - e.clientWidth]"
    for where in ("html", "main", "main .page"):
        assert await page.locator(where).evaluate(wide) == [0, 0], where


async def clear(phone: SeatPhone, page: Page) -> None:
    await page.get_by_role("button", name="签出").click()
    await page.get_by_role("dialog", name="签出").get_by_role("button", name="确定").click()
    await expect(state(page)).to_have_text("未签入")
    await phone.close()


@pytest.mark.smoke
async def test_an_agent_answers_12333_notes_brings_in_110_by_one_key_leaves_and_is_ready_again(here: Desk) -> None:
    page = here.page
    centre = await here.product.centre("emergency-110", behaviour=Answer(after=3))
    phone = await at_seat(here, "agent-a", "1002", "8001")
    call = await here.product.citizen().call("12333", caller=CALLER)
    card = page.get_by_label("来电", exact=True)
    await expect(card.get_by_test_id("line")).to_have_text("12333 人社")
    await expect(card).to_contain_text("138****1234")
    await fits(page)
    await phone.wait_talking(20)
    await expect(card).to_contain_text("通话中")
    await expect(state(page)).to_have_text("通话中")
    await page.keyboard.press("F2")
    await page.keyboard.type("东山路 1 号")
    await page.keyboard.press("Tab")
    await page.keyboard.type(NASTY)
    await expect(page.get_by_test_id("saving")).to_have_text("✓ 已保存")
    await until(lambda: noted(here.product, CALLER, NASTY), "the note to be in the ledger", 20)

    await page.reload()  # as after a crash: everything is back, with nobody's hand
    await expect(card.get_by_test_id("line")).to_have_text("12333 人社")
    await expect(page.get_by_label("案情")).to_have_value(NASTY)
    await expect(page.get_by_label("地址")).to_have_value("东山路 1 号")
    assert "hurt" not in await page.title()

    await page.get_by_label("案情").fill("三楼厨房着火，有一人被困")
    await expect(page.get_by_test_id("saving")).to_have_text("✓ 已保存")
    progress = page.get_by_test_id("progress")
    await page.keyboard.press("Control+Alt+1")
    await page.keyboard.press("Control+Alt+1")  # a double press does nothing more
    await expect(progress).to_contain_text("110")
    await expect(progress).to_contain_text("呼叫中")
    await expect(progress).to_contain_text("已接听，三方通话")
    assert len(centre.calls) == 1
    await expect(page.locator(".el-message")).to_have_count(0)  # and nothing is complained about
    await expect(card.get_by_test_id("caller")).to_have_text("138****1234")
    await accessible(page)
    await fits(page)
    (talk,) = [one for one in phone.calls if one.is_talking]
    await talk.hang_up()
    await expect(state(page)).to_have_text("话后整理")
    await expect(page.get_by_label("座席状态")).to_contain_text("还剩")
    await page.get_by_label("案情").fill("三楼着火，已转 110")
    await expect(page.get_by_test_id("saving")).to_have_text("✓ 已保存")
    await page.keyboard.press("F8")
    await expect(state(page)).to_have_text("示闲")
    await until(lambda: noted(here.product, CALLER, "三楼着火，已转 110"), "what was typed in the wrap-up", 20)
    await call.hang_up()
    await clear(phone, page)
    await centre.close()


async def test_a_centre_that_is_not_reached_is_told_loudly_and_the_caller_stays(here: Desk) -> None:
    page = here.page
    lines = [await here.product.centre(f"emergency-119{more}", behaviour=Refuse(486)) for more in ("", "-backup")]
    phone = await at_seat(here, "agent-b", "1001", "8002")
    call = await here.product.citizen().call("12345", caller=CALLER)
    await phone.wait_talking(20)
    await expect(page.get_by_label("来电", exact=True)).to_contain_text("通话中")
    await page.keyboard.press("Control+Alt+0")
    await expect(page.get_by_label("三方通话")).to_be_checked()
    await page.keyboard.press("Control+Alt+2")
    await expect(page.get_by_label("紧急转接").get_by_role("alert")).to_contain_text("没有接通！您和市民仍在通话")
    await expect(page.get_by_label("来电", exact=True)).to_contain_text("多方通话")
    await call.hang_up()
    await expect(state(page)).to_have_text("话后整理")
    await clear(phone, page)
    for line in lines:
        await line.close()


async def test_an_engine_that_dies_in_mid_call_is_told_and_all_comes_back(here: Desk) -> None:
    page, product = here.page, here.product
    phone = await at_seat(here, "agent-b", "1001", "8003")
    call = await product.citizen().call("12345", caller=CALLER)
    talk: PhoneCall = await phone.wait_talking(20)
    await page.get_by_label("案情").fill("水管爆裂")
    await expect(page.get_by_test_id("saving")).to_have_text("✓ 已保存")
    await product.signal_engine(signal.SIGKILL)
    await expect(page.get_by_text("通话不受影响，请继续")).to_be_visible()
    await page.get_by_label("案情").fill("水管爆裂，已淹到路面")
    await expect(page.get_by_test_id("saving")).to_contain_text("保存失败")
    assert talk.is_talking
    assert call.is_talking
    await product.start_engine()
    await expect(page.get_by_text("通话不受影响，请继续")).to_be_hidden()
    await expect(page.get_by_test_id("saving")).to_have_text("✓ 已保存")
    await expect(page.get_by_label("来电", exact=True)).to_contain_text("通话中")
    await until(lambda: noted(product, CALLER, "水管爆裂，已淹到路面"), "the note in the ledger", 20)
    await product.signal_engine(signal.SIGKILL)
    await product.start_engine()
    await page.evaluate("sessionStorage.clear()")  # another browser, at another desk
    await page.reload()
    await expect(page.get_by_label("案情")).to_have_value("水管爆裂，已淹到路面")
    await talk.hang_up()
    await expect(state(page)).to_have_text(re.compile("话后整理|示闲"))
    await call.hang_up()
    await clear(phone, page)


async def test_the_keyboard_alone_pauses_and_lists_what_it_does(here: Desk) -> None:
    page = here.page
    phone = await at_seat(here, "agent-b", "1001", "8004")
    await page.keyboard.press("F9")
    await expect(page.get_by_role("dialog", name="示忙原因")).to_be_visible()
    await page.keyboard.press("2")
    await expect(state(page)).to_have_text("示忙：培训")
    await page.keyboard.press("F8")
    await expect(state(page)).to_have_text("示闲")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="键盘快捷键")).to_contain_text("Ctrl+Alt+4")
    await page.keyboard.press("Escape")
    await clear(phone, page)


async def test_the_desk_is_light_and_there_at_once(here: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    await here.sign_in(await someone(here.product, "agent-b", "1001"))
    loaded: list[str] = []
    here.page.on("requestfinished", lambda request: loaded.append(request.url))
    await here.page.reload()
    await expect(here.page.get_by_label("紧急转接")).to_be_visible(timeout=WAIT_MS)
    shown = await here.page.evaluate(PAINT)
    scripts = [PAGES / "assets" / Path(url).name for url in loaded if url.endswith(".js")]
    bytes_ = sum(len(gzip.compress(path.read_bytes(), 9)) for path in scripts)
    with capsys.disabled():
        print(f"\ndesk: first contentful paint {shown:.0f} ms, {bytes_ / 1000:.0f} kB of JavaScript (gzip)")
    assert scripts
    assert bytes_ <= JS_LIMIT_BYTES
