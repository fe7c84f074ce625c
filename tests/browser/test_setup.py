"""The first run in the browser: a fresh product, its set-up page, a test call heard and told, samples out and back."""

from __future__ import annotations

import asyncio
import base64
from array import array
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from cli.demo.checks import load_prompts
from console.access.guard import CSRF_HEADER
from ivr.prompts.catalogue import MANDARIN
from ledger.model import TRIAL
from ledger.records import CallRecord
from phones.tones import similarity
from routing.snapshot import load_snapshot
from tests.asterisk.support.product import Product
from tests.browser.browser_users import PUBLISH_MS, WAIT_MS, Desk, Person, desk, person
from tests.browser.screenshots import accessible, shot
from users.model import Role

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

SURE: Final = 0.6
"""Likeness of a prompt that came through a browser, which stretches sound to hide the network (phones.tones)."""

expect.set_options(timeout=WAIT_MS)

EAR: Final = """
window.heard = [];
const Plain = RTCPeerConnection;
window.RTCPeerConnection = class extends Plain {
  constructor(...told) {
    super(...told);
    this.addEventListener("track", ({ track }) => {
      const context = new AudioContext({ sampleRate: 8000 });
      const tap = context.createScriptProcessor(4096, 1, 1);
      tap.onaudioprocess = ({ inputBuffer }) => window.heard.push(...inputBuffer.getChannelData(0));
      context.createMediaStreamSource(new MediaStream([track])).connect(tap).connect(context.destination);
    });
  }
};
"""
"""Keeps what the page's phone hears, 8000 samples a second."""

TAKEN: Final = """
() => {
  const bytes = new Uint8Array(Int16Array.from(window.heard, (one) => Math.max(-1, Math.min(1, one)) * 32767).buffer);
  let text = "";
  for (const one of bytes) text += String.fromCharCode(one);
  return btoa(text);
}
"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def boss(hotline: Product) -> Person:
    return await person(hotline, "boss", Role.ADMIN)


@pytest_asyncio.fixture(loop_scope="module")
async def admin(hotline: Product, browser: Browser, boss: Person) -> AsyncIterator[Desk]:
    """An admin who has just signed in."""
    async with desk(browser, hotline) as made:
        await made.page.context.add_init_script(EAR)
        await made.sign_in(boss)
        yield made


def step(page: Page, title: str) -> Locator:
    heading = page.get_by_role("heading", name=title)
    return page.get_by_role("list", name="设置步骤").get_by_role("listitem").filter(has=heading)


async def trials(product: Product) -> list[CallRecord]:
    return [record for record in await product.calls() if record.mode == TRIAL]


async def heard(product: Product, page: Page, prompt: str) -> float:
    """How surely the page has heard this prompt."""
    pcm = array("h", base64.b64decode(await page.evaluate(TAKEN)))
    prompts = await asyncio.to_thread(load_prompts, product.settings.data_dir / "sounds" / MANDARIN)
    return await asyncio.to_thread(similarity, pcm, prompts[prompt])


async def test_an_admin_of_a_fresh_product_lands_on_the_set_up_page_which_says_what_is_to_do(admin: Desk) -> None:
    page = admin.page
    await expect(page.get_by_role("heading", name="首次设置", level=1)).to_be_visible()
    await expect(step(page, "归并号码")).to_contain_text("14 个号码还是“示例，待核”")
    await expect(step(page, "座席和话机")).to_contain_text("还没有自己的座席人员、话机")
    await expect(step(page, "自己的管理员")).to_contain_text("动态口令")
    await expect(step(page, "提示音")).to_contain_text("段是合成的声音")
    await expect(step(page, "试打电话")).to_contain_text("还没有试打过")
    await step(page, "归并号码").get_by_role("link", name="去处理：归并号码").click()
    await expect(page.get_by_role("tab", name="表格")).to_be_visible()
    await page.get_by_role("link", name="首次设置").click()
    await expect(step(page, "归并号码")).to_be_visible()
    await accessible(page)
    await accessible(page, page.get_by_role("button", name="用浏览器打 12345"))
    await shot(page, "setup")


async def test_the_doctor_says_the_same_on_the_page_and_by_its_route(admin: Desk) -> None:
    page = admin.page
    lines = await told_by_the_doctor(page)
    worse = [f"{one['subject']}：{one['message']}" for one in lines if one["level"] != "正常"]
    first = step(page, "本机和系统")
    await expect(first.locator("li")).to_have_count(len(worse))
    shown = [text.split("（")[0] for text in await first.locator("li").all_text_contents()]
    assert sorted(shown) == sorted(text.split("（")[0] for text in worse), "process ids apart"


async def told_by_the_doctor(page: Page) -> list[dict[str, Any]]:
    answer = await page.request.get(f"{page.url.split('/#')[0]}/api/doctor")
    told: dict[str, Any] = await answer.json()
    return list(told["findings"])


async def test_a_test_call_hears_the_real_greeting_and_when_nobody_answers_the_page_says_so(admin: Desk) -> None:
    product, page = admin.product, admin.page
    await page.get_by_role("button", name="用浏览器打 12345").click()
    await expect(page.get_by_role("list", name="试打的经过")).to_contain_text("已排队，等人接听")
    await expect(page.get_by_role("list", name="试打的经过")).to_contain_text("浏览器收到了声音")
    await page.get_by_role("button", name="挂断").click()
    story = page.get_by_role("list", name="试打的经过")
    await expect(story).to_contain_text("没有人接听：技能组“综合受理”没有人签入")
    await expect(story).to_contain_text("引擎按路由表第 1 版应答")
    assert await heard(product, page, "greeting-12345") > SURE
    await expect(step(page, "试打电话")).to_contain_text("✕ 要做")
    assert [(record.caller, record.number) for record in await trials(product)] == [("", "12345")]
    assert (await product.ask("/api/live"))["day"]["calls"] == 0, "in no measure"


async def test_a_test_call_that_an_agent_answers_is_told_point_by_point(admin: Desk) -> None:
    product, page = admin.product, admin.page
    phone = await product.seat("8001", "1001")
    await page.get_by_role("button", name="用浏览器打 12345").click()
    talk = await phone.wait_talking()
    await expect(page.get_by_role("list", name="试打的经过")).to_contain_text("工号 1001 接听")
    await expect(step(page, "试打电话")).to_contain_text("正在试打")
    await shot(page, "setup-call")
    await talk.hang_up()
    await page.get_by_role("button", name="挂断").click()
    story = page.get_by_role("list", name="试打的经过")
    await expect(story).to_contain_text("通话结束")
    await expect(story).to_contain_text("通话已录音")
    await expect(page.get_by_text("这次试打一切正常")).to_be_visible()
    await expect(step(page, "试打电话")).to_contain_text("✓ 已做好")
    await page.get_by_text("逐条经过").click()
    await expect(page.get_by_role("list", name="流水")).to_contain_text("管理员试打，不计入指标")
    await accessible(page)
    await shot(page, "setup-told")
    await product.ask("/api/agents/1001/sign-out", {})


async def test_the_samples_are_removed_in_one_step_and_a_rollback_brings_them_back(admin: Desk) -> None:
    product, page = admin.product, admin.page
    samples = step(page, "示例数据")
    await expect(samples.get_by_role("list", name="会删除")).to_contain_text("12333 人社")
    await samples.get_by_text("会留下").click()
    kept = samples.get_by_role("list", name="会留下")
    await expect(kept).to_contain_text("还没有自己的座席人员，先留着")
    await shot(page, "setup-samples")
    await samples.get_by_role("button", name="一步删除示例数据").click()
    await page.get_by_role("dialog").get_by_role("textbox").fill("上线前清理")
    await page.keyboard.press("Enter")
    await expect(samples.get_by_text("第 2 版已生效")).to_be_visible(timeout=PUBLISH_MS)
    await accessible(page)
    await shot(page, "setup-removed")
    now = load_snapshot(product.settings.snapshot_file)
    assert not now.numbers
    assert {trunk.number for trunk in now.trunks.values() if trunk.role == "emergency"} == {
        "110", "119", "120", "122"
    }  # fmt: skip
    await expect(step(page, "归并号码")).to_contain_text("没有归并号码")
    await page.get_by_role("link", name="路由表").click()
    await page.get_by_role("tab", name="历史版本").click()
    await page.get_by_role("button", name="退回第 1 版").click()
    await page.get_by_role("dialog").get_by_role("textbox").fill("还要演示")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("已退回第 1 版，成为第 3 版")).to_be_visible(timeout=PUBLISH_MS)
    assert "12333" in load_snapshot(product.settings.snapshot_file).numbers
    await page.get_by_role("link", name="审计").click()
    await expect(page.get_by_text("删除示例数据：路由表").first).to_be_visible()


async def test_another_page_cannot_remove_the_samples_in_an_admin_s_name(admin: Desk) -> None:
    home = admin.home
    body = {"reason": "x"}
    for headers in ({"Origin": home}, {"Origin": "https://evil.example", CSRF_HEADER: "x"}):
        answer = await admin.page.request.post(f"{home}/api/setup/samples/remove", data=body, headers=headers)
        assert answer.status == 403
