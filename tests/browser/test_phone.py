"""The phone in the page, with a real Asterisk and a microphone that plays a tone: heard on both sides, never lost."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import nullcontext

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from ledger.model import Kind
from phones.errors import RegistrationRefused
from phones.seat_phone import SeatPhone
from phones.tones import tone_share
from tests.asterisk.support.product import Product, until
from tests.browser.audio_probe import PAGE_HZ, PEERS, bar, page_hears, says
from tests.browser.browser_users import WAIT_MS, Desk, Person, chromium, desk, person
from users.model import Role

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

CITIZEN_HZ = 440
READY, TALKS = "网页电话就绪", "通话中"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def zhang(hotline: Product) -> Person:
    """Agent 1001."""
    return await person(hotline, "zhang", Role.AGENT, "1001")


@pytest_asyncio.fixture(loop_scope="module")
async def agent(hotline: Product, voiced: Browser, zhang: Person) -> AsyncIterator[Desk]:
    """The agent's page with its phone on, ready for calls."""
    async with desk(voiced, hotline) as made:
        await made.page.context.add_init_script(PEERS)
        await made.sign_in(zhang)
        await bar(made.page).get_by_role("button", name="打开网页电话").click()
        await says(made.page, READY)
        await hotline.sign_in("1001", "1001")
        yield made
    await hotline.ask("/api/agents/1001/sign-out", {})


@pytest.mark.smoke
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
    await expect(agent.page.get_by_text("通话不受影响，请继续")).to_be_visible()
    await hears(agent.page)
    begun = _now()
    await asyncio.sleep(2)
    assert tone_share(call.heard.pcm(begun, _now()), PAGE_HZ) > 0.3
    await hotline.start_engine()
    await expect(bar(agent.page).get_by_role("status")).to_have_text("☎ 通话中", timeout=WAIT_MS)
    await expect(incoming(agent.page)).to_contain_text(TALKS)
    await expect(agent.page.get_by_text("通话不受影响，请继续")).to_be_hidden()
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
    await expect(agent.page.get_by_label("座席状态").get_by_role("status")).to_have_text("示闲")
    await expect(incoming(agent.page)).to_contain_text("没有来电")


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
    await expect(incoming(agent.page)).to_contain_text(TALKS)
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
    await expect(incoming(other)).to_contain_text(TALKS)  # the whole desk, but for the phone
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


async def test_a_softphone_elsewhere_that_has_the_page_s_password_is_refused(hotline: Product, agent: Desk) -> None:
    told = await agent.page.evaluate(
        """async () => {
          const {csrf} = await (await fetch("/api/session")).json();
          const asked = {method: "POST", headers: {"X-CSRF-Token": csrf}};
          return await (await fetch("/api/phone/credentials", asked)).json();
        }"""
    )
    port = hotline.settings.seat_sip_port
    for host, welcome in (("127.0.0.1", True), ("127.0.0.2", False)):
        phone = SeatPhone(hotline.settings.bind, port, told["user"], told["password"], local_host=host)
        with nullcontext() if welcome else pytest.raises(RegistrationRefused):
            await phone.register()
        await phone.close()


def incoming(page: Page) -> Locator:
    """The call, as the desk tells of it beside the phone."""
    return page.get_by_label("来电", exact=True)


async def answer(page: Page) -> None:
    await bar(page).get_by_role("button", name="接听").click()
    await says(page, TALKS)


async def hears(page: Page) -> None:
    await page_hears(page, CITIZEN_HZ)


async def _told(hotline: Product, kind: Kind) -> bool:
    return kind in await hotline.kinds((await hotline.calls())[0].call)


def _now() -> float:
    return asyncio.get_running_loop().time()
