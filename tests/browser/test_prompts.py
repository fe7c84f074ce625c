"""Prompts in the page: heard first, then kept; a real caller hears the new one, and hears the old one out."""

from __future__ import annotations

import asyncio
import io
import re
import wave
from array import array
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import FilePayload, Locator, Page, Route, expect

from audit.store import of_action
from database.connection import open_database
from phones.g711 import decode
from phones.phone import PhoneCall
from phones.tones import similarity, tone_share
from tests.asterisk.support.product import Product, until
from tests.browser.browser_users import FAKE_MEDIA, Desk, Person, chromium, desk, person
from tests.browser.screenshots import accessible, shot
from users.model import Role

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

OLD_HZ, NEW_HZ, VOICE_HZ = 700, 1200, 1000


def tone(hz: float, seconds: float, peak: float = 0.3, rate: int = 16000) -> bytes:
    samples = np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate) * 32767 * peak
    with io.BytesIO() as whole:
        with wave.open(whole, "wb") as file:
            file.setparams((1, 2, rate, 0, "NONE", ""))
            file.writeframes(samples.astype("<i2").tobytes())
        return whole.getvalue()


def file_of(data: bytes, name: str = "欢迎.wav") -> FilePayload:
    return {"name": name, "mimeType": "audio/wav", "buffer": data}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def boss(hotline: Product) -> Person:
    return await person(hotline, "boss", Role.ADMIN)


@pytest_asyncio.fixture(loop_scope="module")
async def speaker(hotline: Product, tmp_path: Path) -> AsyncIterator[Desk]:
    """A page whose microphone hears a tone."""
    voice = tmp_path / "voice.wav"
    voice.write_bytes(tone(VOICE_HZ, 5, rate=48000))
    given = (*FAKE_MEDIA, f"--use-file-for-fake-audio-capture={voice}")
    async with chromium(given) as running, desk(running, hotline) as made:
        yield made


async def opened(here: Desk, boss: Person, name: str = "greeting-12345 普通话") -> Locator:
    """The drawer of a prompt, by keyboard."""
    await here.sign_in(boss)
    await here.page.get_by_role("link", name="提示音").click()
    await here.page.keyboard.press("/")
    await here.page.keyboard.type(name.split(maxsplit=1)[0])
    await here.page.get_by_role("button", name=f"打开 {name}").focus()
    await here.page.keyboard.press("Enter")
    drawer = here.page.get_by_role("dialog", name="提示音 ")
    await expect(drawer.get_by_role("table", name="各版")).to_be_visible()
    return drawer


async def keep(page: Page, drawer: Locator, reason: str) -> None:
    await drawer.get_by_role("button", name="启用").click()
    await page.get_by_placeholder("原因，会写入审计记录").fill(reason)
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("已启用，为第").last).to_be_visible()
    await expect(drawer.get_by_role("region", name="试听")).to_be_hidden()


async def upload(drawer: Locator, data: bytes) -> None:
    await drawer.get_by_label("要上传的录音（wav）").set_input_files(file_of(data))
    await expect(drawer.get_by_role("region", name="试听")).to_be_visible()


async def called(product: Product) -> PhoneCall:
    return await (await product.citizen().call("12345", tone_hz=None)).answered(20)


def share(call: PhoneCall, hz: float) -> float:
    """Seconds in which this tone was heard."""
    pcm = call.heard.pcm()
    return tone_share(pcm, hz) * len(pcm) / 8000


async def hears(call: PhoneCall, hz: float, seconds: float) -> None:
    async def so() -> bool:
        return share(call, hz) >= seconds

    await until(so, f"{seconds} s of {hz} Hz")


def line(product: Product, name: str) -> array[int]:
    return decode((product.plan.sounds / "zh-CN" / f"{name}.alaw").read_bytes())


async def plays(drawer: Locator) -> float:
    """Seconds of the trial in the page's player."""
    player = drawer.get_by_label("试听", exact=True).locator("audio")
    await player.evaluate("one => one.readyState > 0 || new Promise(go => one.onloadedmetadata = go)")
    seconds: float = await player.evaluate("one => one.duration")
    return seconds


async def test_new_words_are_heard_in_the_page_then_kept_and_a_call_hears_them(here: Desk, boss: Person) -> None:
    product, page = here.product, here.page
    before = line(product, "greeting-12345")
    drawer = await opened(here, boss)
    await drawer.get_by_label("文字", exact=True).fill("您好，这里是12345，请说您的事情。")
    await drawer.get_by_role("button", name="合成试听").click()
    await expect(drawer.get_by_role("region", name="试听")).to_contain_text("请说您的事情")
    await shot(page, "prompts-trial")
    assert await plays(drawer) > 2
    assert line(product, "greeting-12345") == before, "nothing changes before it is kept"
    await keep(page, drawer, "统一口径")
    await expect(drawer.get_by_role("row", name="2 ✓ 生效")).to_contain_text("统一口径")
    now = line(product, "greeting-12345")
    call = await called(product)

    async def heard() -> bool:
        return similarity(call.heard.pcm(), now) > 0.8

    await until(heard, "the new words to be heard")
    assert similarity(call.heard.pcm(), before) < 0.6
    await call.hang_up()
    await drawer.get_by_role("button", name="试听第 1 版").click()
    await keep(page, drawer, "退回原来的")
    assert line(product, "greeting-12345") == before
    database = open_database(product.settings.database_url)
    async with database.reading() as session:
        told = [(entry.act.action, entry.act.reason) for entry in await of_action(session, "prompts.", 100)]
    await database.close()
    assert told == [("prompts.keep", "统一口径"), ("prompts.back", "退回原来的")]


async def test_a_call_hears_the_old_recording_out_while_the_next_one_hears_the_new(here: Desk, boss: Person) -> None:
    product, page = here.product, here.page
    drawer = await opened(here, boss)
    await upload(drawer, tone(OLD_HZ, 15))
    await keep(page, drawer, "长的")
    await upload(drawer, tone(NEW_HZ, 4))
    first = await called(product)
    await hears(first, OLD_HZ, 0.5)
    await keep(page, drawer, "短的")
    assert share(first, OLD_HZ) < 14, "the first still hears the old one"
    second = await called(product)
    await hears(second, NEW_HZ, 3.7)
    await hears(first, OLD_HZ, 14.5)
    assert share(first, NEW_HZ) < 0.2
    assert share(second, OLD_HZ) < 0.2
    await asyncio.gather(first.hang_up(), second.hang_up())


async def test_a_bad_file_is_told_in_words_and_changes_nothing(here: Desk, boss: Person) -> None:
    product = here.product
    drawer = await opened(here, boss, "goodbye 普通话")
    before = line(product, "goodbye")
    for data, told in (
        (b"ID3 is no wave", "这是 MP3 文件，不是 wav"),
        (tone(500, 30), "时长 30.2 秒不在"),
        (tone(500, 2, peak=0), "没有声音，请重新录制"),
    ):
        await drawer.get_by_label("要上传的录音（wav）").set_input_files(file_of(data, "../../坏.wav"))
        await expect(drawer.get_by_role("alert")).to_contain_text(told)
        await expect(drawer.get_by_role("button", name="启用")).to_have_count(0)
    assert line(product, "goodbye") == before
    await expect(drawer.get_by_role("table", name="各版").get_by_role("row")).to_have_count(2)


async def test_a_voice_is_recorded_in_the_page_heard_and_kept_and_a_call_hears_it(speaker: Desk, boss: Person) -> None:
    product, page = speaker.product, speaker.page
    drawer = await opened(speaker, boss)
    await drawer.get_by_role("button", name="用麦克风录音").click()
    meter = drawer.get_by_role("progressbar", name="麦克风音量")
    await expect(meter).not_to_have_attribute("aria-valuenow", "0")
    await expect(drawer.get_by_text("2 秒", exact=True)).to_be_visible()
    await drawer.get_by_role("button", name="停止录音").click()
    await expect(drawer.get_by_role("region", name="试听")).to_contain_text("录音")
    assert await plays(drawer) > 1
    await keep(page, drawer, "播音员录的")
    call = await called(product)
    await hears(call, VOICE_HZ, 1)
    await call.hang_up()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("row", name="greeting-12345").first).to_contain_text("录音")


async def test_a_trial_that_comes_late_is_not_for_the_prompt_opened_meanwhile(here: Desk, boss: Person) -> None:
    page, answered = here.page, asyncio.Event()
    drawer = await opened(here, boss, "rating-thanks 普通话")

    async def late(route: Route) -> None:
        await answered.wait()
        await route.continue_()

    await page.route("**/rating-thanks/recording*", late)
    await drawer.get_by_label("要上传的录音（wav）").set_input_files(file_of(tone(500, 2)))
    await page.keyboard.press("Escape")
    await expect(drawer).to_be_hidden()
    await page.get_by_label("查找提示音").fill("rating-invalid")
    await page.get_by_role("button", name="打开 rating-invalid 普通话").click()
    await expect(drawer.get_by_role("table", name="各版")).to_be_visible()
    async with page.expect_response("**/rating-thanks/recording*"):
        answered.set()
    await expect(drawer.get_by_role("button", name="合成试听")).not_to_have_class(re.compile("is-loading"))
    await expect(drawer.get_by_role("region", name="试听")).to_have_count(0)
    await expect(drawer.get_by_role("button", name="启用")).to_have_count(0)


async def test_what_was_heard_is_kept_not_what_was_typed_since(here: Desk, boss: Person) -> None:
    page, answered = here.page, asyncio.Event()
    drawer = await opened(here, boss, "rating-thanks 普通话")

    async def late(route: Route) -> None:
        await answered.wait()
        await route.continue_()

    await page.route("**/rating-thanks/text", late)
    words = drawer.get_by_label("文字", exact=True)
    await words.fill("谢谢您的评价。")
    await drawer.get_by_role("button", name="合成试听").click()
    await words.fill("没有听过的话。")
    answered.set()
    await expect(drawer.get_by_role("region", name="试听")).to_contain_text("谢谢您的评价。")
    await keep(page, drawer, "更客气")
    await expect(drawer.get_by_role("row", name="2 ✓ 生效")).to_contain_text("谢谢您的评价。")


async def test_a_recording_that_cannot_be_read_is_told_and_the_microphone_is_off(here: Desk, boss: Person) -> None:
    drawer = await opened(here, boss, "rating-thanks 普通话")
    broken = "AudioContext.prototype.decodeAudioData = () => Promise.reject(new Error('broken'))"
    await here.page.evaluate(f"() => {{ {broken} }}")
    await drawer.get_by_role("button", name="用麦克风录音").click()
    await expect(drawer.get_by_text("1 秒", exact=True)).to_be_visible()
    await drawer.get_by_role("button", name="停止录音").click()
    await expect(drawer.get_by_role("alert")).to_contain_text("请检查麦克风后重新录音")
    await expect(drawer.get_by_role("button", name="用麦克风录音")).to_be_enabled()


async def test_every_prompt_says_where_it_is_used_and_leads_there(here: Desk, boss: Person) -> None:
    page = here.page
    await here.sign_in(boss)
    await page.get_by_role("link", name="提示音").click()
    await expect(page.get_by_text("greeting-12345").first).to_be_visible()
    await accessible(page)
    await shot(page, "prompts")
    await page.get_by_label("查找提示音").fill("12333")
    row = page.get_by_role("row", name="legacy-12333-during")
    await expect(row).to_contain_text("普通话")
    await expect(row).to_contain_text("合成")
    await row.get_by_role("button", name="打开").click()
    await expect(page.get_by_role("dialog").get_by_role("table", name="各版")).to_be_visible()
    await accessible(page)
    await page.keyboard.press("Escape")
    await row.get_by_role("link", name="拨 12333 人社，过渡期内").click()
    await expect(page.get_by_role("dialog")).to_contain_text("12333")
