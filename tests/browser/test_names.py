"""No page, and no answer of a command, shows a key where there is a name.

The whole table has odd keys. What happened is seeded once: a call that was answered and brought a partner in, one that
waits, an edit of the draft, an order; then every page is looked at as each role, opened as far as it opens by itself.
A key may stand small beside its name in a form, marked as one (class ``id``).
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.asterisk.support.product import Product, product
from tests.asterisk.support.scene import Scene
from tests.browser.browser_users import VIEWPORT, Desk, Person, person
from tests.browser.odd_ids import ODD, odd
from tests.browser.test_every_page import WIDE, Listed, listed, settled
from users.model import Role

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

SHOWN = """() => {
  const seen = one => one.checkVisibility({ visibilityProperty: true }) && !one.closest(".id");
  const said = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) if (seen(walk.currentNode.parentElement)) said.push(walk.currentNode.textContent);
  for (const one of document.body.querySelectorAll("[aria-label], [title], [placeholder], [alt], input, textarea")) {
    const told = ["aria-label", "title", "placeholder", "alt"].map(name => one.getAttribute(name));
    if (seen(one)) said.push(...told, one.value);
  }
  return said.join("\\n");
}"""
"""All that a page tells eyes and ears; a key that is marked as one is not counted."""

NARROW = (1024, 683)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hotline() -> AsyncIterator[Product]:
    """One citizen has talked, one talks and one waits; the draft differs from what is in force."""
    home = Path(tempfile.mkdtemp(prefix="hl-"))
    try:
        async with product(home, edit=odd) as running:
            scene = Scene(running)
            seat = await scene.agent("1001", "8001")
            call = await running.citizen().call("12345", from_header="<sip:13800138000@127.0.0.1>")
            await seat.wait_talking(20)
            cells = {"mode": "双号并行", "schedule": _key(running, "schedules")}
            edits = [{"kind": "numbers", "key": "12315", "cells": cells}]
            await running.ask("/api/routing/draft", {"by": "test", "edits": edits})
            await running.citizen().call("12333", from_header="<sip:13800138001@127.0.0.1>")
            yield running
            await call.hang_up()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _key(running: Product, kind: str) -> str:
    return str(next(iter(getattr(running.table, kind))))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def staff(hotline: Product) -> dict[Role, Person]:
    agents = {Role.AGENT: "1002", Role.SUPERVISOR: "1010"}
    return {role: await person(hotline, f"n-{role}", role, agents.get(role, "")) for role in Role}


async def nothing_odd(page: Page, where: str) -> None:
    found = sorted(set(ODD.findall(await page.evaluate(SHOWN))))
    assert not found, f"{where} shows {found[:8]}"


@pytest.mark.parametrize("role", list(Role))
async def test_no_page_shows_a_key_where_there_is_a_name(here: Desk, staff: dict[Role, Person], role: Role) -> None:
    page = here.page
    await here.sign_in(staff[role])
    mine = [one for one in listed() if await page.locator(f'nav a[href="#{one.path}"]').count()]
    assert mine
    beside: list[str] = []
    for one in mine:
        await opened(here, one)
        await nothing_odd(page, f"{one.title} as {role}")
        beside += await wide(page, one.title)
        for tab in await page.locator("main").get_by_role("tab").all():
            await tab.click()
            await settled(page)
            await nothing_odd(page, f"{one.title}, {await tab.inner_text()} as {role}")
    assert not beside


async def wide(page: Page, title: str) -> list[str]:
    """What stands beside the screen at 1024 px, or at 1366 px made twice as big (WCAG 1.4.10)."""
    found = []
    for width in NARROW:
        await page.set_viewport_size({"width": width, "height": VIEWPORT[1]})
        for where in ("html", "main .page"):
            more = await page.locator(where).first.evaluate(WIDE)
            found += [f"{title} at {width} px: {where} by {more} px"] if more else []
    await page.set_viewport_size({"width": VIEWPORT[0], "height": VIEWPORT[1]})
    return found


async def opened(here: Desk, one: Listed) -> None:
    await here.page.goto(f"{here.home}/#{one.path}")
    await expect(here.page).to_have_title(re.compile(f"^{re.escape(one.title)} · "))
    await settled(here.page)


async def test_each_sheet_each_form_the_try_out_its_picture_and_the_diff_speak_names(
    here: Desk, staff: dict[Role, Person]
) -> None:
    page = here.page
    await here.sign_in(staff[Role.ADMIN])
    await page.goto(f"{here.home}/#/routing")
    sheets = page.get_by_role("group", name="路由表的各张表").get_by_role("button")
    await expect(sheets.first).to_be_visible()
    for sheet in await sheets.all():
        await sheet.click()
        await settled(page)
        title = await sheet.inner_text()
        await nothing_odd(page, title)
        row = page.get_by_role("region", name="的各行").locator("tbody th button").first
        if not await row.count():
            continue
        await row.click()
        await expect(page.get_by_role("dialog")).to_be_visible()
        await settled(page)
        await nothing_odd(page, f"form of {title}")
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_be_hidden()
    await page.get_by_role("tab", name="推算去向").click()
    for number in ("12345", "12333", "12315", "12366"):
        await page.get_by_label("市民拨打").fill(number)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="草稿：")).to_be_visible()
        await settled(page)
        await nothing_odd(page, f"try-out of {number}")
        picture = await page.evaluate("n => fetch(`/api/routing/picture?number=${n}`).then(a => a.text())", number)
        assert not ODD.findall(picture), f"picture of {number}"


async def test_the_story_of_a_call_speaks_names(here: Desk, staff: dict[Role, Person]) -> None:
    page = here.page
    await here.sign_in(staff[Role.SUPERVISOR])
    await page.goto(f"{here.home}/#/calls")
    await page.locator("tr[data-call]").first.click()
    await settled(page)
    await expect(page.get_by_text("来电 ").first).to_be_visible()
    await nothing_odd(page, "story")


COMMANDS = (
    "status", "queues list", "queues explain 1001", "agents list", "calls list", "calls show last", "route test 12333",
    "route test 12366", "routing diff", "routing history",
    "routing lint draft", "measures", "drill list", "reports", "supervise history", "audit list",
)  # fmt: skip


async def test_the_commands_answers_speak_names(hotline: Product) -> None:
    for command in COMMANDS:
        code, said = await hotline.hotline(*command.split())
        found = sorted(set(ODD.findall(said)))
        assert not found, f"hotline {command} ({code}) says {found[:8]}"
