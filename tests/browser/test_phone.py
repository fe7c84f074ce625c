"""The phone in the page, with a real Asterisk and a microphone that plays a tone: heard on both sides, never lost."""

from __future__ import annotations

import asyncio
import math
import signal
import struct
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from ledger.model import Kind
from phones.tones import tone_share
from tests.asterisk.support.product import Product, until
from tests.browser.people import FAKE_MEDIA, WAIT_MS, Desk, Person, chromium, desk, person
from users.model import Role

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

CITIZEN_HZ, PAGE_HZ = 440, 1000
READY, TALKS = "网页电话就绪", "通话中"

PEERS = """
window.peers = [];
const Plain = RTCPeerConnection;
window.RTCPeerConnection = class extends Plain { constructor(...told) { super(...told); window.peers.push(this); } };
"""
"""Keeps the page's connections where a test can listen to them."""

LOUDEST_HZ = """
async () => {
  const context = new AudioContext();
  await context.resume();
  const track = window.peers.at(-1).getReceivers()[0].track;
  const analyser = context.createAnalyser();
  analyser.fftSize = 4096;
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const heard = new Float32Array(analyser.frequencyBinCount);
  await new Promise((go) => setTimeout(go, 500));
  analyser.getFloatFrequencyData(heard);
  const rate = context.sampleRate;
  await context.close();
  return heard.indexOf(Math.max(...heard)) * rate / analyser.fftSize;
}
"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def speaking(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """A browser whose microphone hears bursts of a tone: a steady one is taken for noise."""
    voice = tmp_path_factory.mktemp("voice") / "voice.wav"
    _bursts(voice)
    async with chromium((*FAKE_MEDIA, f"--use-file-for-fake-audio-capture={voice}")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def zhang(hotline: Product) -> Person:
    """Agent 1001."""
    return await person(hotline, "zhang", Role.AGENT, "1001")


@pytest_asyncio.fixture(loop_scope="module")
async def agent(hotline: Product, speaking: Browser, zhang: Person) -> AsyncIterator[Desk]:
    """The agent's page with its phone on, ready for calls."""
    async with desk(speaking, hotline) as made:
        await made.page.context.add_init_script(PEERS)
        await made.sign_in(zhang)
        await bar(made.page).get_by_role("button", name="打开网页电话").click()
        await says(made.page, READY)
        await hotline.sign_in("1001", "1001")
        yield made
    await hotline.ask("/api/agents/1001/sign-out", {})


def bar(page: Page) -> Locator:
    return page.get_by_role("region", name="网页电话")


async def test_the_page_rings_is_answered_by_keyboard_and_both_hear_each_other(hotline: Product, agent: Desk) -> None:
    call = await hotline.citizen().call("12345", tone_hz=CITIZEN_HZ)
    await expect(bar(agent.page).get_by_role("button", name="接听")).to_be_visible(timeout=WAIT_MS)
    await agent.page.keyboard.press("Alt+A")
    await says(agent.page, TALKS)
    await hears(agent.page)
    begun = _now()
    await asyncio.sleep(2)
    assert tone_share(call.heard.pcm(begun, _now()), PAGE_HZ) > 0.3, "bursts, half of the time"
    await agent.page.keyboard.press("Alt+H")
    await says(agent.page, "保持中")
    await until(lambda: hotline.seat_is("1001", "hold"), "the ACD to know that the caller is on hold")
    await bar(agent.page).get_by_role("button", name="恢复通话").click()
    await says(agent.page, TALKS)
    await agent.page.keyboard.press("Alt+M")
    await says(agent.page, "您已静音")
    await agent.page.keyboard.press("Alt+X")
    await says(agent.page, READY)
    record = (await hotline.calls())[0]
    assert (record.agent, record.seat) == ("1001", "1001")
    await until(lambda: _told(hotline, Kind.RATING_ASKED), "the citizen to be asked for a rating")
    await call.hang_up()


async def test_the_line_is_cut_in_mid_call_and_the_talk_goes_on(hotline: Product, agent: Desk) -> None:
    """The engine is killed, and with it the WebSocket; then it is back."""
    call = await hotline.citizen().call("12345", tone_hz=CITIZEN_HZ)
    await answer(agent.page)
    await hears(agent.page)
    await hotline.signal_engine(signal.SIGKILL)
    await says(agent.page, "正在重连，声音不受影响")
    await hears(agent.page)
    begun = _now()
    await asyncio.sleep(2)
    assert tone_share(call.heard.pcm(begun, _now()), PAGE_HZ) > 0.3
    await hotline.start_engine()
    await expect(bar(agent.page).get_by_role("status")).to_have_text("☎ 通话中", timeout=WAIT_MS)
    assert call.is_talking
    await call.hang_up()
    await says(agent.page, READY)


async def test_asterisk_restarts_in_mid_call_and_the_page_says_so_and_is_ready_again(
    hotline: Product, agent: Desk
) -> None:
    await hotline.citizen().call("12345", tone_hz=CITIZEN_HZ)
    await answer(agent.page)
    await hears(agent.page)
    await hotline.kill_switch()
    await says(agent.page, "正在重连，听不到对方的声音")
    await hotline.start_switch()
    await says(agent.page, READY)
    await until(lambda: hotline.seat_is("1001", "ready"), "the seat to be ready again")


async def test_a_reload_in_mid_call_brings_the_call_back(hotline: Product, agent: Desk) -> None:
    call = await hotline.citizen().call("12345", tone_hz=CITIZEN_HZ)
    await answer(agent.page)
    await hears(agent.page)
    await agent.page.reload()
    await says(agent.page, TALKS)
    await hears(agent.page)
    begun = _now()
    await asyncio.sleep(2)
    assert tone_share(call.heard.pcm(begun, _now()), PAGE_HZ) > 0.3
    assert await hotline.seat_is("1001", "talking")
    await bar(agent.page).get_by_role("button", name="挂断").click()
    await until(lambda: _told(hotline, Kind.RATING_ASKED), "the citizen to be asked for a rating")
    await call.hang_up()
    kinds = await hotline.kinds((await hotline.calls())[0].call)
    assert (kinds.count(Kind.ANSWERED), kinds.count(Kind.TALK_ENDED)) == (1, 1), "one talk, as the citizen knows it"


async def test_one_tab_has_the_phone_and_another_takes_it_over_with_its_call(hotline: Product, agent: Desk) -> None:
    call = await hotline.citizen().call("12345", tone_hz=CITIZEN_HZ)
    await answer(agent.page)
    other = await agent.page.context.new_page()
    await other.goto(agent.home)
    await says(other, "在另一个标签页")
    await bar(other).get_by_role("button", name="拿到这里").click()
    await says(other, TALKS)
    await says(agent.page, "在另一个标签页")
    await hears(other)
    assert call.is_talking
    await bar(other).get_by_role("button", name="挂断").click()
    await says(other, READY)
    await call.hang_up()
    await other.close()
    await says(agent.page, READY)


async def test_a_browser_that_dies_gives_its_caller_to_the_next_agent(hotline: Product, zhang: Person) -> None:
    async with chromium() as mortal, desk(mortal, hotline) as made:
        await made.sign_in(zhang)
        await bar(made.page).get_by_role("button", name="打开网页电话").click()
        await says(made.page, READY)
        await hotline.sign_in("1001", "1001")
        call = await hotline.citizen().call("12345", tone_hz=CITIZEN_HZ)
        await answer(made.page)
        colleague = await hotline.seat("8002", "1003")
    talk = await colleague.wait_talking(30)
    assert call.is_talking
    await asyncio.sleep(1)
    assert tone_share(talk.heard.pcm(), CITIZEN_HZ) > 0.7
    await call.hang_up()


async def says(page: Page, words: str) -> None:
    await expect(bar(page)).to_contain_text(words, timeout=WAIT_MS)


async def answer(page: Page) -> None:
    await bar(page).get_by_role("button", name="接听").click()
    await says(page, TALKS)


async def hears(page: Page) -> None:
    """Until the page plays the citizen's tone; the prompt may still be on."""
    async with asyncio.timeout(20):
        while abs(await page.evaluate(LOUDEST_HZ) - CITIZEN_HZ) > 15:
            pass


async def _told(hotline: Product, kind: Kind) -> bool:
    return kind in await hotline.kinds((await hotline.calls())[0].call)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _bursts(path: Path) -> None:
    """A quarter of a second of tone, a quarter of silence, eight times."""
    rate = 48_000
    samples = (
        int(12_000 * math.sin(2 * math.pi * PAGE_HZ * i / rate)) if i % (rate // 2) < rate // 4 else 0
        for i in range(rate * 4)
    )
    with wave.open(str(path), "w") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
