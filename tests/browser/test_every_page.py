"""What holds of every page: it is found in console/app/src/pages.ts, so a page that comes is looked at by itself.

The whole table is full of markup, and so is what a telephone says of itself: no page may take it for its own.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from engine.website import PAGES
from phones.seat_phone import SeatPhone
from routing.model import Table
from tests.asterisk.support.product import Product, product
from tests.asterisk.support.scene import Scene
from tests.browser.browser_users import Desk, Person, person
from tests.browser.screenshots import accessible
from users.model import Role
from users.rules import rights_of

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

SOURCE = PAGES.parent / "src" / "pages.ts"
HURT = "<img src=x onerror=document.title='hurt'>"
WIDE = "e => e.scrollWidth - e.clientWidth"
STOPS = 60
"""Presses of Tab, at most."""

UNSEEN = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  for (let one = at, up = 0; one && up < 4; one = one.parentElement, up++) {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(one);
    if ((outlineStyle !== "none" && outlineWidth !== "0px") || boxShadow !== "none") return "";
  }
  return at.outerHTML.slice(0, 160);
}"""
"""Where the keyboard is: null for nowhere, empty for a place that shows it, else the place that does not."""


@dataclass(frozen=True)
class Listed:
    """A row of pages.ts."""

    path: str
    title: str
    right: str

    @property
    def role(self) -> Role:
        """Somebody who may open it."""
        return next(role for role in Role if self.right in rights_of([role]))


def listed() -> list[Listed]:
    text = SOURCE.read_text(encoding="utf-8")
    found = re.findall(r'path: "(/[\w-]+)", title: "([^"]+)", group: "[^"]+",?\s+right: "([\w.]+)"', text)
    assert len(found) == text.count('path: "/'), "a row of pages.ts is written in another way"
    return [Listed(*row) for row in found]


def hurtful(table: Table) -> Table:
    """The names of the table, with markup in them. What is spoken may hold none: the lint refuses it."""
    return replace(
        table,
        agents=tuple(replace(row, name=f"座席{HURT}") for row in table.agents),
        groups=tuple(replace(row, name=f"{row.name}{HURT}") for row in table.groups),
    )


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hotline() -> AsyncIterator[Product]:
    """One citizen talks and one waits; both telephones call themselves by markup."""
    home = Path(tempfile.mkdtemp(prefix="hl-"))
    try:
        async with product(home, edit=hurtful) as running:
            seat: SeatPhone = await Scene(running).agent("1001", "8001")
            named = f'"{HURT}" <sip:13800138000@127.0.0.1>'
            await running.citizen().call("12345", from_header=named)
            await seat.wait_talking(20)
            live = await Scene(running).record("13800138000")
            assert live is not None
            await running.ask(f"/api/calls/{live.call}/note", {"address": HURT, "summary": HURT})
            await running.citizen().call("12333", from_header=named)
            yield running
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def staff(hotline: Product) -> dict[Role, Person]:
    agents = {Role.AGENT: "1001", Role.SUPERVISOR: "1010"}
    return {role: await person(hotline, str(role), role, agents.get(role, ""), "<img src=x>") for role in Role}


@pytest.mark.parametrize("page", listed(), ids=lambda page: page.path.strip("/"))
async def test_a_page_takes_no_markup_for_its_own_is_accessible_and_shows_where_the_keyboard_is(
    here: Desk, staff: dict[Role, Person], page: Listed
) -> None:
    await here.sign_in(staff[page.role])
    await here.page.goto(f"{here.home}/#{page.path}")
    await expect(here.page).to_have_title(re.compile(r".+ · 12345 热线"))
    await settled(here.page)
    await accessible(here.page)
    for where in ("html", "main"):
        assert await here.page.locator(where).first.evaluate(WIDE) == 0, "nothing is beside the screen"
    assert await here.page.locator("img[src='x']").count() == 0
    await tabbed(here.page)
    await expect(here.page).to_have_title(re.compile(r".+ · 12345 热线"))


@pytest.mark.parametrize("path", ["/sign-in", "/trouble", "/no-such-page"])
async def test_a_page_outside_the_menu_is_accessible(here: Desk, staff: dict[Role, Person], path: str) -> None:
    if path == "/no-such-page":
        await here.sign_in(staff[Role.AUDITOR])
    await here.page.goto(f"{here.home}/#{path}")
    await settled(here.page)
    await accessible(here.page)


@pytest.mark.parametrize("path", ["/totp", "/password"])
async def test_a_page_of_ones_own_is_accessible(here: Desk, staff: dict[Role, Person], path: str) -> None:
    await here.sign_in(staff[Role.AUDITOR])
    await here.page.goto(f"{here.home}/#{path}")
    await settled(here.page)
    await accessible(here.page)
    await tabbed(here.page)


async def settled(page: Page) -> None:
    """What the page asked for first has come, and nothing of it is complained about."""
    await page.wait_for_load_state("networkidle")
    await expect(page.locator(".el-skeleton, .is-loading")).to_have_count(0)
    await expect(page.locator(".el-message--error")).to_have_count(0)


async def tabbed(page: Page) -> None:
    """The Tab key goes round, and wherever it stops can be seen."""
    seen = 0
    for _ in range(STOPS):
        await page.keyboard.press("Tab")
        told = await page.evaluate(UNSEEN)
        if told is None and seen:
            return  # round, and out at the end
        assert not told, f"nobody sees that the keyboard is at {told}"
        seen += told is not None
    assert seen
