"""What a call came to: one key at the desk, told in its story, found again, corrected later; and its holds."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from audit.store import of_action
from database.connection import open_database
from ledger.model import Kind
from ledger.records import CallRecord
from phones.seat_phone import SeatPhone
from routing.model import Table
from tests.asterisk.support.product import Product, product, until
from tests.asterisk.support.scene import ALWAYS, Scene, with_schedules
from tests.browser.browser_users import Desk, person
from tests.browser.screenshots import accessible, shot
from tests.browser.test_desk import clear, fits, state
from users.model import Role

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

CALLER = "13800004321"
LONG_SECONDS, SHORT_SECONDS = 300, 2


def asked(table: Table) -> Table:
    """A code must be chosen; time enough for it at 12345, and next to none at 12315, which is open at any hour."""
    table = with_schedules(table, replace(ALWAYS, id="daily"))
    groups = [
        replace(row, wrap_up_seconds=SHORT_SECONDS if row.id == "market" else LONG_SECONDS) for row in table.groups
    ]
    return replace(table, groups=tuple(groups), wrap_up_code_required=True)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hotline() -> AsyncIterator[Product]:
    home = Path(tempfile.mkdtemp(prefix="hl-"))
    try:
        async with product(home, edit=asked) as running:
            yield running
    finally:
        shutil.rmtree(home, ignore_errors=True)


async def at_seat(here: Desk, name: str, agent: str, seat: str) -> SeatPhone:
    phone = await here.product.seat(seat, tone_hz=880)
    await here.sign_in(await person(here.product, name, Role.AGENT, agent))
    await here.page.get_by_label("座席号").fill(seat)
    await here.page.keyboard.press("Enter")
    await expect(state(here.page)).to_have_text("示闲")
    return phone


def codes(page: Page) -> Locator:
    return page.get_by_label("处理结果", exact=True)


async def facts(product: Product, caller: str, kind: Kind) -> list[str]:
    record = next((one for one in await product.calls() if one.caller == caller), None)
    found = [] if record is None else await product.facts(record.call)
    return [str(fact.data.get("code") or fact.data.get("music") or "") for fact in found if fact.kind is kind]


async def told(product: Product, caller: str) -> CallRecord:
    async def over() -> bool:
        return any(one.caller == caller and one.ended_at is not None for one in await product.calls())

    await until(over, "the call to be over in the ledger", 20)
    return next(one for one in await product.calls() if one.caller == caller)


async def test_an_agent_says_by_keyboard_what_the_call_came_to_and_a_supervisor_corrects_it(here: Desk) -> None:
    page, product = here.page, here.product
    phone = await at_seat(here, "agent-a", "1001", "8001")
    call = await product.citizen().call("12345", caller=CALLER)
    await phone.wait_talking(20)
    await expect(page.get_by_label("来电", exact=True)).to_contain_text("通话中")
    assert await phone.talk.change("sendonly") == 200
    await expect(page.get_by_label("来电", exact=True)).to_contain_text("市民在听等待音乐")
    assert await phone.talk.change("sendrecv") == 200
    await expect(state(page)).to_have_text("通话中")
    await page.keyboard.press("F2")
    await page.keyboard.type("东山路 1 号")
    await page.keyboard.press("F6")
    await page.keyboard.press("3")  # in the talk already
    await expect(page.get_by_test_id("wrap-up")).to_have_text("✓ 已保存：已转接")
    await expect(codes(page)).not_to_contain_text("价格投诉")  # which is another group's
    await accessible(page)
    await fits(page)
    await phone.talk.hang_up()
    await expect(state(page)).to_have_text("话后整理")
    await expect(codes(page)).to_be_focused()  # and nobody has touched a mouse
    await page.keyboard.press("2")
    await expect(page.get_by_test_id("wrap-up")).to_have_text("✓ 已保存：已派工单")
    await page.get_by_label("处理结果的备注").fill("已派供水公司")
    await expect(page.get_by_test_id("wrap-up")).to_have_text("✓ 已保存：已派工单")
    await until(lambda: _said(product, ["transferred", "order", "order"]), "what was said in the ledger", 20)
    await expect(page.get_by_label("座席状态")).to_contain_text("还剩 4:")
    await page.keyboard.press("Shift+F8")
    await expect(page.get_by_label("座席状态")).to_contain_text("还剩 5:")
    await accessible(page)
    await fits(page)
    await shot(page, "desk-wrap-up")
    await page.reload()
    await expect(page.get_by_test_id("wrap-up")).to_have_text("✓ 已保存：已派工单")
    await expect(page.get_by_label("处理结果的备注")).to_have_value("已派供水公司")
    await page.keyboard.press("F8")
    await expect(state(page)).to_have_text("示闲")
    await call.hang_up()
    await clear(phone, page)
    record = await told(product, CALLER)
    assert record.wrap_up_code == "order"


async def _said(product: Product, expected: list[str]) -> bool:
    return await facts(product, CALLER, Kind.WRAP_UP) == expected


async def test_the_story_shows_holds_and_what_it_came_to_and_links_the_other_calls_of_the_number(here: Desk) -> None:
    page, product = here.page, here.product
    caller, scene = "13800005555", Scene(product)
    phone = await scene.agent("1002", "8002", 880)
    call = await product.citizen().call("12345", caller=caller)
    talk = await phone.wait_talking(20)
    await until(lambda: product.seat_is("8002", "talking"), "the talk to be known", 20)
    assert await talk.change("sendonly") == 200
    await until(lambda: product.seat_is("8002", "hold"), "the hold to be known", 20)
    assert await talk.change("sendrecv") == 200
    await until(lambda: product.seat_is("8002", "talking"), "its end to be known", 20)
    await talk.hang_up()
    await call.hang_up()
    first = await scene.told(caller)
    said = {"code": "silent", "remark": "只有风声", "reason": "座席忘了"}
    await product.ask(f"/api/calls/{first.call}/wrap-up", said)
    await phone.close()
    again = await product.citizen().call("12345", caller=caller)  # who gives up: nobody answers
    await again.answered(20)
    await again.hang_up()
    await until(lambda: _over(product, caller, 2), "the second call to be over in the ledger", 20)
    await here.sign_in(await person(product, "boss", Role.SUPERVISOR, "1010"))
    await page.goto(f"{here.home}/#/calls")
    await page.get_by_role("combobox", name="处理结果").click()
    await page.get_by_role("option", name="无声或误拨").click()
    await page.get_by_role("button", name="查找", exact=True).click()
    rows = page.get_by_role("table", name="来电记录").locator("tbody tr")
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("无声或误拨")
    await shot(page, "calls-wrap-up")
    await rows.first.focus()
    await page.keyboard.press("Enter")
    story = page.get_by_role("dialog", name="来电经过")
    await expect(story.locator(".bar.held")).to_have_count(1)
    await expect(story.get_by_label("经过", exact=True)).to_contain_text("保持通话，市民听等待音乐")
    await expect(story.get_by_label("经过", exact=True)).to_contain_text("处理结果：无声或误拨，控制接口填写")
    assert "只有风声" not in await page.content()
    await shot(page, "story-wrap-up")
    await expect(story.get_by_label("相关").get_by_role("link")).to_have_count(1)
    await accessible(page)
    await story.get_by_role("button", name="更改").click()
    change = page.get_by_role("dialog", name="更改处理结果")
    await change.locator(".el-select").click()
    await page.get_by_role("option", name="催办查询").click()
    await change.get_by_placeholder("为什么更改，会写入审计记录").fill("质检更正")
    await accessible(page)
    await change.get_by_placeholder("为什么更改，会写入审计记录").press("Enter")
    await expect(story.get_by_label("经过", exact=True)).to_contain_text("更改处理结果 工号 1002 催办查询（质检更正）")
    await until(lambda: _sealed(product), "the change to be sealed in the audit", 20)
    await story.get_by_label("相关").get_by_role("link").click()
    await expect(story).not_to_contain_text(first.call)
    await expect(story.get_by_label("相关")).to_contain_text("以前的来电")


async def _over(product: Product, caller: str, count: int) -> bool:
    return sum(one.caller == caller and one.ended_at is not None for one in await product.calls()) == count


async def _sealed(product: Product) -> bool:
    database = open_database(product.settings.database_url)
    try:
        async with database.reading() as session:
            found = await of_action(session, "supervise.wrap-up-code", 10)
            told = sorted((entry.act.reason, "催办查询" in entry.act.subject) for entry in found)
            return told == [("座席忘了", False), ("质检更正", True)]
    finally:
        await database.close()


async def test_a_wrap_up_of_which_nothing_was_said_is_not_ended_by_hand_but_ends_in_time_as_missing(here: Desk) -> None:
    page, product = here.page, here.product
    phone = await at_seat(here, "agent-b", "1003", "8003")
    call = await product.citizen().call("12345", caller="13800009999")
    await phone.wait_talking(20)
    await expect(state(page)).to_have_text("通话中")
    await phone.talk.hang_up()
    await expect(state(page)).to_have_text("话后整理")
    await page.keyboard.press("F8")
    await expect(page.get_by_role("alert")).to_contain_text("先选处理结果")
    await expect(codes(page)).to_be_focused()
    await expect(state(page)).to_have_text("话后整理")
    await page.keyboard.press("8")
    await expect(page.get_by_test_id("wrap-up")).to_have_text("✓ 已保存：无声或误拨")
    await page.keyboard.press("F8")
    await expect(state(page)).to_have_text("示闲")
    await call.hang_up()
    call = await product.citizen().call("12315", caller="13800008888")
    await phone.wait_talking(20)
    await expect(state(page)).to_have_text("通话中")
    await expect(codes(page)).to_contain_text("价格投诉")
    await phone.talk.hang_up()
    await expect(state(page)).to_have_text("示闲")  # in time, with nothing said
    await call.hang_up()
    assert (await told(product, "13800008888")).wrap_up_missing
    await clear(phone, page)
